"""One check per module; the module's name is the check's name."""

from __future__ import annotations

from functools import cache

from partywall.survey.check import Check
from partywall.survey.gathering import one_each


@cache
def every_check() -> tuple[Check, ...]:
    """All checks of this package, in the order of their codes."""
    return tuple(sorted(one_each(__name__, __path__, Check), key=lambda one: one.code))
