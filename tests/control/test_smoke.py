"""The smoke survey of a new tenant: each wall that doesn't hold is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, Text, text

from partywall import FilePerTenant, TenantContext
from partywall.control.provisioning.sites.scoped_queries import ScopedQueriesSite
from partywall.errors import PartywallError, WorkError
from partywall.isolation.naming import identifier, physical_name
from partywall.runtime.scoping import gate
from tests.control.lodgings import KINDS, lodging, tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from partywall.control.provisioning.building import Building
    from partywall.control.tenants import Tenant
    from tests.conftest import Database
    from tests.control.lodgings import Lodging

ALL = list(KINDS)


@pytest.fixture
def house(kind: str, tmp_path: Path, database: Database) -> Iterator[Lodging]:
    with lodging(kind, tmp_path, database) as found:
        yield found


def made(building: Building) -> Tenant:
    """A tenant whose place is ready for the survey."""
    new = tenant()
    for step in building.provisioning()[:3]:
        step.do(new)
    return new


def smoke(building: Building, new: Tenant) -> dict[str, object]:
    return dict(building.provisioning()[3].do(new))


@pytest.mark.parametrize("kind", ALL)
def test_sound_walls_hold_and_nothing_is_left_of_the_survey(house: Lodging) -> None:
    new = made(house.building)
    for _ in range(2):
        assert smoke(house.building, new)["tables"] == 2
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["schemas", "databases"])
def test_the_survey_counts_no_sequence_on(house: Lodging) -> None:
    new = made(house.another(seed=None))
    smoke(house.building, new)
    house.row(new, "second")
    with house.tenancy.session(TenantContext(new.id)) as session:
        numbered = session.execute(text("INSERT INTO customers (name) VALUES ('x') RETURNING id"))
        assert numbered.scalar_one() == 1


FAIL_OPEN = """
CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('app.tenant_id', true), ''), '{id}')::uuid $$
"""
# The wall that is taken down, and what is said. {own} is the tenant's place.
WEAK = [
    ("rows", "ALTER TABLE customers DISABLE ROW LEVEL SECURITY", "no row security"),
    ("rows", "ALTER TABLE orders NO FORCE ROW LEVEL SECURITY", "does not hold its owner"),
    ("rows", "ALTER POLICY partywall_own ON customers USING (true)", "a stranger met"),
    ("rows", "ALTER POLICY partywall_own ON customers WITH CHECK (true)", "a stranger could"),
    ("rows", "CREATE POLICY open ON customers FOR INSERT WITH CHECK (true)", "a stranger could"),
    ("rows", "CREATE POLICY open ON customers FOR DELETE USING (true)", "a stranger met"),
    ("rows", "CREATE POLICY open ON customers FOR UPDATE USING (true)", "a stranger met"),
    (
        "rows",
        FAIL_OPEN,
        "nobody could",
    ),
    ("rows", "REVOKE SELECT ON orders FROM app", "may not read"),
    ("rows", "ALTER TABLE orders RENAME TO former", "is missing"),
    ("rows", "REVOKE INSERT ON customers, orders FROM app", "no row of ours"),
    ("schemas", "DROP TABLE {own}.orders; CREATE TABLE public.orders (id int)", "is missing"),
    ("schemas", "REVOKE SELECT ON {own}.customers FROM app", "may not read"),
    ("schemas", "REVOKE INSERT ON ALL TABLES IN SCHEMA {own} FROM app", "no row of ours"),
    (
        "roles",
        "GRANT USAGE ON SCHEMA {own} TO app; GRANT SELECT ON {own}.customers TO app",
        "the login could reach",
    ),
    (
        "roles",
        "GRANT USAGE ON SCHEMA {own} TO {other}; GRANT SELECT ON {own}.customers TO {other}",
        "another tenant's role could reach",
    ),
    ("databases", "GRANT CONNECT ON DATABASE {own} TO PUBLIC", "PUBLIC may connect"),
    ("logins", "GRANT CONNECT ON DATABASE {own} TO app", "app may connect"),
    ("scoped", "REVOKE SELECT ON orders FROM app", "can't read its table"),
    ("scoped", "REVOKE INSERT ON customers FROM app", "can't insert and read"),
    ("scoped", "ALTER TABLE orders RENAME TO former", "can't read its table"),
]


@pytest.mark.parametrize(("kind", "statement", "said"), WEAK)
def test_a_wall_that_does_not_hold_is_found(house: Lodging, statement: str, said: str) -> None:
    assert house.database is not None
    other, new = made(house.building), made(house.building)
    names = {
        "own": identifier(physical_name(new.id)),
        "other": identifier(physical_name(other.id)),
        "id": other.id,
    }
    smoke(house.building, other)
    house.tenancy.close()  # the login is vetted with each new pool of connections
    building = house.another()
    house.database.execute(statement.format(**names))
    with pytest.raises(PartywallError, match=said):
        smoke(building, new)


@pytest.mark.parametrize("kind", ["schemas"])
def test_a_table_of_the_same_name_in_public_is_never_met(house: Lodging) -> None:
    assert house.database is not None
    house.database.execute("CREATE TABLE public.customers (id int, name text)")
    house.database.execute("INSERT INTO public.customers VALUES (1, 'nobody''s')")
    house.database.execute(
        "GRANT ALL ON public.customers TO app; GRANT USAGE ON SCHEMA public TO app"
    )
    new = made(house.building)
    smoke(house.building, new)
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["files"])
def test_a_file_that_others_may_open_is_found(house: Lodging) -> None:
    assert isinstance(house.model, FilePerTenant)
    new = made(house.building)
    Path(house.model.path(new.id)).chmod(0o644)
    with pytest.raises(WorkError, match="other accounts"):
        smoke(house.building, new)


@pytest.mark.parametrize("kind", ["files"])
def test_a_file_without_its_tables_is_found(house: Lodging) -> None:
    newer = MetaData()
    Table("later", newer, Column("id", Integer, primary_key=True))
    new = made(house.building)
    with pytest.raises(WorkError, match="lacks the tables later"):
        smoke(house.another(schema=newer), new)


@pytest.mark.parametrize("kind", ["scoped", "scoped_sqlite"])
def test_a_statement_that_is_let_through_is_found(
    house: Lodging, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = made(house.building)
    monkeypatch.setattr(gate, "objection", lambda *_: None)
    with pytest.raises(WorkError, match="was sent"):
        smoke(house.building, new)


@pytest.mark.parametrize("kind", ["scoped_sqlite"])
def test_a_column_that_takes_two_tenants_for_one_is_found(
    house: Lodging, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = made(house.building)
    site: Any = house.building._site  # noqa: SLF001 - what it is asked
    assert isinstance(site, ScopedQueriesSite)
    monkeypatch.setattr(ScopedQueriesSite, "tied", lambda *_: " WHERE tenant_id IS NOT NULL")
    with pytest.raises(WorkError, match="for the same"):
        smoke(house.building, new)


def refusing() -> MetaData:
    metadata = MetaData()
    Table(
        "picky",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("word", Text, CheckConstraint("word = 'right'"), nullable=False),
    )
    return metadata


@pytest.mark.parametrize("kind", ["schemas", "databases", "files"])
def test_what_cannot_be_shown_is_a_failure_and_says_the_mend(house: Lodging) -> None:
    def canary(connection: Connection) -> str:
        connection.execute(text("INSERT INTO picky (id, word) VALUES (1, 'right')"))
        return "picky"

    building = house.another(schema=refusing(), seed=None)
    new = made(building)
    with pytest.raises(WorkError, match="Building\\(canary="):
        smoke(building, new)
    shown = house.another(schema=refusing(), seed=None, canary=canary)
    assert smoke(shown, new)["canary"] == "picky"


@pytest.mark.parametrize("kind", ["schemas", "databases", "files"])
def test_a_place_without_a_table_shows_nothing(house: Lodging) -> None:
    building = house.another(schema=MetaData(), seed=None)
    with pytest.raises(WorkError, match="no table"):
        smoke(building, made(building))
