"""A schema or a database for each tenant, and what differs from the majority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.survey.configuration import Configuration, TenantSettings
from partywall.survey.fleet.survey import survey
from tests.survey.fleet.houses import NAMES, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


def test_schemas_of_their_own_are_held(database: Database) -> None:
    report = survey(schemas(database), workers=2)
    assert (report.verdict, report.findings, report.undecided, report.advice) == (
        "held",
        (),
        (),
        (),
    )
    assert report.fleet is not None
    assert (report.fleet.tenants, report.fleet.pairs) == (6, 30)
    assert report.cells == {("orders", "read"): "held", ("notes", "read"): "held"}


def test_a_grant_too_many_is_found_and_is_drift(database: Database) -> None:
    broken = (
        "GRANT USAGE ON SCHEMA shop_e TO app_shop_c;"
        "GRANT SELECT, DELETE ON shop_e.orders TO app_shop_c"
    )
    report = survey(schemas(database, broken), workers=2)
    found = {(one.at, one.effect): one for one in report.findings}
    assert set(found) == {("orders", "read"), ("orders", "destroy")}
    read = found["orders", "read"]
    assert (read.attacker, read.victim) == ("c", "shop_e")
    assert read.witness[0].sql == "SELECT count(*) FROM shop_e.orders"
    assert read.witness[0].returned == "1"
    assert "REVOKE ALL ON SCHEMA" in read.fix
    (drift,) = report.undecided
    assert (drift.name, drift.at) == ("tenant-drift", "schema shop_e")
    assert "+ grant on orders: SELECT to app_shop_c" in drift.because
    assert "not built as 5 others are" in drift.because


def test_a_right_to_change_alone_is_found(database: Database) -> None:
    broken = (
        "GRANT USAGE ON SCHEMA shop_e TO app_shop_c;"
        "GRANT UPDATE (title) ON shop_e.orders TO app_shop_c"
    )
    (found,) = survey(schemas(database, broken), workers=1).findings
    assert (found.name, found.effect, found.attacker) == ("change-row", "write", "c")
    assert found.witness[0].sql == "UPDATE shop_e.orders SET title = DEFAULT WHERE false"


def test_what_holds_no_walls_is_advice(database: Database) -> None:
    report = survey(schemas(database, "ALTER TABLE shop_b.orders ADD note text"), workers=2)
    assert report.verdict == "held"
    (advice,) = report.advice
    assert advice.at == "schema shop_b"
    assert "+ column orders.note: text" in advice.because


def test_a_name_that_leads_to_another_tenant_is_found(database: Database) -> None:
    """One login: the search_path is the wall, and the fourth's leads on."""
    told = schemas(database, "DROP TABLE shop_d.notes", one_login=True)
    a, b = told.tenants
    fleet = type(told.fleet)(
        "SELECT right(nspname, 1) AS id, CASE nspname WHEN 'shop_d' THEN 'shop_e' ELSE nspname END "
        "AS beside FROM pg_namespace WHERE nspname LIKE 'shop\\__'",
        ("SET LOCAL search_path = 'shop_{id}', {beside}",),
    )
    report = survey(Configuration(told.url, tenants=(a, b), fleet=fleet), workers=1)
    (found,) = report.findings
    assert (found.name, found.attacker, found.victim, found.at) == (
        "fall-through", "d", "shop_e", "notes",
    )  # fmt: skip
    assert any("one login serves all schemas" in line for line in report.left)


@pytest.fixture
def databases(database: Database) -> Iterator[Configuration]:
    """A database and a login for each of three shops; only its own lets it in."""
    names = NAMES[:3]
    for name in names:
        database.execute(f"CREATE ROLE {name} LOGIN")
        database.execute(f"CREATE DATABASE {name}")
        database.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
        database.execute(f"GRANT CONNECT ON DATABASE {name} TO {name}")
        with psycopg.connect(database.server.url(name), autocommit=True) as connection:
            connection.execute("CREATE TABLE orders (id int)")
    tenants = tuple(
        TenantSettings(name, name[-1], database.server.url(name, name)) for name in names[:2]
    )
    yield Configuration(database.url(), tenants=tenants)
    for name in names:
        database.execute(f"DROP DATABASE {name}")


def test_databases_of_their_own(databases: Configuration, database: Database) -> None:
    report = survey(databases, workers=1)
    assert (report.verdict, report.undecided) == ("held", ())
    assert report.fleet is not None
    assert report.fleet.tenants == 3
    database.execute("GRANT CONNECT ON DATABASE shop_a TO shop_c")
    (found,) = survey(databases, workers=1).findings
    assert (found.name, found.effect, found.attacker, found.victim) == (
        "cross-database", "detect", "c", "shop_a",
    )  # fmt: skip
    assert found.witness[0].returned == "orders"
