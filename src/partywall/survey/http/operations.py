"""What an API can be asked: operations as frozen values, wherever they were learned from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.survey.http.links import Link

Place: TypeAlias = Literal["path", "query", "header", "cookie", "body"]
Schema: TypeAlias = "Mapping[str, Any]"

PLACEHOLDER = re.compile(r"{([^{}]+)}")
SOCKET = "WS"
"""The method of a WebSocket in reports; it is opened with a GET (RFC 6455, 4.1)."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "QUERY", SOCKET})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        schema: as the description has it; references are resolved by `schemas`.
        example: a value that the description gives; None where it gives none.
    """

    name: str
    place: Place
    required: bool
    schema: Schema = field(default_factory=dict)
    example: Any = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One form of an operation's body."""

    media: str
    schema: Schema
    required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path template, with what it takes.

    Attributes:
        payloads: the forms of its body, the first is preferred; () for none.
        answer: the schema of its success, {} where nothing is said.
        links: which operations take what it answers.
        known_from: "description", "traffic" or "routes".
        prefix: what goes before `path` when it is asked, after the base: a server's base path.
    """

    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    payloads: tuple[Payload, ...] = ()
    answer: Schema = field(default_factory=dict)
    name: str = ""
    summary: str = ""
    tags: tuple[str, ...] = ()
    known_from: str = "description"
    prefix: str = ""
    links: tuple[Link, ...] = ()

    @property
    def at(self) -> str:
        """How reports name it: ``GET /notes/{note_id}``."""
        return f"{self.method} {self.path}"

    @property
    def safe(self) -> bool:
        """Whether it promises to change nothing (RFC 9110, 9.2.1)."""
        return self.method in SAFE

    @property
    def names(self) -> tuple[str, ...]:
        """Its path parameters, in order."""
        return tuple(PLACEHOLDER.findall(self.path))

    @property
    def words(self) -> tuple[str, ...]:
        """The fixed segments of its path."""
        fixed = [s for s in self.path.split("/") if s and not PLACEHOLDER.search(s)]
        return tuple(word for s in fixed for word in re.split(r"[.:]", s) if word)

    def parameter(self, place: Place, name: str) -> Parameter | None:
        """Its parameter of that name, if it has one there."""
        for one in self.parameters:
            if one.place == place and one.name == name:
                return one
        return None


@dataclass(frozen=True)
class Api:
    """All that is known of an API before the first request.

    Attributes:
        document: the description itself, which references point into.
        schemes: (place, name) of headers, query parameters and cookies that carry credentials;
            headers in lower case.
        sockets: its WebSockets; a payload's example is a message that one is opened with.
        prefix: base path of the description's first server; each operation knows its own.
    """

    operations: tuple[Operation, ...]
    document: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    schemes: frozenset[tuple[str, str]] = frozenset()
    prefix: str = ""
    sockets: tuple[Operation, ...] = ()

    def joined(self, others: Iterable[Operation]) -> Api:
        """This API and those of *others* that it doesn't have."""
        here = (*self.operations, *self.sockets)
        known = {(one.method, shape(one.prefix + one.path)) for one in here}
        more: dict[bool, list[Operation]] = {True: [], False: []}
        for one in others:
            if (key := (one.method, shape(one.prefix + one.path))) not in known:
                known.add(key)
                more[one.method == SOCKET].append(one)
        return replace(
            self,
            operations=(*self.operations, *more[False]),
            sockets=(*self.sockets, *more[True]),
        )


def shape(path: str) -> str:
    """A path template without its parameters' names, by which two are the same."""
    return PLACEHOLDER.sub("{}", path).rstrip("/") or "/"
