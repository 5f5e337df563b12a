"""Ways to get at another tenant's objects: one file each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from partywall.survey.trying import attacks_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from partywall.survey.trying import Attack

THROUGH = frozenset({"loosened-link"})


@cache
def every_attack() -> Sequence[Attack[Any, Any]]:
    """All attacks on an object store, by code."""
    return attacks_in(__name__, __path__)


def without(names: Collection[str]) -> Sequence[Attack[Any, Any]]:
    """All but those of these names."""
    return [one for one in every_attack() if one.name not in names]


def named(names: Collection[str]) -> Sequence[Attack[Any, Any]]:
    """Those of these names."""
    return [one for one in every_attack() if one.name in names]
