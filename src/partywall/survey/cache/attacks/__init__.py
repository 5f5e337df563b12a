"""Ways to get at another tenant's things in a cache: one file each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from partywall.survey.cache import observed as through_the_application
from partywall.survey.trying import attacks_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from partywall.survey.cache.calls import Call
    from partywall.survey.cache.observation import Observation
    from partywall.survey.cache.scene import Scene
    from partywall.survey.recorded import Record
    from partywall.survey.trying import Attack


@cache
def every_attack() -> Sequence[Attack[Any, Any]]:
    """All attacks on a cache, by code."""
    return (*direct(), *observed())


@cache
def direct() -> Sequence[Attack[Scene, Call]]:
    """Those by a tenant's login."""
    return attacks_in(__name__, __path__)


@cache
def observed() -> Sequence[Attack[Observation, Record]]:
    """Those through the application."""
    return attacks_in(through_the_application.__name__, through_the_application.__path__)
