"""SQLAlchemy's dialects with walls: a connection begins with its tenant, or not at all.

The drivers stand in autocommit, so that BEGIN is ours to send, with the context in the same
message. `do_begin`, `do_commit` and `do_rollback` are a dialect's documented hooks; through them
also errors of a COMMIT become SQLAlchemy's.
https://docs.sqlalchemy.org/en/21/core/internals.html#sqlalchemy.engine.Dialect.do_begin
"""

from sqlalchemy.dialects import registry

from partywall.runtime.dialects.asyncpg import WalledAsyncpg, unguessable_name
from partywall.runtime.dialects.psycopg import WalledAsyncPsycopg, WalledPsycopg
from partywall.runtime.dialects.sqlite import WalledAsyncSqlite, WalledSqlite
from partywall.runtime.dialects.walled import Walled

__all__ = [
    "Walled",
    "WalledAsyncPsycopg",
    "WalledAsyncSqlite",
    "WalledAsyncpg",
    "WalledPsycopg",
    "WalledSqlite",
    "unguessable_name",
]

NAMES = {
    "partywall_psycopg": ("postgresql", WalledPsycopg),
    "partywall_psycopg_async": ("postgresql", WalledAsyncPsycopg),
    "partywall_asyncpg": ("postgresql", WalledAsyncpg),
    "partywall_pysqlite": ("sqlite", WalledSqlite),
    "partywall_aiosqlite": ("sqlite", WalledAsyncSqlite),
}
for _driver, (_database, _class) in NAMES.items():
    registry.register(f"{_database}.{_driver}", __name__, _class.__name__)
