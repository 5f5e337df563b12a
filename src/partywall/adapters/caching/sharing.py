"""One definition of a method for code that blocks, code that awaits, and code that queues."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Steps: TypeAlias = "Generator[Any, Any, T]"
"""What has to be done one after the other; each step is yielded, and its outcome sent back."""


class Wait(NamedTuple):
    """A step: let some time pass."""

    seconds: float


class Compute(NamedTuple):
    """A step: have the caller's function work."""


class Blocking(ABC):
    """Takes steps while its caller waits."""

    def drive(self, steps: Steps[T], compute: Callable[[], Any] | None = None) -> T:
        """Take all of the steps.

        Args:
            steps: what is to be done.
            compute: what a `Compute` among them calls.
        """
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._take(step, compute)
                except BaseException as error:  # noqa: BLE001 - the steps say what it means
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # StopIteration isn't generic

    @abstractmethod
    def _take(self, step: object, compute: Callable[[], Any] | None) -> Any:
        """Take one step; its outcome."""


class Awaiting(ABC):
    """Takes steps in an event loop."""

    async def drive(self, steps: Steps[T], compute: Callable[[], Any] | None = None) -> T:
        """As `Blocking.drive`; *compute* is awaited."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._take(step, compute)
                except BaseException as error:  # noqa: BLE001 - as above; a cancellation too
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # StopIteration isn't generic

    @abstractmethod
    async def _take(self, step: object, compute: Callable[[], Any] | None) -> Any:
        """As `Blocking._take`."""


class Journey(Protocol[P, T_co]):
    """A method that is written as steps, as type checkers see it; at run time it is a function."""

    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, T_co]: ...
    @overload
    def __get__(
        self, instance: Awaiting, owner: type
    ) -> Callable[P, Coroutine[Any, Any, T_co]]: ...


def journey(plan: Callable[Concatenate[Any, P], Steps[T]]) -> Journey[P, T]:
    """A method whose object takes the steps of *plan*."""

    @functools.wraps(plan)
    def taken(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self.drive(plan(self, *args, **kwargs))

    return cast("Journey[P, T]", taken)


def immediate(plan: Callable[Concatenate[Any, P], T]) -> Journey[P, T]:
    """A method without any step that takes time."""

    @functools.wraps(plan)
    def steps(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Steps[T]:
        yield from ()
        return plan(self, *args, **kwargs)

    return journey(steps)
