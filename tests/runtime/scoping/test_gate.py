"""Break-in attempts with SQL of the attacker's own, through every door of SQLAlchemy."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from partywall import (
    ConfigurationError,
    MissingTenantFilter,
    ScopedQueries,
    Tenancy,
    TenantMismatch,
)
from partywall.runtime.events import Observer
from partywall.runtime.scoping.gate import objection, requirement
from partywall.runtime.scoping.requirement import Requirement
from tests.runtime.scoping.shop import ACME, GLOBEX, MINE, MODEL, THEIRS, Line, Note, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Table

    from partywall import PartywallError, TenantContext
    from partywall.runtime.scoping import ScopedSession
    from tests.runtime.scoping.shop import Shop

note, line = cast("Table", Note.__table__), cast("Table", Line.__table__)
MINE_TEXT = text("SELECT body FROM note WHERE tenant_id = :mine").bindparams(
    bindparam("mine", MINE)
)


def written(session: ScopedSession) -> Sequence[str]:
    session.execute(insert(note).values(tenant_id=MINE, id=3, body="a3"))
    session.execute(insert(note), [{"tenant_id": MINE, "id": n, "body": "x"} for n in (4, 5)])
    session.execute(note.delete().where(note.c.tenant_id == MINE, note.c.id > 2))
    return session.scalars(select(note.c.body).where(note.c.tenant_id == MINE)).all()


ALLOWED: dict[str, Callable[[ScopedSession], Any]] = {
    "text": lambda s: s.scalars(MINE_TEXT).all(),
    "from_statement": lambda s: [
        n.body
        for n in s.scalars(
            select(Note).from_statement(
                text("SELECT * FROM note WHERE tenant_id = :mine").bindparams(
                    bindparam("mine", MINE)
                )
            )
        )
    ],
    "core": lambda s: s.scalars(select(note.c.body).where(note.c.tenant_id == MINE)).all(),
    "connection": lambda s: s.connection().execute(MINE_TEXT).scalars().all(),
    "core writes": written,
}


@pytest.mark.parametrize("door", ALLOWED)
def test_a_statement_that_ties_itself_passes(shop: Shop, door: str) -> None:
    assert set(shop.as_acme(ALLOWED[door])) == {"a1", "a2"}


UNTIED: dict[str, Callable[[ScopedSession], Any]] = {
    "core select": lambda s: s.execute(select(note)),
    "core select through its connection": lambda s: s.connection().execute(select(note)),
    "core update": lambda s: s.execute(update(note).values(body="x")),
    "insert": lambda s: s.execute(text("INSERT INTO note (id, body) VALUES (5, 'x')")),
    "insert of many": lambda s: s.execute(
        text("INSERT INTO note (id, body) VALUES (:id, 'x')"), [{"id": 5}, {"id": 6}]
    ),
    "join of another": lambda s: s.execute(
        select(note).join(line, line.c.id == note.c.id).where(note.c.tenant_id == MINE)
    ),
    "text": lambda s: s.execute(text("SELECT * FROM note")),
    "from_statement": lambda s: s.scalars(select(Note).from_statement(text("SELECT * FROM note"))),
    "the driver's own": lambda s: s.connection().exec_driver_sql("SELECT * FROM note"),
    "literal text in an ORM query": lambda s: s.scalars(
        select(Note).where(text("1 = 1) UNION (SELECT * FROM note"))
    ),
    "a union of text": lambda s: s.scalars(
        select(Note).where(text("1 = 1 UNION SELECT 1, 2, body, 4, 5 FROM note"))
    ),
    "or": lambda s: s.scalars(select(Note).where(text("1 = 2 OR 1 = 1"))),
    "a comment": lambda s: s.scalars(select(Note).where(text("1 = 1 OR 1 = 1 --"))),
    "a second statement": lambda s: s.execute(text("SELECT 1; DELETE FROM note")),
    "a setting": lambda s: s.execute(text("SELECT set_config('a.b', 'c', false)")),
    "DDL": lambda s: s.execute(text("DROP TABLE note")),
    "a savepoint of another kind": lambda s: s.execute(text("SAVEPOINT x; SELECT * FROM note")),
    "no_parameters": lambda s: s.connection(
        execution_options={"no_parameters": True}
    ).exec_driver_sql("SELECT 1"),
}


@pytest.mark.parametrize("attempt", UNTIED)
def test_what_is_not_tied_is_not_sent(shop: Shop, attempt: str) -> None:
    with pytest.raises(MissingTenantFilter) as refusal:
        shop.as_acme(UNTIED[attempt])
    assert "not sent" in str(refusal.value)
    assert shop.notes(THEIRS) == {1: "b1", 2: "b2", 9: "b9"}


MISMATCHED: dict[str, Callable[[ScopedSession], Any]] = {
    "a parameter": lambda s: s.execute(select(note).where(note.c.tenant_id == THEIRS)),
    "a constant": lambda s: s.execute(text(f"SELECT * FROM note WHERE tenant_id = '{THEIRS}'")),
    "another besides": lambda s: s.execute(
        select(note).where(note.c.tenant_id == MINE, note.c.tenant_id == THEIRS)
    ),
    "one row of many": lambda s: s.execute(
        insert(note), [{"tenant_id": t, "id": 5, "body": "x"} for t in (MINE, THEIRS)]
    ),
    "values": lambda s: s.execute(
        insert(note).values([{"tenant_id": t, "id": 5, "body": "x"} for t in (MINE, THEIRS)])
    ),
    "NULL": lambda s: s.execute(
        text("INSERT INTO note (tenant_id, id) VALUES (:t, 5)"), {"t": None}
    ),
    "a move": lambda s: s.execute(
        update(note).where(note.c.tenant_id == MINE).values(tenant_id=THEIRS)
    ),
}


@pytest.mark.parametrize("attempt", MISMATCHED)
def test_what_names_another_tenant_is_not_sent(shop: Shop, attempt: str) -> None:
    with pytest.raises(TenantMismatch):
        shop.as_acme(MISMATCHED[attempt])
    assert shop.notes(THEIRS) == {1: "b1", 2: "b2", 9: "b9"}


def test_the_same_statement_of_another_tenant_is_held_to_that_tenant(shop: Shop) -> None:
    assert set(shop.as_acme(ALLOWED["text"])) == {"a1", "a2"}
    with pytest.raises(TenantMismatch):
        shop.as_tenant(GLOBEX, ALLOWED["text"])


def test_savepoints_of_the_session_pass(shop: Shop) -> None:
    def work(session: ScopedSession) -> None:
        with session.begin_nested():
            session.get_one(Note, 1).body = "kept"
        with session.begin_nested() as savepoint:
            session.get_one(Note, 2).body = "lost"
            session.flush()
            savepoint.rollback()

    shop.as_acme(work)
    assert shop.notes(MINE) == {1: "kept", 2: "a2"}


@pytest.mark.parametrize("driver", ["sqlite://", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_the_ways_round_sqlalchemy_are_closed(driver: str) -> None:
    tenancy = Tenancy(driver, MODEL)
    for way in (tenancy.plain, tenancy.batch):
        with pytest.raises(ConfigurationError, match="goes round it"), way(ACME):
            pass

    async def main() -> None:
        for way in (tenancy.async_plain, tenancy.async_batch):
            with pytest.raises(ConfigurationError, match="goes round it"):
                async with way(ACME):
                    pass

    asyncio.run(main())


class Told(Observer):
    def __init__(self) -> None:
        self.errors: list[PartywallError] = []

    def refused(self, context: TenantContext | None, error: PartywallError) -> None:
        assert context == ACME
        self.errors.append(error)


def test_the_observer_is_told_and_the_message_holds_no_value(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    opened(url, asynchronous=False).plain.dispose()
    told = Told()
    with (
        Tenancy(url, MODEL, observer=told) as tenancy,
        pytest.raises(MissingTenantFilter) as refusal,
        tenancy.connection(ACME) as connection,
    ):
        connection.execute(text("SELECT * FROM note n WHERE body = 'secret' OR id = :s"), {"s": 77})
    assert told.errors == [refusal.value]
    assert "note AS n is not tied" in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert "77" not in str(refusal.value)


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "CREATE TEMP TABLE t (a)",
        "CREATE TABLE t (a)",
        "PRAGMA writable_schema = ON",
        "DROP TABLE note",
    ],
)
def test_sqlite_itself_keeps_the_drivers_cursor_in_the_file(statement: str, tmp_path: Path) -> None:
    shop = opened(f"sqlite:///{tmp_path}/shop.db", asynchronous=False)
    with shop.tenancy, shop.tenancy.session(ACME) as session:
        driver: Any = session.connection().connection.dbapi_connection
        with pytest.raises((sqlite3.DatabaseError, DatabaseError), match="authoriz"):
            driver.execute(statement)
    shop.plain.dispose()


READ_DIFFERENTLY = [
    "SELECT * FROM note -- \r WHERE tenant_id = 'acme'",
    "SELECT * FROM note /* /* */ WHERE tenant_id = 'acme' -- */",
    "SELECT * FROM note WHERE body = E'\\' OR 1 = 1 -- ' AND tenant_id = 'acme'",
    "SELECT id[' ] , (SELECT body FROM note) --'] FROM note WHERE tenant_id = 'acme'",
    "SELECT id `x` FROM note WHERE tenant_id = 'acme'",
    "SELECT $a$ ' $a$ FROM note WHERE tenant_id = 'acme'",
    "SELECT * FROM note WHERE tenant_id = 'acme' \0",
    "SELECT * FROM note WHERE tenant_id = ?1",
    "SELECT * FROM note WHERE tenant_id = :mine",
    f'SELECT * FROM note AS "{"n" * 64}" WHERE tenant_id = ?',
    "SELECT * FROM note \ufeff WHERE tenant_id = 'acme'",
    "REPLACE INTO note (tenant_id, id) VALUES ('acme', 1)",
    "INSERT OR REPLACE INTO note (tenant_id, id) VALUES ('acme', 1)",
    "PRAGMA table_info(note)",
    "VACUUM INTO '/tmp/copy.db'",
]


@pytest.mark.parametrize("statement", READ_DIFFERENTLY)
def test_what_sqlite_reads_differently_is_refused(statement: str) -> None:
    assert requirement(statement, MODEL, "qmark").refusal


@pytest.mark.parametrize(
    ("statement", "style", "places"),
    [
        ("SELECT '?', \"?\" -- ?\n FROM note WHERE id = ? AND tenant_id = ?", "qmark", (1,)),
        ("SELECT 'it''s ?' /* ? */ FROM note WHERE tenant_id=?AND id=?", "qmark", (0,)),
        ("SELECT * FROM note WHERE id = %(b)s AND tenant_id = %(a)s", "pyformat", ("a",)),
        ("SELECT * FROM note WHERE id = %s AND tenant_id = %s", "pyformat", (1,)),
        ("SELECT id %% 2 FROM note WHERE tenant_id = %(a)s::UUID", "pyformat", ("a",)),
        ("SELECT '%%(b)s' FROM note WHERE tenant_id = %(a)s", "pyformat", ("a",)),
        ("SELECT $q$ $2 $q$ FROM note WHERE id = $1 AND tenant_id = $2", "numeric_dollar", (1,)),
    ],
)
def test_placeholders_are_found_as_the_driver_finds_them(
    statement: str, style: str, places: tuple[str | int, ...]
) -> None:
    assert requirement(statement, MODEL, style) == Requirement(places)


def test_a_lone_percent_and_other_styles_are_refused() -> None:
    assert requirement("SELECT 1 % 2", MODEL, "pyformat").refusal
    assert requirement("SELECT 1", MODEL, "named").refusal


@pytest.mark.parametrize("value", [True, 1.0, b"1", None, "01", [1], type("S", (str,), {})("1")])
def test_only_the_id_itself_is_the_tenant(value: object) -> None:
    needed = Requirement((0,))
    assert objection(needed, ((1,), ("1",)), "1") is None
    assert isinstance(objection(needed, ((value,),), "1"), TenantMismatch)
    assert isinstance(objection(needed, ((),), "1"), MissingTenantFilter)


def test_functions_and_tables_can_be_named() -> None:
    model = ScopedQueries(shared={"pg_catalog.pg_type"}, functions={"nextval"})
    for statement in ("SELECT nextval('s')", "SELECT * FROM pg_catalog.pg_type"):
        assert requirement(statement, MODEL, "numeric_dollar").refusal
        assert not requirement(statement, model, "numeric_dollar").refusal
