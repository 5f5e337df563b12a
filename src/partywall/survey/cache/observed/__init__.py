"""What an application keeps in a cache without a tenant: one file for each way to see it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from partywall.survey.trying import Attack, attacks_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.cache.observation import Observation
    from partywall.survey.recorded import Record


@cache
def every_attack() -> Sequence[Attack[Observation, Record]]:
    """All of them, by code."""
    found = [one for one in attacks_in(__name__, __path__) if isinstance(one, Attack)]
    return tuple(sorted(cast("list[Attack[Any, Any]]", found), key=lambda one: one.code))
