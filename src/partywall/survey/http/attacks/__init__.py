"""Ways to get at another tenant's things through an API: one file each."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attack

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def every_attack() -> Sequence[Attack]:
    """All attacks on an API, by code."""
    found = []
    for module in iter_modules(__path__):
        loaded = import_module(f"{__name__}.{module.name}")
        found += [one for one in vars(loaded).values() if isinstance(one, Attack)]
    return tuple(sorted(found, key=lambda one: one.code))
