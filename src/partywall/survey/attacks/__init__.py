"""One attack per module; the module's name is the attack's name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from partywall.survey.attack import Attack


@cache
def every_attack() -> tuple[Attack, ...]:
    """All attacks of this package, in the order of their codes."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (getattr(module, module.__name__.rpartition(".")[2]) for module in modules)
    return tuple(sorted(found, key=lambda attack: attack.code))
