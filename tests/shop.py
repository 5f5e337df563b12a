"""A small shop whose tables end each in another way, and a test database that holds it."""

from __future__ import annotations

from tests.blocks import blocks
from tests.conftest import Database

PAGE = "how-to/pytest.md"
SOUND = """
CREATE ROLE app LOGIN;
CREATE TABLE notes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id text NOT NULL DEFAULT current_setting('app.tenant'), body text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = current_setting('app.tenant', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
"""
LEAKY = """
CREATE TABLE orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id text NOT NULL, article text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybodys ON orders FOR SELECT USING (true);
GRANT SELECT ON orders TO app;

CREATE TABLE users (tenant_id text NOT NULL, email text PRIMARY KEY);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (tenant_id = current_setting('app.tenant', true));
GRANT SELECT, INSERT ON users TO app;

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'only the night job may write here'; END $$;
CREATE TABLE nightly (tenant_id text NOT NULL, total int NOT NULL);
CREATE TRIGGER refused BEFORE INSERT ON nightly FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE nightly ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON nightly USING (tenant_id = current_setting('app.tenant', true));
GRANT SELECT, INSERT ON nightly TO app;
"""
ACCEPTED = """
[[exceptions]]
finding = "unique-across-tenants"
at = "public.users.email"
because = "addresses are global"
"""


def declared(database: Database, *, administrator: str | None = None) -> str:
    """The page's partywall.toml for *database*; with another administrator's url, or none."""
    [told] = blocks(PAGE, "toml")
    page, _, rest = told.partition("[tenants.acme]")
    tenants = f"[tenants.acme]{rest}".replace(
        "postgresql://app@127.0.0.1/test_shop", database.url("app")
    )
    assert database.url("app") in tenants
    assert page.startswith("[database]")
    url = database.url() if administrator is None else administrator
    return f'[database]\nurl = "{url}"\n{tenants}' if url else tenants
