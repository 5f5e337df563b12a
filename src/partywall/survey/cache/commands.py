"""The commands that the server itself says it has: arguments, keys and categories of each.

From ``COMMAND`` and ``COMMAND DOCS`` (https://redis.io/docs/latest/commands/command-docs/), so that
those of modules and of versions to come are known as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Reply: TypeAlias = Any
"""Whatever the server answers: texts, numbers, lists of them."""
KEYLIKE = frozenset({"key", "pattern"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command, as the server documents it.

    Attributes:
        spec: which of the command's key specifications speaks of it; None where it is no key.
        inner: the parts of a block, or what to choose from.
    """

    name: str
    type: str
    token: str = ""
    optional: bool = False
    spec: int | None = None
    inner: tuple[Argument, ...] = ()

    @property
    def key(self) -> bool:
        """Whether the name of a key goes here."""
        return self.spec is not None and self.type in KEYLIKE


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or one subcommand.

    Attributes:
        group: ``string``, ``sorted-set``, ``server``, …
        flags: ``readonly``, ``write``, ``admin``, ``blocking``, ``module``, …
        categories: of the access control lists, with their ``@``.
        specs: the flags of each key specification: ``RO``, ``access``, ``delete``, …
    """

    words: tuple[str, ...]
    group: str
    flags: frozenset[str]
    categories: frozenset[str]
    specs: tuple[frozenset[str], ...] = ()
    arguments: tuple[Argument, ...] = ()

    @property
    def name(self) -> str:
        """As people write it: ``XINFO STREAM``."""
        return " ".join(self.words)

    @property
    def keyed(self) -> bool:
        """Whether it takes names of keys."""
        return any("not_key" not in spec for spec in self.specs)

    @property
    def harmless(self) -> bool:
        """Whether the server itself says that it changes nothing of anybody else's."""
        told = self.flags & {"write", "admin", "blocking", "module"}
        return not (told or self.categories & {"@dangerous", "@scripting", "@blocking"})


def commands(listed: Reply, documented: Reply) -> tuple[Command, ...]:
    """All commands and subcommands, from the answers to COMMAND and COMMAND DOCS.

    A server before Redis 7 documents nothing: then arguments are made up from how many there are,
    and from where keys stand among them.
    """
    docs = pairs(documented)
    found = [one for entry in listed for one in _flat((), entry, pairs(docs.get(entry[0], ())))]
    return tuple(sorted(found, key=lambda one: one.words))


def _flat(above: tuple[str, ...], entry: Reply, docs: Mapping[str, Reply]) -> Iterator[Command]:
    name, arity, flags, first, last, step, *rest = entry
    categories, _, specs, inner = (*rest, *[[]] * 4)[:4]
    words = (*above, name.rpartition("|")[2].upper())
    if inner:
        documented = pairs(docs.get("subcommands", ()))
        for sub in inner:
            yield from _flat(words, sub, pairs(documented.get(sub[0], ())))
        return
    arguments = tuple(_argument(pairs(one)) for one in docs.get("arguments", ()))
    told = tuple(frozenset(pairs(spec)["flags"]) for spec in specs)
    if first and not docs:
        arguments, told = _guessed(arity, range(first, first + 1 if last < 0 else last + 1, step))
    yield Command(
        words, str(docs.get("group", "")), frozenset(flags), frozenset(categories), told, arguments
    )


def _argument(told: Mapping[str, Reply]) -> Argument:
    flags = told.get("flags", ())
    return Argument(
        told["name"],
        told["type"],
        told.get("token", ""),
        "optional" in flags,
        told.get("key_spec_index"),
        tuple(_argument(pairs(one)) for one in told.get("arguments", ())),
    )


def _guessed(arity: int, keys: range) -> tuple[tuple[Argument, ...], tuple[frozenset[str], ...]]:
    places = range(1, max(abs(arity), keys[-1] + 1))
    numbered = {place: number for number, place in enumerate(keys)}
    arguments = tuple(
        Argument("key", "key", spec=numbered[place])
        if place in numbered
        else Argument("argument", "string")
        for place in places
    )
    return arguments, (frozenset({"RW", "access", "update"}),) * len(numbered)


def pairs(reply: Reply) -> dict[str, Reply]:
    """A flat list of names and values, or a map, as a map."""
    if isinstance(reply, dict):
        return reply
    return dict(zip(reply[::2], reply[1::2], strict=True))
