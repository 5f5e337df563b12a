"""What stands already while planting goes on, and what is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from partywall.catalog.facts import Oid
    from partywall.survey.identity import Who
    from partywall.survey.world import Row

Place: TypeAlias = "tuple[Oid, Who | str, tuple[object, ...], int]"


@dataclass
class Standing:
    """The state of the field.

    Attributes:
        planted: (qualified table, tenant) -> its row.
        failed: qualified table -> why it has no row.
        further: qualified table -> why it has no further row for others to point at.
        ahead: tables whose turn has not come.
        busy: tables that a row is being tried for, so that a circle ends.
        promised: (table, tenant) -> key values that others point at before the row stands.
        extended: tables that got further rows for others to point at.
        found: (table, tenant, what is fixed, how often it gave way) -> values of a parent there.
    """

    planted: dict[tuple[str, Who], Row] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    further: dict[str, str] = field(default_factory=dict)
    ahead: set[Oid] = field(default_factory=set)
    busy: list[Oid] = field(default_factory=list)
    promised: dict[tuple[Oid, Who], dict[str, str | None]] = field(default_factory=dict)
    extended: set[Oid] = field(default_factory=set)
    found: dict[Place, Mapping[str, str | None]] = field(default_factory=dict)

    def why(self, table: str) -> str:
        """Why *table* has no row to point at, "" when that is not known."""
        return self.failed.get(table) or self.further.get(table, "")


def alike(left: str | None, right: str | None) -> bool:
    """Whether two texts are the same value but for case, padding and leading zeroes."""
    if left is None or right is None:
        return left is right
    a, b = left.strip().lower(), right.strip().lower()
    return a == b or (a.isdigit() and b.isdigit() and int(a) == int(b))
