"""How a tenancy's database, pool and replica are: `Tenancy.health`."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool import NullPool

from partywall.isolation.file_per_tenant import FilePerTenant
from partywall.runtime.ground import PoolStatus, connect_arguments, walled_engine

if TYPE_CHECKING:
    from sqlalchemy import URL

    from partywall.runtime.ground import Terms
    from partywall.runtime.grounds import Grounds

LOG = logging.getLogger(__name__)
ALIVE = "SELECT 1"
LAG = (
    "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN 0 "
    "WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver) THEN NULL "
    "WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0 "
    "ELSE EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - "
    "pg_catalog.pg_last_xact_replay_timestamp()) END::pg_catalog.float8"
)
"""https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL"""

TIMEOUTS = {"psycopg": "connect_timeout", "asyncpg": "timeout"}
"""What each driver calls the seconds that it may take to connect."""


@dataclass(frozen=True, slots=True)
class ReplicaHealth:
    """How the replica is.

    Attributes:
        reachable: whether it answered.
        lag_s: how old the last transaction is that it has replayed, zero when it has replayed all
            it was sent; None when that can't be known: it does not answer, or it does not hear
            its primary.
    """

    reachable: bool
    lag_s: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a tenancy is, at one moment.

    Attributes:
        reachable: whether the database answered; for a file per tenant, whether the folder is
            there.
        latency_s: how long connecting and one answer took; None when there was none.
        pool: the connections in use and idle, and how many there may be.
        replica: how the replica is; None where there is none.
    """

    reachable: bool
    latency_s: float | None
    pool: PoolStatus
    replica: ReplicaHealth | None = None


def examined(grounds: Grounds, *, asynchronous: bool, timeout_s: float) -> Health:
    """Ask the primary and the replica, each on a connection of its own: a full pool answers too.

    Nothing is raised for a database that does not answer: that is what is reported.
    """
    terms = replace(grounds.terms, asynchronous=asynchronous)
    pool = grounds.status(asynchronous=asynchronous)
    if isinstance(terms.model, FilePerTenant):
        return Health(Path(terms.model.folder).is_dir(), None, pool)
    started = time.perf_counter()
    reachable = asked(grounds.url, terms, ALIVE, timeout_s) is not None
    latency_s = time.perf_counter() - started if reachable else None
    if grounds.replica is None:
        return Health(reachable, latency_s, pool)
    lag = asked(grounds.replica, terms, LAG, timeout_s)
    replica = ReplicaHealth(lag is not None, lag[0] if lag else None)
    return Health(reachable, latency_s, pool, replica)


def asked(url: URL, terms: Terms, query: str, timeout_s: float) -> tuple[Any, ...] | None:
    """The row that the database answers; None when it does not.

    Past SQLAlchemy's pools, whose connections may all be in use just when it is asked how they
    are. In a transaction: only there a pooler keeps asyncpg's two messages together.
    """
    engine = walled_engine(url, terms, poolclass=NullPool)  # for its dialect: it opens nothing
    dialect = engine.dialect
    words, named = dialect.create_connect_args(engine.url)
    named.update(connect_arguments(engine.url, terms))
    if dialect.driver in TIMEOUTS:
        named.setdefault(TIMEOUTS[dialect.driver], max(1, round(timeout_s)))
    try:
        connection: Any = dialect.connect(*words, **named)
    except Exception:  # drivers have no class of errors in common, nor with sockets
        LOG.warning("health: no connection", exc_info=True)
        return None
    try:
        cursor = connection.cursor()
        cursor.execute(query)
        row = cursor.fetchone()
        connection.rollback()
    except Exception:
        LOG.warning("health: no answer", exc_info=True)
        return None
    else:
        return tuple(row)
    finally:
        dialect.do_close(connection)
