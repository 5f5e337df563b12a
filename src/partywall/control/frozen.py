"""JSON that many threads share: it can be read and copied, and not changed."""

from __future__ import annotations

from typing import Any, NoReturn


def frozen(value: object) -> Any:  # noqa: ANN401 - JSON
    """*value*, and all in it, as something that nobody can change."""
    match value:
        case dict():
            return Object({key: frozen(each) for key, each in value.items()})
        case list():
            return Array(frozen(each) for each in value)
        case _:
            return value


def refused(self: object, *_: object, **__: object) -> NoReturn:
    """Instead of whatever would change it.

    Raises:
        TypeError: always.
    """
    del self
    raise TypeError("this is shared by all who read it: change what copy.deepcopy() gives of it")


class Object(dict[str, Any]):
    """An object of JSON; a copy of it is a dictionary that can be changed."""

    __setitem__ = __delitem__ = __ior__ = refused
    clear = pop = popitem = setdefault = update = refused

    def __reduce__(self) -> tuple[type, tuple[object]]:
        """What a copy is made of."""
        return dict, (dict(self),)


class Array(list[Any]):
    """An array of JSON; a copy of it is a list that can be changed."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = refused
    append = clear = extend = insert = pop = remove = reverse = sort = refused

    def __reduce__(self) -> tuple[type, tuple[object]]:
        """What a copy is made of."""
        return list, (list(self),)
