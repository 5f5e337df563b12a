"""Disposable PostgreSQL servers from a folder of binaries, for the demo, copies and tests.

POSIX only. Nothing outside one private folder per server is written: no user, no group, no mode
of a folder that was not made here.
"""

from partywall.servers.accounts import Account
from partywall.servers.binaries import Binaries, find_binaries
from partywall.servers.folders import remove_orphans
from partywall.servers.launch import Postgres, postgres

__all__ = ["Account", "Binaries", "Postgres", "find_binaries", "postgres", "remove_orphans"]
