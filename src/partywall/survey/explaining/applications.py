"""The small applications that the examples of attacks change: sound until then.

Tests load them, change them by an example, and attack them: what a page shows is what they ran.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """A sound database of two tenants, acme and globex.

    Attributes:
        name: in words, as docstrings name it.
        script: what makes it.
        logins: of acme and of globex.
        enter: what makes a transaction that of a tenant; ``{tenant}`` and ``{person}`` stand for
            who enters. "" where the login or the database says it.
        apart: each tenant has a database of its name, which the script makes the tables of.
    """

    name: str
    script: str
    logins: tuple[str, str] = ("app", "app")
    enter: str = ""
    apart: bool = False


TABLE = """\
CREATE TABLE shop.invoices (
  tenant text NOT NULL, id int NOT NULL, number text NOT NULL, status text NOT NULL DEFAULT 'draft',
  note text, PRIMARY KEY (tenant, id)
);
ALTER TABLE shop.invoices OWNER TO keeper;
ALTER TABLE shop.invoices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
"""
ONE_LOGIN = Application(
    "one login",
    f"""\
CREATE ROLE keeper NOLOGIN;
CREATE ROLE app LOGIN;
CREATE SCHEMA shop AUTHORIZATION keeper;
GRANT USAGE ON SCHEMA shop TO app;
{TABLE}\
CREATE POLICY own ON shop.invoices TO app USING (tenant = current_setting('app.tenant', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.invoices TO app;
""",
    enter="SELECT set_config('app.tenant', '{tenant}', true), "
    "set_config('app.person', '{person}', true)",
)
LOGIN_EACH = Application(
    "a login each",
    f"""\
CREATE ROLE keeper NOLOGIN;
CREATE ROLE clerk NOLOGIN;
CREATE ROLE acme LOGIN IN ROLE clerk;
CREATE ROLE globex LOGIN IN ROLE clerk;
CREATE SCHEMA shop AUTHORIZATION keeper;
GRANT USAGE ON SCHEMA shop TO clerk;
{TABLE}\
CREATE POLICY own ON shop.invoices TO clerk USING (tenant = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.invoices TO clerk;
""",
    logins=("acme", "globex"),
)
SCHEMA_EACH = Application(
    "a schema each",
    """\
CREATE ROLE app LOGIN;
CREATE SCHEMA acme;
CREATE SCHEMA globex;
CREATE TABLE acme.orders (id int PRIMARY KEY, memo text NOT NULL);
CREATE TABLE globex.orders (id int PRIMARY KEY, memo text NOT NULL);
GRANT USAGE ON SCHEMA acme, globex TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON acme.orders, globex.orders TO app;
""",
    enter="SET LOCAL search_path = {tenant}, public",
)
DATABASE_EACH = Application(
    "a database each",
    """\
CREATE TABLE contacts (id int PRIMARY KEY, name text NOT NULL);
DO $$ BEGIN
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO %I', current_database());
END $$;
""",
    logins=("acme", "globex"),
    apart=True,
)
SHOP = Application(
    "the shop of the checks",
    """\
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
""",
    enter="SELECT set_config('app.tenant', '{tenant}', true)",
)
APPLICATIONS = {one.name: one for one in (ONE_LOGIN, LOGIN_EACH, SCHEMA_EACH, DATABASE_EACH, SHOP)}
