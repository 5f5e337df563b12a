"""Ways in which pooled connections let tenants meet: one file each."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Attack

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def every_attack() -> Sequence[Attack]:
    """All attacks on a pool, by code."""
    found = []
    for module in iter_modules(__path__):
        loaded = import_module(f"{__name__}.{module.name}")
        found += [one for one in vars(loaded).values() if isinstance(one, Attack)]
    return tuple(sorted(found, key=lambda one: one.code))
