"""What one tenant's turn came to: a value, so that it can be written down."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Effect

Place: TypeAlias = "tuple[str, str]"
"""A surface, and the effect of what was tried there."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One surface that let a tenant through to others.

    Attributes:
        attack, effect: as elsewhere: the attack's page tells of it.
        victim: whose it is, "" where nothing says it.
        sql, returned: the witness, as it ran.
    """

    at: str
    attack: str
    effect: Effect
    victim: str
    sql: str
    returned: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What one tenant's turn came to.

    Attributes:
        own: (surface, effect) that it did to its own: the control for all who attack it.
        closed: (surface, effect) that it may not do there at all.
        failed: surface -> why the server could not say; "" is the turn as a whole.
        reached: what it got of others.
    """

    id: str
    own: frozenset[tuple[str, str]] = frozenset()
    closed: frozenset[tuple[str, str]] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    reached: tuple[Reached, ...] = ()

    def written(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "id": self.id,
            "own": sorted(self.own),
            "closed": sorted(self.closed),
            "failed": dict(self.failed),
            "reached": [astuple(one) for one in self.reached],
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Turn:
        """The value of what `written` gave.

        Raises:
            KeyError, TypeError: it is something else.
        """
        own, closed = (frozenset((a, e) for a, e in told[name]) for name in ("own", "closed"))
        reached = tuple(Reached(*one) for one in told["reached"])
        return cls(told["id"], own, closed, dict(told["failed"]), reached)
