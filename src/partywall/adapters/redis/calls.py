"""Commands as values: what is sent, and how its answer is read.

A command is written once (`commands`); whether calling it waits, gives something to await or puts
it into a queue is a matter of the object that it is called on.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    overload,
)

from partywall.adapters.caching.sharing import Awaiting, Blocking
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Call(NamedTuple, Generic[T]):
    """One command, its keys under the tenant's prefix.

    Attributes:
        arguments: what is sent.
        read: makes the answer of what the client gives.
        keyless: it names no key, so a cluster has to be told which server is asked.
    """

    arguments: tuple[Any, ...]
    read: Callable[[Any], T]
    keyless: bool = False


class Batch(NamedTuple):
    """Some commands in one round trip.

    Attributes:
        calls: what is sent.
        watched: do nothing, and answer None, unless this key holds `expected` until the end; all
            of the calls are then done at once.
        read: makes the answer of the answers to the calls.
    """

    calls: Sequence[Call[Any]]
    watched: bytes | None = None
    expected: bytes = b""
    read: Callable[[list[Any]], Any] = list

    def answer(self, answers: Sequence[Any]) -> Any:
        """What the answers of the client say."""
        calls = zip(self.calls, answers, strict=True)
        return self.read([call.read(answer) for call, answer in calls])


class Queueing(ABC):
    """Takes commands for later."""

    @abstractmethod
    def perform(self, call: Call[Any]) -> None:
        """Remember it."""


class Command(Protocol[P, T_co]):
    """A method that is one command, as type checkers see it; at run time it is a function."""

    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, T_co]: ...
    @overload
    def __get__(
        self, instance: Awaiting, owner: type
    ) -> Callable[P, Coroutine[Any, Any, T_co]]: ...
    @overload
    def __get__(self, instance: Queueing, owner: type) -> Callable[P, None]: ...


def command(plan: Callable[Concatenate[Any, P], Call[T]]) -> Command[P, T]:
    """A method that has its object perform what *plan* says."""

    @functools.wraps(plan)
    def performed(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self.perform(plan(self, *args, **kwargs))

    return cast("Command[P, T]", performed)


def in_clear(plan: Callable[Concatenate[Any, P], Call[T]]) -> Command[P, T]:
    """A command whose values the server itself has to compare or to count.

    The method raises `ConfigurationError` on a cache that seals its values.
    """

    @functools.wraps(plan)
    def checked(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        require_clear(self.space.sealing, plan.__name__)
        return plan(self, *args, **kwargs)

    return command(checked)


def require_clear(sealing: object, what: str) -> None:
    """Let nothing into a sealed cache that would lie there in the clear.

    Raises:
        ConfigurationError: when there is a *sealing*.
    """
    if sealing is not None:
        raise ConfigurationError(
            f"{what} needs values that the server can read, and this cache seals them: use a "
            "TenantCache without sealing= for what may lie there in the clear"
        )
