"""What `RowSecurity(sealed=True)` creates, surveyed by an attacker who may change the context."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, create_engine

from partywall import RowSecurity, TenantContext
from partywall.isolation.hardening import hardening
from partywall.isolation.sealing import CHALLENGE, INNER, OUTER, install_key, padded
from partywall.runtime.tables import wall
from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, TenantSettings
from tests.runtime.shop import SHARED, Base

if TYPE_CHECKING:
    from partywall.survey.attack import Level
    from tests.conftest import Database

MODEL = RowSecurity(shared=SHARED, sealed=True, key=bytes(range(32)))
ACME, GLOBEX = (TenantContext(uuid.UUID(int=number)) for number in (1, 2))


def sealed(database: Database) -> None:
    """The shop's tables behind sealed walls, owned by a role of their own."""
    metadata = MetaData()
    for table in Base.metadata.sorted_tables:
        table.to_metadata(metadata)
    walls = wall(metadata, MODEL)
    database.execute("CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
    database.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")
    engine = create_engine(database.url("keeper").replace("postgresql:", "postgresql+psycopg:"))
    metadata.create_all(engine)
    engine.dispose()
    for statement in (*walls.grants("app"), *hardening(database.name)):
        database.execute(statement)
    database.connection.execute(*keyed())


def keyed() -> tuple[bytes, list[str]]:
    """The statement that stores the key, and its values."""
    statement, *blocks = install_key(MODEL)
    return statement.encode(), blocks


def proving(tenant: str) -> tuple[str, ...]:
    """What the application says, with the proof worked out in SQL: the survey is given its key."""
    inner, outer = (padded(MODEL.key, pad).hex() for pad in (INNER, OUTER))
    said = f"convert_to('enter {tenant} ' || current_setting('{CHALLENGE}'), 'UTF8')"
    answer = rf"sha256('\x{outer}'::bytea || sha256('\x{inner}'::bytea || {said}))"
    carried = f"current_setting('{MODEL.setting}')"
    return (
        "SELECT partywall.challenge()",
        f"SELECT partywall.enter('{tenant}', encode({answer}, 'hex'))",
        f"SELECT set_config('{MODEL.setting}', {carried}, true)",
    )


@pytest.mark.parametrize("attacker", ["query", "sql", "context"])
def test_it_holds_also_against_injected_sql_that_sets_the_context(
    database: Database, attacker: Level
) -> None:
    sealed(database)
    url = database.url("app")
    tenants = tuple(
        TenantSettings(name, context.tenant_id, url, prove=proving(context.tenant_id))
        for name, context in (("acme", ACME), ("globex", GLOBEX))
    )
    # On the target: a copy of the structure has no key, and nobody could enter there.
    report = audit(Configuration(database.url(), attacker, tenants), place="target")
    assert [(f.name, f.at, f.because) for f in report.findings] == []
    assert [(u.at, u.because) for u in report.undecided] == []
