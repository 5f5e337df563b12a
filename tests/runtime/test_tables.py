"""Walls declared on SQLAlchemy's metadata."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from partywall import Tenancy, TenantContext, TenantMismatch
from partywall.isolation.row_walls import demolish
from tests.blocks import run
from tests.runtime.shop import WALLS, Line, Order, Plan, Product, Setting, Tag, User, built

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)

ACME, GLOBEX = (TenantContext(uuid.UUID(int=number)) for number in (1, 2))


@pytest.fixture
def tenancy(database: Database) -> Iterator[Tenancy]:
    built(database)
    with Tenancy(database.url("app"), WALLS.model) as tenancy:
        yield tenancy


def test_two_tenants_use_the_same_keys_and_values(tenancy: Tenancy) -> None:
    for context in (ACME, GLOBEX):
        with tenancy.session(context) as session:
            order = Order(user=User(email="ann@example.com"), memo=context.tenant_id)
            order.lines = [Line(product=Product(name="pen")), Line(product=Product(name="ink"))]
            session.add_all([order, Setting(name="colour", value="red"), Tag(label="new")])
    for context in (ACME, GLOBEX):
        with tenancy.session(context) as session:
            order = session.scalars(select(Order)).one()
            assert (order.id, order.memo) == (1, context.tenant_id)
            assert sorted(line.product.name for line in order.lines) == ["ink", "pen"]
            assert {line.product_id for line in order.lines} == {1, 2}
            assert session.get(Order, 1) is order
            assert session.get(Order, (uuid.UUID(context.tenant_id), 1)) is order


def test_a_foreign_key_can_t_cross(tenancy: Tenancy) -> None:
    with tenancy.session(GLOBEX) as session:
        session.add(theirs := User(email="bob@example.com"))
    with (
        pytest.raises(IntegrityError, match="foreign key"),
        tenancy.session(ACME) as session,
    ):
        session.add(Order(user_id=theirs.id))


def test_deleting_what_is_referred_to_empties_the_key_and_keeps_the_tenant(
    tenancy: Tenancy,
) -> None:
    with tenancy.session(ACME) as session:
        session.add(Order(user=User(email="ann@example.com")))
    with tenancy.session(ACME) as session:
        session.execute(text("DELETE FROM users"))
        assert session.scalars(select(Order.user_id)).all() == [None]


def test_a_row_of_another_tenant_can_be_neither_written_nor_moved(tenancy: Tenancy) -> None:
    moved = text("UPDATE settings SET tenant_id = :other")
    with tenancy.session(ACME) as session:
        session.add(Setting(name="colour", value="red"))
    for attempt in (
        text("INSERT INTO settings VALUES (:other, 'a', 'b')"),
        moved,
    ):
        with (
            pytest.raises(DBAPIError, match="row-level security"),
            tenancy.session(ACME) as session,
        ):
            session.execute(attempt, {"other": GLOBEX.tenant_id})
    with tenancy.session(ACME) as session:
        session.execute(moved, {"other": ACME.tenant_id})


def test_the_key_of_another_tenant_is_refused_before_it_is_looked_up(tenancy: Tenancy) -> None:
    with tenancy.session(ACME) as session, pytest.raises(TenantMismatch):
        session.get(Order, (uuid.UUID(GLOBEX.tenant_id), 1))
    with tenancy.session(ACME) as session, pytest.raises(TenantMismatch):
        session.get(Order, {"tenant_id": uuid.UUID(GLOBEX.tenant_id), "id": 1})


def test_without_a_tenant_the_server_raises(database: Database, tenancy: Tenancy) -> None:
    with tenancy.session(ACME) as session:
        session.add(Setting(name="colour", value="red"))
    for before in ("", "SET app.tenant_id = '';"):
        with pytest.raises(Exception, match=r"no tenant is set in app\.tenant_id"):
            database.rows(f"{before} SELECT * FROM settings", user="app")


def test_every_tenant_reads_the_shared_tables_and_none_writes_them(
    database: Database, tenancy: Tenancy
) -> None:
    database.execute("INSERT INTO plans (name) VALUES ('free')")
    with tenancy.session(ACME) as session:
        assert session.scalars(select(Plan.name)).all() == ["free"]
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        tenancy.session(ACME) as session,
    ):
        session.add(Plan(name="mine"))


def test_the_login_has_rows_and_nothing_of_the_structure(tenancy: Tenancy) -> None:
    for statement in ("TRUNCATE settings", "ALTER TABLE settings DISABLE ROW LEVEL SECURITY"):
        with pytest.raises(DBAPIError), tenancy.session(ACME) as session:
            session.execute(text(statement))


def test_uniques_and_indexes_are_led_by_the_tenant(database: Database, tenancy: Tenancy) -> None:
    with tenancy.connection(ACME) as connection:
        looked = inspect(connection)
        for table in ("users", "orders", "lines", "tags"):
            keys = [looked.get_pk_constraint(table)["constrained_columns"]]
            keys += [u["column_names"] for u in looked.get_unique_constraints(table)]
            led = {columns[0] for columns in keys}
            led |= {index["column_names"][0] or "" for index in looked.get_indexes(table)}
            assert led == {"tenant_id"}, table
    assert database.rows("SELECT count(*) FROM pg_policies WHERE tablename <> 'plans'")[0][0] == 8


def test_the_statements_build_what_create_all_builds(database: Database, tenancy: Tenancy) -> None:
    del tenancy
    policies = "SELECT * FROM pg_policies ORDER BY 1, 2, 3"
    flags = "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class ORDER BY 1"
    before = database.rows(policies), database.rows(flags)
    for table in WALLS.owned:
        for statement in demolish(WALLS.model, table):
            database.execute(statement)
    assert len(database.rows(policies)) == 1  # that of the counters
    for statement in WALLS.statements():
        database.execute(statement)
    assert (database.rows(policies), database.rows(flags)) == before


def test_the_page_of_sqlalchemy(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute("CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
    database.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")
    for name, user in (("OWNER", "keeper"), ("ADMIN", "postgres"), ("DATABASE", "app")):
        address = database.url(user).replace("postgresql:", "postgresql+psycopg:")
        monkeypatch.setenv(f"{name}_URL", address)
    run("how-to/sqlalchemy.md")
    assert capsys.readouterr().out.splitlines() == ["ann@example.com 1", "TenantMismatch", "1 1"]
