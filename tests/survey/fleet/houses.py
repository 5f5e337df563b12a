"""Databases of many tenants, sound ones: each test breaks one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.configuration import Configuration, FleetSettings, TenantSettings
from partywall.survey.fleet.survey import survey

if TYPE_CHECKING:
    from partywall.survey.verdict import Report
    from tests.conftest import Database

ROWS = """
CREATE ROLE app LOGIN;
CREATE TABLE tenants (id int PRIMARY KEY, name text);
CREATE TABLE orders (
    tenant_id int NOT NULL REFERENCES tenants, id int GENERATED ALWAYS AS IDENTITY, title text,
    PRIMARY KEY (tenant_id, id), UNIQUE (id)
);
CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL REFERENCES orders (id), what text);
INSERT INTO tenants SELECT n, 'tenant ' || n FROM generate_series(1, 6) n;
INSERT INTO orders (tenant_id, title) SELECT id, 'an order' FROM tenants;
INSERT INTO lines SELECT id, id, 'a line' FROM orders;
CREATE VIEW titles WITH (security_invoker = true) AS SELECT tenant_id, title FROM orders;
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = (SELECT current_setting('app.tenant')::int));
CREATE POLICY own ON orders USING (tenant_id = (SELECT current_setting('app.tenant')::int));
CREATE POLICY own ON lines USING (EXISTS (SELECT FROM orders o WHERE o.id = order_id));
GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
"""
NAMES = tuple(f"shop_{letter}" for letter in "abcdef")


def entered(database: Database, **more: Any) -> Configuration:  # noqa: ANN401 - fields of it
    """Row security by the setting ``app.tenant``, with two tenants declared."""
    tenants = tuple(
        TenantSettings(
            f"t{id_}",
            id_,
            database.url("app"),
            (f"SELECT set_config('app.tenant', '{id_}', true)",),
        )
        for id_ in ("1", "2")
    )
    return Configuration(database.url(), tenants=tenants, **more)


def rows(database: Database, **more: Any) -> Report:  # noqa: ANN401 - options of `survey`
    """Let each tenant of `ROWS` at all others."""
    return survey(entered(database), workers=2, **more)


def schemas(database: Database, broken: str = "", *, one_login: bool = False) -> Configuration:
    """A schema and, unless *one_login*, a login for each of six shops."""
    for name in NAMES:
        login = "app" if one_login else f"app_{name}"
        database.execute(
            f"DO $$ BEGIN CREATE ROLE {login} LOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
            f"CREATE SCHEMA {name}; GRANT USAGE ON SCHEMA {name} TO {login};"
            f"CREATE TABLE {name}.orders (id int PRIMARY KEY, title text NOT NULL);"
            f"CREATE TABLE {name}.notes (id int PRIMARY KEY);"
            f"INSERT INTO {name}.orders VALUES (1, 'of {name}');"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {login};"
        )
    database.execute(broken or "SELECT 1")
    tenants = tuple(
        TenantSettings(
            name, name[-1], database.url("app" if one_login else f"app_{name}"),
            (f"SET LOCAL search_path = {name}, public",),
        )
        for name in NAMES[:2]
    )  # fmt: skip
    return Configuration(database.url(), tenants=tenants, fleet=FleetSettings())
