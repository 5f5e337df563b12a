"""One check per module; the module's name is the check's name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from partywall.survey.check import Check


@cache
def every_check() -> tuple[Check, ...]:
    """All checks of this package, in the order of their codes."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (getattr(module, module.__name__.rpartition(".")[2]) for module in modules)
    return tuple(sorted(found, key=lambda check: check.code))
