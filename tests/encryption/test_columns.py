from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from tests.encryption.houses import HOUSES, House, raw
from tests.encryption.keys import ACME, GLOBEX
from partywall import Tenancy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.encryption import Keyring


@pytest.fixture(params=HOUSES)
def home(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[House]:
    yield from housed(request, request.param, tmp_path, keyring)


def housed(
    request: pytest.FixtureRequest, kind: str, folder: Path, keyring: Keyring
) -> Iterator[House]:
    make, on_postgres = HOUSES[kind]
    database = request.getfixturevalue("database") if on_postgres else None
    model, person, url = make(database, folder, "psycopg" if on_postgres else "pysqlite")
    with Tenancy(url, model, guards=[keyring.guard]) as tenancy:
        yield House(tenancy, person, model, url, "")


def test_what_is_written_is_read_and_stands_there_sealed(home: House) -> None:
    Person = home.person
    notes = {"b": [1, None, "ü"], "a": {}}
    with home.tenancy.session(ACME) as session:
        ann = home.new(name="Ann Äpfel", notes=notes, photo=b"\x00\xff")
        bob = home.new(name="Bob", email="bob@example.com")
        session.add_all([ann, bob])
    with home.tenancy.session(ACME) as session:
        found = session.get(Person, ann.id)
        assert (found.name, found.notes, found.photo, found.other) == (
            "Ann Äpfel",
            notes,
            b"\x00\xff",
            None,
        )
        assert session.scalars(select(Person.email).order_by(Person.id)).all()
        [it] = session.scalars(select(Person).where(Person.email_index == "BOB@example.com"))
        assert it.id == bob.id
        it.name = "Robert"
    with home.tenancy.session(ACME) as session:
        names = sorted(row.name for row in session.execute(select(Person.id, Person.name)))
        assert names == ["Ann Äpfel", "Robert"]
        data = session.execute(select(raw(Person.name), raw(Person.email), raw(Person.notes))).all()
        assert all(
            bytes(d).startswith(b"\xffpw\x01")
            for row in data
            for d in row
            if d is not None and d != b"null"
        )
    with home.tenancy.session(GLOBEX) as session:
        assert session.scalars(select(Person)).all() == []
