"""The server that every contender works on: the same rows, behind each contender's walls.

Each tenant has `KEYS` notes whose body is the tenant's id, in a shared table for each contender
that has walls of rows, and in a schema of its own for those that have walls of schemas.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from benchmarks.runtime.contenders.walled import MODELS
from benchmarks.runtime.tenants import KEYS, LOGIN, tenant
from partywall import RowSecurity, SchemaPerTenant
from partywall.isolation.hardening import hardening
from partywall.isolation.row_walls import build, context_function, grants
from partywall.isolation.sealing import install_key
from partywall.servers import Binaries, Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "bench"
STOCK = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
    "jit": "on", "max_locks_per_transaction": "256",
}  # fmt: skip
TABLE = """
CREATE TABLE public.{name} (
    {column} {type} NOT NULL, id integer NOT NULL, body text NOT NULL, PRIMARY KEY ({column}, id)
);
INSERT INTO public.{name} SELECT t::{type}, k, t
    FROM unnest('{{{tenants}}}'::text[]) AS t, generate_series(1, {keys}) AS k;
GRANT SELECT ON public.{name} TO {login};
"""
WALLED = """
ALTER TABLE public.{name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON public.{name} USING ({condition});
"""
# As `sqlalchemy_tenants.core` writes it into migrations.
ROLE_FUNCTION = """
CREATE FUNCTION public.sqlalchemy_tenants_get_tenant() RETURNS text
    LANGUAGE sql SECURITY INVOKER STABLE AS
    $$ SELECT replace(current_user, 'tenant_', '') $$;
"""
SHARED = (
    ("rows_bare", "tenant_id", "uuid", ""),
    ("rows_partywall", "tenant_id", "uuid", ""),
    ("rows_sealed", "tenant_id", "uuid", ""),
    ("rows_fastapi_tenancy", "tenant_id", "text",
     "tenant_id = current_setting('app.current_tenant', TRUE)"),
    ("rows_sqlalchemy_tenants", "tenant", "uuid",
     "tenant = (SELECT public.sqlalchemy_tenants_get_tenant()::uuid)"),
)  # fmt: skip


@contextmanager
def scene(binaries: Binaries, tenants: int) -> Iterator[Postgres]:
    """A server with *tenants* tenants, hardened as partywall advises."""
    with postgres(binaries, STOCK) as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {DATABASE}".encode())
            admin.execute(f"CREATE ROLE {LOGIN} LOGIN".encode())
        with psycopg.connect(server.url(DATABASE)) as admin:
            furnish(admin, [tenant(number) for number in range(tenants)])
            for statement in hardening(DATABASE):
                admin.execute(statement.encode())
        with psycopg.connect(server.url(DATABASE), autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE")
        yield server


def furnish(admin: psycopg.Connection[tuple[object, ...]], tenants: list[str]) -> None:
    """Make each contender's tables and fill them."""
    admin.execute(ROLE_FUNCTION.encode())
    listed = ",".join(tenants)
    for name, column, kind, condition in SHARED:
        filled = TABLE.format(
            name=name, column=column, type=kind, tenants=listed, keys=KEYS, login=LOGIN
        )
        admin.execute(filled.encode())
        if condition:
            admin.execute(WALLED.format(name=name, condition=condition).encode())
    for wall, table in (("rows", "public.rows_partywall"), ("sealed", "public.rows_sealed")):
        security = MODELS[wall]
        assert isinstance(security, RowSecurity)  # noqa: S101 - they are
        walls = (
            *context_function(security), *build(security, table),
            *grants(security, LOGIN, [table], []),
        )  # fmt: skip
        for statement in walls:
            admin.execute(statement.encode())
        if security.sealed:
            statement, *key = install_key(security)
            admin.execute(statement.encode(), key)
    model = SchemaPerTenant()
    for each in tenants:
        role = f'"tenant_{each}"'
        table = f'"{model.schema(each)}".notes'
        for statement in model.provision(each, LOGIN):
            admin.execute(statement.encode())
        admin.execute(
            f"CREATE TABLE {table} (id integer PRIMARY KEY, body text NOT NULL);"
            f"INSERT INTO {table} SELECT k, '{each}' FROM generate_series(1, {KEYS}) AS k;"
            f"CREATE ROLE {role}; GRANT {role} TO {LOGIN}; GRANT USAGE ON SCHEMA public TO {role};"
            f"GRANT SELECT ON public.rows_sqlalchemy_tenants TO {role}".encode()
        )
    # The key alone, in one table: what a schema's table is compared with.
    admin.execute(
        "CREATE TABLE public.notes (id integer PRIMARY KEY, body text NOT NULL);"
        f"INSERT INTO public.notes SELECT k, '' FROM generate_series(1, {KEYS}) AS k;"
        f"GRANT SELECT ON public.notes TO {LOGIN}".encode()
    )


def pin(server: Postgres, *, core: int) -> None:
    """Have the server, and the sessions that it starts from now on, stay on one core.

    Else a session answers in 20 µs or in 60 µs all its life, by the core on which it began.
    """
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > core:
        postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
        os.sched_setaffinity(postmaster, {core})
