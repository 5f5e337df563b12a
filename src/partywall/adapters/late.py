"""Names of a package that are imported with their first use: what each takes may be an extra."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def late(
    package: str, modules: Mapping[str, str], needed: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """The `__getattr__` of a package, which imports what a name takes when it is first asked for.

    Args:
        package: its name.
        modules: by the names, in which module of the package each is.
        needed: by what may not be installed, what is said of it; the modules say it themselves of
            what isn't here.

    Raises:
        ConfigurationError: when something is not installed that a name needs.
    """

    def imported(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{package}.{modules[name]}"), name)
        except ModuleNotFoundError as error:
            said = (needed or {}).get(error.name or "")
            if said is None:
                raise
            raise ConfigurationError(f"{name} needs {said}") from error

    return imported
