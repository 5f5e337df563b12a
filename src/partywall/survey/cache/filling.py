"""Arguments for any command: what the server documents of it, filled with keys that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from partywall.survey.cache.commands import Argument, Command

KINDS: Mapping[str, tuple[str, ...]] = {
    "string": ("string", "number"), "bitmap": ("string",), "list": ("list",), "set": ("set",),
    "hash": ("hash",), "sorted-set": ("zset",), "stream": ("stream",), "geo": ("geo",),
    "hyperloglog": ("hll",), "generic": ("string", "list"), "scripting": ("string",),
    "server": ("string",), "transactions": ("string",),
}  # fmt: skip
"""Which of the planted keys commands of a group are for; the first that the server takes."""
ALL_KINDS = ("string", "number", "list", "hash", "set", "zset", "stream", "geo", "hll")

FIELD, MEMBER, GROUP, CONSUMER, ENTRY = "field", "member", "group", "consumer", "1-1"
"""What stands in planted keys of either tenant, so that commands find it."""

WORDS: Mapping[str, str] = {
    "field": FIELD, "member": MEMBER, "element": MEMBER, "pivot": MEMBER, "group": GROUP,
    "groupname": GROUP, "consumer": CONSUMER, "consumername": CONSUMER, "id": ENTRY,
    "last-id": "9-9", "start": "-", "end": "+", "min": "-", "max": "+", "min-idle-time": "0",
    "encoding": "u8", "operation": "OR", "threshold": "0", "host": "127.0.0.1", "port": "1",
    "ttl": "0", "subcommand": "encoding",
    "script": "return redis.call('GET', KEYS[1])",
}  # fmt: skip
NUMBERS: Mapping[str, str] = {
    "start": "0", "end": "-1", "stop": "-1", "offset": "0", "index": "0", "bit": "1",
    "timeout": "0", "cursor": "0", "min": "-inf", "max": "+inf", "port": "1", "ttl": "0",
    "destination-db": "0", "numreplicas": "0", "longitude": "13.4", "latitude": "52.5",
}  # fmt: skip
EXACTLY: Mapping[tuple[str, str], str] = {
    ("GETBIT", "offset"): "1", ("LTRIM", "start"): "1", ("ZRANGE", "start"): "0",
    ("ZRANGE", "stop"): "-1", ("ZREVRANGE", "start"): "0", ("ZREVRANGE", "stop"): "-1",
    ("ZRANGESTORE", "min"): "0", ("ZRANGESTORE", "max"): "-1", ("XAUTOCLAIM", "start"): "0",
    ("XREAD", "id"): "0", ("XREADGROUP", "id"): "0", ("XGROUP CREATE", "groupname"): "another",
    ("GEODIST", "member1"): MEMBER, ("GEODIST", "member2"): MEMBER,
}  # fmt: skip
"""Where the name of an argument means something of its own."""
LATER_S = "4102444800"
"""A moment in 2100."""
ASKED = {"SORT": "sorting", "SORT_RO": "sorting", "RESTORE": "replace", "COPY": "replace",
         "BITFIELD": "operation", "BITFIELD_RO": "encoding_offset", "GEORADIUS": "",
         "RESTORE-ASKING": "replace"}  # fmt: skip
"""Options without which the command does nothing, or not with what is planted."""


def places(command: Command) -> tuple[Argument, ...]:
    """The arguments in which names of keys go, in their order."""
    return tuple(_keys(command.arguments))


def _keys(arguments: Sequence[Argument]) -> Iterator[Argument]:
    for one in arguments:
        if one.key:
            yield one
        yield from _keys(one.inner)


def required(command: Command) -> tuple[bool, ...]:
    """For each of the `places` whether there is no call without it."""

    def within(arguments: Sequence[Argument], *, optional: bool) -> Iterator[bool]:
        for one in arguments:
            apart = optional or one.optional
            if one.key:
                yield not apart
            yield from within(one.inner, optional=apart or one.type == "oneof")

    return tuple(within(command.arguments, optional=False))


def filled(
    command: Command,
    key: Callable[[int], str | None],
    given: Mapping[str, str],
) -> tuple[str, ...]:
    """The command with arguments.

    Args:
        command: whose arguments.
        key: the name that goes into the place of that number; None leaves an optional one out.
        given: arguments by name, over the usual ones.
    """
    counter = iter(range(len(places(command))))
    words: list[str] = list(command.words)
    chosen = [name for name in (key(n) for n in range(len(places(command)))) if name is not None]
    given = {"numkeys": str(_counted(command, chosen)), **given}
    for one in command.arguments:
        words += _words(one, command, counter, key, given)
    return tuple(words)


def _counted(command: Command, chosen: Sequence[str]) -> int:
    """How many keys follow a ``numkeys``; a destination stands before it."""
    before = 0
    for one in command.arguments:
        if one.name == "numkeys":
            break
        before += one.key
    return max(len(chosen) - before, 0)


def _words(
    one: Argument,
    command: Command,
    counter: Iterator[int],
    key: Callable[[int], str | None],
    given: Mapping[str, str],
) -> list[str]:
    token = [one.token] if one.token else []
    if one.key:
        name = key(next(counter))
        return [] if name is None else [*token, name]
    if one.type in {"block", "oneof"}:
        inner = [_words(part, command, counter, key, given) for part in one.inner]
        if one.type == "oneof":
            keyed = [w for part, w in zip(one.inner, inner, strict=True) if w and _named(part)]
            inner = [next(iter(keyed or [w for w in inner if w]), [])]
        spoken = [word for words in inner for word in words]
        used = any(_named(part) and words for part, words in zip(one.inner, inner, strict=False))
        if one.optional and not (used or ASKED.get(command.words[0]) == one.name):
            return []
        return [*token, *spoken]
    if one.optional and ASKED.get(command.words[0]) != one.name:
        return []
    if one.type == "pure-token":
        return token
    return [*token, given.get(one.name) or _value(one, command)]


def _named(one: Argument) -> bool:
    """Whether a key stands anywhere in it."""
    return one.key or any(map(_named, one.inner))


def _value(one: Argument, command: Command) -> str:
    if exact := EXACTLY.get((command.name, one.name)):
        return exact
    match one.type:
        case "unix-time":
            return f"{LATER_S}000" if "milliseconds" in one.name else LATER_S
        case "double" if one.name == "timeout":
            return "0.01"
        case "double" | "integer":
            return NUMBERS.get(one.name, "1")
        case "pattern":
            return "*"
        case _:
            return WORDS.get(one.name, "1")
