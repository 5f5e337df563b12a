"""Ways to hear, by what stays open, what one may not: one file each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from partywall.survey.gathering import one_each
from partywall.survey.sockets.attempt import Attack

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def every_attack() -> Sequence[Attack]:
    """All attacks on sockets, by code."""
    return tuple(sorted(one_each(__name__, __path__, Attack), key=lambda one: one.code))
