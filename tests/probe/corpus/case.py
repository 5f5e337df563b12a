"""What a case is: an application, its tenants, and the truth about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple, TypeAlias

from tests.probe.corpus import faults, sound
from tests.probe.corpus.walls import Client

Tenants: TypeAlias = Mapping[str, Mapping[str, Any]]
Leak: TypeAlias = tuple[str, str]
"""An operation, ``METHOD /path/{template}``, and the effect: read, write, destroy or detect."""


class Exchange(NamedTuple):
    """One recorded request, in JSON, and what came back."""

    method: str
    path: str
    body: object
    status: int
    answer: object


@dataclass(frozen=True, slots=True)
class Case:
    """One application and all that a probe has to say of it.

    Attributes:
        app: an ASGI or WSGI application, with nothing in it yet.
        tenants: name -> what partywall.toml has in its table; `{port}` in a `base` is the server's.
        leaks: every finding that must be made.
        also: findings that are true as well, by another way to see the same fault.
        openapi: the description; None where the application gives its own, {} where there is none.
        public: operations that anybody may read without a token.
        shared: operations that show what isn't explicitly private.
        common: operations that show what is nobody's own; they may be called shared, or not.
        undecided: operations of which nothing can be proven.
        stranger: the headers of somebody who is a member of no tenant.
        routes: ``module:attribute`` of the application whose route table is to be read.
        recorded: traffic of the past, from which operations are to be learned.
        existence: as in partywall.toml.
    """

    app: Callable[..., Any]
    tenants: Tenants
    leaks: frozenset[Leak] = frozenset()
    also: frozenset[Leak] = frozenset()
    openapi: Mapping[str, Any] | None = None
    public: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()
    stranger: Mapping[str, str] = field(default_factory=dict)
    routes: str = ""
    recorded: tuple[Exchange, ...] = ()
    existence: str = "auto"


@dataclass(frozen=True, slots=True)
class Entry:
    """A module of the corpus: `case` makes a fresh case, `truth` executes what it claims.

    `truth` gets a client of each tenant, in the order of `Case.tenants`.
    """

    name: str
    case: Callable[[], Case]
    truth: Callable[[Client, Client], None]


def entries() -> list[Entry]:
    """All of the corpus, in the order of their names."""
    found = []
    for folder in (faults, sound):
        for module in iter_modules(folder.__path__, f"{folder.__name__}."):
            loaded = import_module(module.name)
            kind, name = module.name.split(".")[-2:]
            found.append(Entry(f"{kind}/{name}", loaded.case, loaded.truth))
    return sorted(found, key=lambda one: one.name)
