"""What a package holds one of per module: attacks, checks, tools."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


def one_each(package: str, folders: Iterable[str], kind: type[T]) -> tuple[T, ...]:
    """What each module of *package* holds under the module's own name, by that name.

    Raises:
        TypeError: a module holds something else.
    """
    found = []
    for name in sorted(module.name for module in iter_modules(folders)):
        one = getattr(import_module(f"{package}.{name}"), name, None)
        if not isinstance(one, kind):
            raise TypeError(f"{package}.{name} holds no {kind.__name__} of its name")
        found.append(one)
    return tuple(found)
