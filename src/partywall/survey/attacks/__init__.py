"""One attack per module; the module's name is the attack's name."""

from __future__ import annotations

from functools import cache

from partywall.survey.attack import Attack
from partywall.survey.gathering import one_each


@cache
def every_attack() -> tuple[Attack, ...]:
    """All attacks of this package, in the order of their codes."""
    return tuple(sorted(one_each(__name__, __path__, Attack), key=lambda one: one.code))
