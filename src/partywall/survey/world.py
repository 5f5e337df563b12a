"""What stands in the surveyed database for each tenant: planted rows, and rows held ready."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from partywall.survey.sql import conditions, insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from partywall.survey.identity import Who


WORD = re.compile(r"\w+(?:[.-]\w+)*")


class Tokens(frozenset[str]):
    """Many tokens, looked for in a text at once: the cost does not grow with their number."""

    _canaries: tuple[str, ...]
    _words: frozenset[str]
    _rest: tuple[str, ...]

    def __new__(cls, tokens: Iterable[str], *canaries: str | None) -> Self:
        """Take *tokens*; those that contain one of *canaries* are found by it."""
        made = super().__new__(cls, tokens)
        made._canaries = tuple(canary for canary in canaries if canary)
        left = [t for t in made if not any(canary in t for canary in made._canaries)]
        made._words = frozenset(t for t in left if WORD.fullmatch(t))
        made._rest = tuple(t for t in left if t not in made._words)
        return made

    def within(self, text: str) -> bool:
        """Whether one of them stands in *text*: a canary anywhere, other values as a word."""
        return (
            any(canary in text for canary in self._canaries)
            or not self._words.isdisjoint(WORD.findall(text))
            or any(token in text for token in self._rest)
        )


@dataclass(frozen=True)
class Row:
    """One row of one tenant.

    Attributes:
        table: qualified, quoted name.
        tenant: whose it is, "A" or "B".
        values: quoted column -> its value as PostgreSQL prints it, None for NULL;
            every column of the table that is readable as text.
        key: quoted columns that identify the row (primary key, else a unique key, else all
            columns with distinguishing values) -> value.
        tokens: values that occur in no other tenant's rows: seeing one is seeing this row.
        written: quoted columns that an INSERT of this row names (generated ones are left out).
        real: whether it was in the target already; then no value of it may be shown to anyone.
    """

    table: str
    tenant: Who
    values: Mapping[str, str | None]
    key: Mapping[str, str]
    tokens: frozenset[str]
    written: tuple[str, ...]
    overriding: bool = False
    real: bool = False

    @cached_property
    def where(self) -> str:
        """A condition that holds for this row alone."""
        return conditions(self.key)

    def insert(
        self,
        *,
        into: str = "",
        changes: Mapping[str, str | None] | None = None,
        omit: Iterable[str] = (),
    ) -> str:
        """Return the INSERT that makes this row, with some columns changed or left to defaults.

        *into* names another relation that takes the same columns (a view, a partition).
        """
        left_out = set(omit)
        values = {c: self.values[c] for c in self.written} | dict(changes or {})
        return insert(
            into or self.table,
            {c: v for c, v in values.items() if c not in left_out},
            overriding=self.overriding and not into,
        )


@dataclass(frozen=True)
class World:
    """All planted rows, the rows held ready, and what could not be planted.

    Attributes:
        canaries: tenant -> its canary: a word in every text-like column of its rows.
        planted: (qualified table, tenant) -> the row that stands there now.
        spare: (qualified table, tenant) -> a row like it that does not stand there yet, but
            whose INSERT the administrator has tried; its parents are the planted rows.
        unplanted: qualified table -> why no row could be put there, with the constraint.
        contexts: (qualified table, quoted column) -> tenant -> the value the context yields.
    """

    canaries: Mapping[Who, str]
    planted: Mapping[tuple[str, Who], Row]
    spare: Mapping[tuple[str, Who], Row]
    unplanted: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[tuple[str, str], Mapping[Who, str]] = field(default_factory=dict)

    @cached_property
    def tokens(self) -> dict[Who, Tokens]:
        """Values that betray each tenant's rows, its canary included."""
        found: dict[Who, set[str]] = {who: {canary} for who, canary in self.canaries.items()}
        for (_, who), row in (*self.planted.items(), *self.spare.items()):
            found.setdefault(who, set()).update(row.tokens)
        return {who: Tokens(tokens, self.canaries.get(who)) for who, tokens in found.items()}

    @cached_property
    def everyones(self) -> Tokens:
        """Values that betray rows of any tenant."""
        found = [token for tokens in self.tokens.values() for token in tokens]
        return Tokens(found, *self.canaries.values())
