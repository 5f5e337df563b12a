"""Ways to get at another tenant's things in a cache: one file each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from partywall.survey.trying import Attack, attacks_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.cache.calls import Call
    from partywall.survey.cache.scene import Scene


@cache
def every_attack() -> Sequence[Attack[Scene, Call]]:
    """All attacks by a tenant's login, by code."""
    found = [one for one in attacks_in(__name__, __path__) if isinstance(one, Attack)]
    return tuple(sorted(cast("list[Attack[Any, Any]]", found), key=lambda one: one.code))
