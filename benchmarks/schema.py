"""A row-security schema of any number of tables, as a careful application would have it.

Tables form small groups like those of a real application: each has a tenant column, a composite
primary key, a composite foreign key to another table of its group, an index led by the tenant
column, forced row security, and ten columns of the usual types. All of it is sound.

    python -m benchmarks.schema 1000 > schema.sql
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres

DATABASE = "bench"
LOGIN = "bench_app"
TENANTS = ("a1111111-1111-4111-8111-111111111111", "b2222222-2222-4222-8222-222222222222")
GROUP = 8
"""So many tables hang together by foreign keys."""

HEAD = f"""\
CREATE ROLE {LOGIN} LOGIN;
CREATE FUNCTION public.current_org() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.org_id', true), '')::uuid;
CREATE TYPE public.state AS ENUM ('draft', 'open', 'done');
CREATE TABLE public.orgs (id uuid PRIMARY KEY, name text NOT NULL);
ALTER TABLE public.orgs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY org ON public.orgs USING (id = (SELECT public.current_org()));
GRANT SELECT ON public.orgs TO {LOGIN};
"""


def schema(tables: int) -> str:
    """The SQL of a schema of *tables* tables, the registry of tenants included."""
    return HEAD + "".join(_table(number) for number in range(1, tables))


def _table(number: int) -> str:
    name = f"public.t{number:04d}"
    parent = "".join(_parent(number))
    return f"""
CREATE TABLE {name} (
    org_id uuid NOT NULL DEFAULT public.current_org() REFERENCES public.orgs (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    body text,
    status public.state NOT NULL DEFAULT 'draft',
    position integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    price numeric(12, 2) CHECK (price >= 0),
    active boolean NOT NULL DEFAULT true,
    due date,
    details jsonb NOT NULL DEFAULT '{{}}',
    created_at timestamptz NOT NULL DEFAULT now(),{parent}
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, title)
);
CREATE INDEX ON {name} (org_id, created_at);
ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY org ON {name} USING (org_id = (SELECT public.current_org()))
    WITH CHECK (org_id = (SELECT public.current_org()));
GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {LOGIN};
"""


def _parent(number: int) -> Iterator[str]:
    """A foreign key to a table made before, in the same group; the first of a group has none."""
    if place := (number - 1) % GROUP:
        parent = number - place + (place - 1) // 2
        yield "\n    parent_id uuid,"
        yield f"\n    FOREIGN KEY (org_id, parent_id) REFERENCES public.t{parent:04d} (org_id, id),"


def load(server: Postgres, tables: int) -> None:
    """Make the schema in a new database of *server*, with the two tenants in its registry."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        admin.execute(f"DROP ROLE IF EXISTS {LOGIN}".encode())
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
    with psycopg.connect(server.url(DATABASE)) as admin:
        admin.execute(schema(tables).encode())
        for number, tenant in enumerate(TENANTS):
            admin.execute("INSERT INTO public.orgs VALUES (%s, %s)", [tenant, f"org {number}"])


def configuration(server: Postgres) -> str:
    """The partywall.toml of an application that uses the schema."""
    lines = ["[database]", f'url = "{server.url(DATABASE)}"']
    for name, tenant in zip(("acme", "globex"), TENANTS, strict=True):
        lines += ["", f"[tenants.{name}]", f'id = "{tenant}"']
        lines += [f'url = "{server.url(DATABASE, LOGIN)}"']
        lines += [f"""enter = ["SELECT set_config('app.org_id', '{tenant}', true)"]"""]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print a row-security schema.")
    parser.add_argument("tables", type=int)
    print(schema(parser.parse_args().tables))
