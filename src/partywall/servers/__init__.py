"""Disposable servers, for the demo, copies and tests: PostgreSQL, its replicas, PgBouncer, Redis.

POSIX only. Nothing outside one private folder per server is written: no user, no group, no mode
of a folder that was not made here.
"""

from partywall.servers.accounts import Account
from partywall.servers.binaries import Binaries, find_binaries
from partywall.servers.folders import remove_orphans
from partywall.servers.launch import Postgres, postgres
from partywall.servers.pgbouncer import PgBouncer, pgbouncer
from partywall.servers.redis import Redis, redis
from partywall.servers.replica import Replica, replica

__all__ = [
    "Account",
    "Binaries",
    "PgBouncer",
    "Postgres",
    "Redis",
    "Replica",
    "find_binaries",
    "pgbouncer",
    "postgres",
    "redis",
    "remove_orphans",
    "replica",
]
