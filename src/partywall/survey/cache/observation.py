"""What was seen in a cache while two tenants used the application, one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from partywall.survey.driven import Driven

VARYING = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|\d+")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one tenant did.

    Attributes:
        marks: what in a text is this tenant's alone.
        answers: to its requests.
        touched: key -> the commands that named it.
        written: the keys that one of its commands may have changed.
        published: channel -> the messages that went into it.
        values: key -> all that stood in it afterwards.
    """

    tenant: str
    marks: Callable[[str], Collection[str]]
    answers: tuple[Driven, ...]
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    written: frozenset[str] = frozenset()
    published: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def marked(self, text: str) -> bool:
        """Whether something of this tenant stands in *text*."""
        return bool(self.marks(text))

    def shown(self, answers: Sequence[Driven]) -> Driven | None:
        """The first of *answers* in which something of this tenant stands."""
        return next((one for one in answers if self.marked(one.text)), None)


@dataclass(frozen=True, slots=True)
class Observation:
    """One tenant used the application, and then another did the same."""

    first: Turn
    second: Turn

    def shared(self) -> Iterator[str]:
        """Keys that both touched."""
        yield from sorted(self.first.touched.keys() & self.second.touched.keys())


def surface(key: str) -> str:
    """A key as exceptions name it: the same for every id."""
    return f"cache key {VARYING.sub('{id}', key)}"


def surfaces(keys: Collection[str]) -> dict[str, str]:
    """One key of each surface."""
    return {surface(key): key for key in sorted(keys, reverse=True)}
