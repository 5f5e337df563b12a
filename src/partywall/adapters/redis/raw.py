"""Commands that the cache has no method for: held to the tenant's keys by the server's own word.

Where a command's keys are is asked of the server, once for each command (`COMMAND INFO`), or, where
that depends on its arguments, each time (`COMMAND GETKEYS`).
https://redis.io/docs/latest/develop/reference/key-specs/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from partywall.adapters.redis.allowed import DATA
from partywall.adapters.redis.calls import Call
from partywall.adapters.redis.keyspace import Key
from partywall.errors import WallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.adapters.caching.sharing import Steps
    from partywall.adapters.redis.keyspace import Keyspace


class Positions(NamedTuple):
    """Where a command's keys are, the command itself being at 0."""

    first: int
    last: int
    step: int
    movable: bool


KNOWN: WeakKeyDictionary[object, dict[str, Positions]] = WeakKeyDictionary()
"""What each server has said, by its client's pool of connections."""


def raw(space: Keyspace, server: object, command: str, arguments: Sequence[Any]) -> Steps[Any]:
    """Send a command, once it is shown that all of its keys are the tenant's.

    Raises:
        WallError: when it isn't, or when the command is not one of `DATA`.
    """
    name = command.lower()
    if name not in DATA:
        raise WallError(
            f"{command.upper()} is not among the commands that a tenant may send: see "
            "partywall.adapters.redis.allowed for those that are, or use a method of the cache"
        )
    sent = (command.upper(), *arguments)
    known = KNOWN.setdefault(server, {})
    if name not in known:
        known[name] = yield Call(("COMMAND INFO", name), positions, keyless=True)
    where = known[name]
    if where.movable:
        keys = yield Call(("COMMAND GETKEYS", *sent), as_bytes, keyless=True)
    else:
        last = where.last if where.last >= 0 else len(sent) + where.last
        keys = [sent[n] for n in range(where.first, min(last + 1, len(sent)), where.step)]
    require_own(space, sent[0], keys, marked={each for each in arguments if isinstance(each, Key)})
    return (yield Call(sent, lambda answer: answer))


def positions(answer: Any) -> Positions:
    """What the server says of a command.

    Raises:
        WallError: when it doesn't know it, or names no keys.
    """
    facts = answer[0] if answer else None
    if not facts:
        raise WallError("the server does not know this command")
    _, _, flags, first, last, step = facts[:6]
    movable = b"movablekeys" in flags
    if not movable and not (first > 0 and step > 0):
        raise WallError("the server does not say where this command's keys are")
    return Positions(first, last, step, movable)


def as_bytes(keys: Sequence[bytes | str]) -> list[bytes]:
    """Keys, which redis-py makes text of here."""
    return [each.encode() if isinstance(each, str) else each for each in keys]


def require_own(space: Keyspace, command: str, keys: Sequence[Any], marked: set[Key]) -> None:
    """Let no key pass that `cache.key` didn't make for this tenant.

    Raises:
        WallError: for any other; it doesn't repeat the key.
    """
    if not keys:
        raise WallError(f"the server sees no key in this {command}")
    for each in keys:
        if each not in marked or not space.holds(each):
            raise WallError(
                f"the server takes an argument of this {command} for a key, and it is none of the "
                "tenant's: write cache.key('…') for each"
            )
