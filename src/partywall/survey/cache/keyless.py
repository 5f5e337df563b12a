"""Commands without keys: which attack tries which, and what stays untried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.layers import CACHE_UNTRIED
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from partywall.survey.cache.commands import Command
    from partywall.survey.cache.scene import Scene

NAMES = frozenset({"KEYS", "SCAN", "RANDOMKEY", "DBSIZE", "CLIENT TRACKING"})
CHANNELS = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "PUBLISH", "SPUBLISH",
                      "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"})  # fmt: skip
FUNCTIONS = frozenset({"FUNCTION LOAD", "FUNCTION LIST", "FUNCTION DUMP", "FUNCTION DELETE"})
RULE = frozenset({"ACL SETUSER", "CONFIG SET", "FLUSHDB", "CLIENT KILL"})
READS = frozenset({
    "ACL LIST", "ACL USERS", "ACL LOG", "CLIENT LIST", "CONFIG GET", "INFO", "MEMORY STATS",
    "MEMORY DOCTOR", "MODULE LIST", "LATENCY LATEST", "LATENCY HISTOGRAM", "SLOWLOG GET",
    "SLOWLOG LEN", "PUBSUB CHANNELS", "PUBSUB NUMSUB", "FUNCTION STATS", "LASTSAVE", "ROLE",
    "COMMAND GETKEYS", "COMMAND GETKEYSANDFLAGS", "MONITOR", "LOLWUT",
})  # fmt: skip
"""Marked as dangerous or of an administrator, or without arguments that are documented; and yet
they only read."""
CONNECTIONS = frozenset({"AUTH", "HELLO", "QUIT", "RESET", "CLIENT REPLY", "ASKING", "READONLY",
                         "READWRITE", "EVAL", "EVAL_RO"})  # fmt: skip
"""They end, or turn, the connection that they are sent on; a script is an attack of its own."""
ELSEWHERE = NAMES | CHANNELS | FUNCTIONS | RULE


def readable(command: Command) -> bool:
    """Whether it may be run to see what it tells."""
    if command.keyed or command.name in ELSEWHERE | CONNECTIONS:
        return False
    return command.harmless or command.name in READS or command.words[-1] == "HELP"


def untried(scene: Scene, allowed: Iterable[str]) -> Iterator[Undecided]:
    """What the server would let a tenant run, and no attack has."""
    may = set(allowed)
    tried = (ELSEWHERE if scene.library else ELSEWHERE - FUNCTIONS) | CONNECTIONS
    for one in scene.commands:
        if one.name in may and not readable(one) and one.name not in tried:
            because = (
                "the server would let a tenant's login run it (ACL DRYRUN), and no attack tries "
                "what may harm everybody: take it from the login (ACL SETUSER … -"
                f"{'|'.join(one.words).lower()}), or judge it yourself and keep it in a baseline"
            )
            yield Undecided(*CACHE_UNTRIED, "disrupt", f"cache {one.name}", because)
