"""A keyring with a house of its own, and the folder of its key-encryption keys."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from partywall.control.data_keys import DataKeys
from partywall.control.database import Database
from partywall.control.migrations import migrate
from partywall.encryption import FileKeys, Keyring
from tests.encryption.keys import add_key, house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house in a SQLite file in which both tenants live, to be copied."""
    path = tmp_path_factory.mktemp("house") / "house.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    house(database)
    database.close()
    return path


@pytest.fixture
def control(furnished: Path, tmp_path: Path) -> Iterator[Database]:
    """A control plane's database of the test's own, with both tenants."""
    path = tmp_path / "house.db"
    shutil.copy(furnished, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def keks(tmp_path: Path) -> Path:
    """A folder with one key-encryption key."""
    folder = tmp_path / "keks"
    folder.mkdir()
    add_key(folder, "one")
    return folder


@pytest.fixture
def keyring(control: Database, keks: Path) -> Iterator[Keyring]:
    """A keyring whose keys are in files."""
    ring = Keyring(DataKeys(control), FileKeys(keks, "one"))
    yield ring
    ring.close()


@pytest.fixture
def server(postgres15: object) -> object:
    """One PostgreSQL is enough: nothing here asks it for what is new."""
    return postgres15
