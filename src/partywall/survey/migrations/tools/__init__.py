"""One migration tool per module; the module's name is the tool's name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from partywall.survey.migrations.tool import Tool


@cache
def every_tool() -> tuple[Tool, ...]:
    """All tools of this package, by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return tuple(getattr(module, module.__name__.rpartition(".")[2]) for module in modules)
