"""Databases of tenants, made on a real server as `DatabasePerTenant` plans them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from partywall.context import TenantContext
    from partywall.isolation.database_per_tenant import Step
    from partywall.runtime.tenancy import Tenancy
    from partywall.servers import Postgres

ME = "SELECT current_database() || ' ' || pg_backend_pid()"


def carried_out(server: Postgres, steps: Iterable[Step]) -> None:
    """Send each step where it belongs, as one message."""
    with ExitStack() as stack:
        opened: dict[str, psycopg.Connection] = {}
        for step in steps:
            name = step.database or "postgres"
            if name not in opened:
                connecting = psycopg.connect(server.url(name), autocommit=True)
                opened[name] = stack.enter_context(connecting)
            opened[name].execute("; ".join(step.statements).encode())


def asked(tenancy: Tenancy, context: TenantContext) -> tuple[str, int]:
    """In which database a session of the tenant is, and its backend."""
    with tenancy.session(context) as session:
        return me(session)


def me(session: Session) -> tuple[str, int]:
    database, pid = session.execute(text(ME)).scalar_one().split()
    return database, int(pid)


def open_now(tenancy: Tenancy, *, asynchronous: bool = False) -> tuple[int, int]:
    """In use, idle."""
    status = tenancy.grounds.status(asynchronous=asynchronous)
    return status.in_use, status.idle
