"""A small sound database to change in one way at a time, and its facts as checks see them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.catalog.reader import snapshot
from partywall.survey.attack import Scene
from partywall.survey.detect import detect
from partywall.survey.identity import Identity
from partywall.survey.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Level
    from partywall.survey.identity import Who
    from tests.conftest import Database

SHOP = """
CREATE ROLE keeper NOLOGIN;
CREATE ROLE clerk NOLOGIN;
CREATE ROLE staff NOLOGIN;
CREATE ROLE guest LOGIN;
CREATE ROLE app LOGIN IN ROLE clerk;
GRANT USAGE, CREATE ON SCHEMA public TO keeper;
GRANT USAGE ON SCHEMA public TO app, guest;
CREATE TABLE currency (code text PRIMARY KEY);
CREATE TABLE invoice (tenant text NOT NULL, id bigint PRIMARY KEY, note text NOT NULL);
CREATE INDEX invoice_tenant ON invoice (tenant);
ALTER TABLE invoice OWNER TO keeper;
ALTER TABLE invoice ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON invoice USING (tenant = (SELECT current_setting('app.tenant', true)));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoice TO app;
"""
TENANTS: Mapping[Who, tuple[str, str]] = {
    "A": ("app", "acme"),
    "B": ("app", "globex"),
    "none": ("guest", ""),
}


def scene(database: Database, *, attacker: Level = "sql", version: int = 0) -> Scene:
    """What checks are asked about: no row is planted, nothing is attempted."""
    identities: dict[Who, Identity] = {
        who: Identity(
            who, who, tenant, login, login, None, database.name, (), ("public",),
            (("app.tenant", tenant),) if tenant else (),
        )
        for who, (login, tenant) in TENANTS.items()
    }  # fmt: skip
    facts = snapshot(database.connection, acting=["app", "guest"])
    if version:
        facts = replace(facts, version=version)
    model = detect(facts, identities)
    return Scene(facts, model, World({}, {}, {}), identities, attacker)
