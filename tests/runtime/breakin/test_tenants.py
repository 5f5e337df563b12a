"""Who may enter: no tenant, empty, unknown, hostile and look-alike ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import DBAPIError

from partywall import Tenancy, TenantContext
from partywall.errors import (
    DeletedTenant,
    InactiveTenant,
    MissingTenant,
    PartywallError,
    TenantMismatch,
    UnknownTenant,
)
from partywall.runtime.directory import CachedDirectory
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House, said

if TYPE_CHECKING:
    from partywall.runtime.directory import Standing
    from partywall.runtime.session import TenantSession

HOSTILE = [
    "../x",
    'a"; drop schema public cascade; --',
    "a'; drop table note; --",
    "a\\'; drop table note; --",
    "acme\n",
    "acme\0",
    " ",
    "x" * 129,
    "аcme",  # noqa: RUF001 - the look-alike is the point
    "ａcme",  # noqa: RUF001 - the look-alike is the point
    "",
    None,
    0,
    True,
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_no_id_makes_no_context(hostile: Any) -> None:  # noqa: ANN401 - anything
    with pytest.raises(MissingTenant):
        TenantContext(hostile)


@pytest.mark.parametrize("instead", [None, "", ACME.tenant_id, {"tenant_id": ACME.tenant_id}])
def test_nothing_but_a_context_opens_a_session(house: House, instead: Any) -> None:  # noqa: ANN401
    with pytest.raises(MissingTenant):
        house.say(instead, "SELECT 1")
    with pytest.raises(MissingTenant), house.tenancy.connection(instead):
        pass
    with pytest.raises(MissingTenant), house.tenancy.plain(instead):
        pass


PLACED = pytest.mark.parametrize("foundation", ["schemas", "roles", "databases"], indirect=True)


@PLACED
@pytest.mark.parametrize(
    "stranger", ["nobody", "PUBLIC", "pg_x", "public", "x" * 36, ACME.tenant_id.upper()]
)
def test_an_unknown_tenant_is_refused(house: House, stranger: str) -> None:
    house.rows(ACME)
    with pytest.raises((UnknownTenant, MissingTenant)):
        house.say(TenantContext(stranger), "SELECT 1")
    house.intact()


@pytest.mark.parametrize("foundation", ["rows"], indirect=True)
def test_row_security_shows_an_unknown_tenant_nothing(house: House) -> None:
    assert house.rows(TenantContext("00000000-0000-0000-0000-00000000000c")) == {}
    with pytest.raises((DBAPIError, PartywallError)):
        house.rows(TenantContext("nobody"))
    house.intact()


@pytest.mark.parametrize("foundation", ["schemas", "roles"], indirect=True)
def test_a_schema_dropped_under_a_live_pool(house: House) -> None:
    model: Any = house.tenancy.isolation
    third = TenantContext("third")
    for statement in model.provision("third", "app"):
        house.foundation.owner(ACME, statement)
    house.foundation.owner(
        third, "CREATE TABLE note (id int, body text); INSERT INTO note VALUES (1, 'third')"
    )
    before = house.backend(ACME)
    for _ in range(8):  # so that the driver has prepared it
        assert house.rows(third) == {1: "third"}
    for statement in model.remove("third", "app"):
        house.foundation.owner(ACME, statement)
    with pytest.raises((DBAPIError, PartywallError)):
        house.rows(third)
    house.foundation.owner(ACME, f'DROP SCHEMA "{model.schema("third")}" CASCADE')
    with pytest.raises(UnknownTenant):
        house.rows(third)
    house.intact()
    del before


STANDINGS: dict[str, Standing | None] = {
    ACME.tenant_id: "active",
    GLOBEX.tenant_id: "suspended",
    "gone": "deleted",
    "new": "provisioning",
}


@pytest.mark.parametrize(
    ("who", "error"),
    [
        (GLOBEX.tenant_id, InactiveTenant),
        ("gone", DeletedTenant),
        ("new", InactiveTenant),
        ("nobody", UnknownTenant),
        (ACME.tenant_id.upper(), UnknownTenant),
    ],
)
def test_the_directory_is_asked_first(house: House, who: str, error: type[PartywallError]) -> None:
    asked = house.tenancy
    house.tenancy = Tenancy(
        asked.grounds.url,
        house.foundation.model,
        connections=1,
        directory=CachedDirectory(STANDINGS.get),
    )
    assert house.rows(ACME) == ROWS[ACME.tenant_id]
    with pytest.raises(error):
        house.say(TenantContext(who), "SELECT 1")
    with pytest.raises(error), house.tenancy.connection(TenantContext(who)):
        pass
    house.close_pool()
    house.tenancy = asked


def test_the_engine_of_a_session_begins_for_nobody(sync_house: House) -> None:
    def act(session: TenantSession) -> Any:  # noqa: ANN401 - an engine
        said(session, "SELECT 1")
        return session.get_bind()

    engine = sync_house.work(ACME, act)
    with engine.connect() as connection, pytest.raises(MissingTenant):
        connection.exec_driver_sql("SELECT 1")
    with pytest.raises(MissingTenant), engine.begin():
        pass
    autocommitting = engine.execution_options(isolation_level="AUTOCOMMIT")
    with pytest.raises((MissingTenant, PartywallError)), autocommitting.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    sync_house.intact()


def test_what_a_raw_connection_leaves_is_taken_back(sync_house: House) -> None:
    engine: Any = sync_house.work(ACME, lambda session: session.get_bind())
    sync_house.rows(ACME)
    raw = engine.raw_connection()
    raw.cursor().execute("SET work_mem = '7MB'")
    raw.close()
    assert sync_house.say(GLOBEX, "SHOW work_mem") != [("7MB",)]
    assert sync_house.say(ACME, "SHOW work_mem") != [("7MB",)]


def test_require_says_who_is_meant(house: House) -> None:
    house.work(ACME, lambda session: session.require(ACME))
    with pytest.raises(TenantMismatch):
        house.work(ACME, lambda session: session.require(GLOBEX))
