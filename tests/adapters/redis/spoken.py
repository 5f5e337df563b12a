"""Calls of Redis's commands, made of what the server itself says of their arguments.

https://redis.io/docs/latest/commands/command-docs/
"""

# ruff: noqa: ANN401 - what the server says

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VALUES = {
    "string": "x", "integer": "1", "double": "1", "pattern": "*", "unix-time": "1999999999",
}  # fmt: skip
MOST_FORMS = 24


@dataclass(frozen=True)
class Key:
    """The place of a key, and its number among them."""

    number: int = 0


@dataclass(frozen=True)
class Counted:
    """The place of the number of keys that follow."""


Words = tuple[Any, ...]


def documented(url: str, names: Sequence[str]) -> dict[str, list[Words]]:
    """Forms of each command: with and without what is optional, with one and with two of a kind."""
    with Redis.from_url(url, protocol=3) as client:
        docs = client.execute_command("COMMAND DOCS", *names)
    return {
        name.decode(): forms(facts.get(b"arguments", []), name.decode())
        for name, facts in docs.items()
    }


def forms(arguments: Sequence[Any], name: str) -> list[Words]:
    """Each has at least one key."""
    found: dict[Words, None] = {}
    for repeated in (1, 2):
        parts = [list(spoken(each, repeated)) for each in arguments]
        for words in itertools.islice(itertools.product(*parts), MOST_FORMS):
            whole = numbered((name, *itertools.chain(*words)))
            found[whole] = None
            if keys_in(whole[2:]) == len(whole[2:]):  # keys alone: PFMERGE takes one as well
                found[whole[:2]] = None
    return [words for words in found if any(isinstance(word, Key) for word in words)]


def spoken(argument: Any, repeated: int) -> Iterator[Words]:
    """The ways to write one argument."""
    kind = argument[b"type"].decode()
    flags = {flag.decode() for flag in argument.get(b"flags", ())}
    token: Words = (argument[b"token"].decode(),) if b"token" in argument else ()
    inner: Iterator[Words]
    if kind == "key":
        inner = iter([(Key(),)])
    elif kind == "pure-token":
        inner = iter([()])
    elif kind == "oneof":
        inner = itertools.chain(*(spoken(each, 1) for each in argument[b"arguments"]))
    elif kind == "block":
        parts = [list(spoken(each, repeated)) for each in argument[b"arguments"]]
        inner = (tuple(itertools.chain(*words)) for words in itertools.product(*parts))
    elif argument[b"name"] == b"operation":  # of BITOP, which Redis 7.0 doesn't tell more of
        inner = iter([("AND",), ("NOT",)])
    elif argument[b"name"] == b"numkeys":
        inner = iter([(Counted(),)])
    else:
        inner = iter([(VALUES[kind],)])
    if "optional" in flags:
        yield ()
    for words in inner:
        times = repeated if "multiple" in flags else 1
        if "multiple_token" in flags:
            yield (*token, *words) * times
        else:
            yield (*token, *words * times)


def numbered(words: Words) -> Words:
    """The keys counted, and told where the server wants to know."""
    count = itertools.count()
    placed = [Key(next(count)) if isinstance(word, Key) else word for word in words]
    for place, word in enumerate(placed):
        if isinstance(word, Counted):
            following = itertools.takewhile(lambda each: isinstance(each, Key), placed[place + 1 :])
            placed[place] = str(len(list(following)))
    return tuple(placed)


def keys_in(words: Words) -> int:
    """How many keys a form names."""
    return sum(isinstance(word, Key) for word in words)
