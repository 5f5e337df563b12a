"""Whether a replica has seen what was written: for reading one's own writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.runtime import pooling

if TYPE_CHECKING:
    from sqlalchemy import Engine

POSITION = "SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text"
REPLAYED = (
    "SELECT (NOT pg_catalog.pg_is_in_recovery() OR pg_catalog.pg_last_wal_replay_lsn() >= "
    "'{}'::pg_catalog.pg_lsn)::pg_catalog.text"
)
LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}\Z")
"""A position in the log: https://www.postgresql.org/docs/current/datatype-pg-lsn.html"""


def position(engine: Engine) -> str:
    """How far the primary has written; costs one round trip, on no tenant's behalf."""
    return str(asked(engine, POSITION))


def caught_up(engine: Engine, not_before: str) -> bool:
    """Whether the replica has replayed the log up to *not_before*.

    Raises:
        ConfigurationError: when that is no position.
    """
    if not LSN.match(not_before):
        raise ConfigurationError("not_before= takes what tenancy.position(context) returned")
    # As a literal: the drivers don't agree on how a parameter is written.
    return asked(engine, REPLAYED.format(not_before)) == "true"


def asked(engine: Engine, query: str) -> str | None:
    """The only value of *query*, in no tenant's transaction."""
    dialect: Any = engine.dialect
    taken = engine.raw_connection()
    try:
        if dialect.pooled_per_transaction:
            return pooling.asked(dialect, taken.dbapi_connection, query)
        answer: str | None = dialect.send(taken.dbapi_connection, (query,), valued=True)
        return answer
    finally:
        taken.close()
