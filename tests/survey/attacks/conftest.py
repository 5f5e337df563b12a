"""The surveys of a test's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import APPLICATION, Lab
from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from tests.conftest import Database

ONCE_MORE = {("postgres15", "copy"), ("postgres18", "target")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of servers and places not the whole product: each server, and each place, is met once.

    What is surveyed, the copy or the target itself, has nothing to do with the server's version.
    """
    items[:] = [one for one in items if not _met(one)]


def _met(item: pytest.Item) -> bool:
    called = getattr(item, "callspec", None)
    if called is None or not {"server", "place"} <= called.params.keys():
        return False
    if any(m.args[0] == "server" for m in item.iter_markers("parametrize")):
        return False
    return (called.params["server"], called.params["place"]) in ONCE_MORE


@pytest.fixture
def survey(database: Database) -> Survey:
    """Surveys the test's own database."""
    return Survey(database)


@pytest.fixture
def lab(database: Database) -> Lab:
    """The application as it should be; a test adds the leak."""
    database.execute(APPLICATION)
    return Lab(database)
