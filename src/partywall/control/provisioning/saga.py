"""The saga of a tenant: steps that are done in order, and undone in reverse when one fails.

Three ports meet here. A `Building` says which steps there are; a workflow engine (`Works`) sees to
it that they are taken although processes die; `course` says in which order, and is all that an
engine has to run: it asks for one `Act` after the other and is told how each went.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator, Mapping

    from partywall.control.database import Database
    from partywall.control.tenants import Tenant

Kind = Literal["open", "do", "undo", "fail"]

DONE = "done"
FAILED = "failed"
OVER = "over"
"""The work is none any more: rolled back, kept, or brought to its end by somebody else."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a saga; both halves may run again after a crash at any point inside of them.

    Attributes:
        name: what progress shows: create, migrate, seed, smoke; of a removal close, erase.
        do: the step; it returns what it did, in words and numbers that may be shown.
        undo: takes it back, also where `do` never ran or stopped half-way.
        noted: whether the tenant's audit log tells of it, of a removal's step; once.
    """

    name: str
    do: Callable[[Tenant], Mapping[str, object]]
    undo: Callable[[Tenant], None]
    noted: bool = False


class Building(Protocol):
    """Which steps make a tenant's place, and which remove it."""

    def provisioning(self) -> tuple[Step, ...]:
        """In order; the saga adds `activate`."""
        ...

    def removal(self) -> tuple[Step, ...]:
        """In order; what their `do` returns goes into the certificate.

        A removal is never undone: a step that fails is tried again by a retry.
        """
        ...


class Acting(Protocol):
    """Takes the acts of works: `partywall.control.provisioning.acting.Saga`."""

    @property
    def database(self) -> Database:
        """The control plane's."""
        ...

    def act(self, work_id: str, kind: Kind, step: str) -> list[str]:
        """Take one act; it may be taken again.

        Raises:
            Exception: when it could not even be tried, or noted; it is to be taken again.
        """
        ...

    def unfinished(self, engine: str) -> list[tuple[str, dt.datetime | None]]:
        """The works of an engine that have begun and not ended, with when they may be opened."""
        ...


class Works(Protocol):
    """A workflow engine."""

    name: str

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        """Start a work, durably once this returns; again for one that was started: nothing.

        Raises:
            WorkError: when it could not be started.
        """
        ...

    def launch(self, saga: Acting) -> None:
        """Begin to work, and take up what an earlier process left.

        Raises:
            ConfigurationError: when this process works already.
            WorkError: when the engine can't be reached.
        """
        ...

    def close(self) -> None:
        """Stop working; what is not finished stays for the next process."""
        ...


@dataclass(frozen=True, slots=True)
class Act:
    """What an engine is asked to take, durably: each is taken at least once."""

    kind: Kind
    step: str = ""


def course() -> Generator[Act, list[str], None]:
    """The acts of a work, one after the other, as a pure function of the answers.

    Answers are a list of words: of `open` the steps, none when there is nothing to do, and of all
    others one of DONE, FAILED and OVER. So that an engine can keep them as it likes.
    """
    kind, *steps = yield Act("open")
    begun: list[str] = []
    for step in steps:
        begun.append(step)
        (answer,) = yield Act("do", step)
        if answer == OVER:
            return
        if answer == FAILED:
            break
    else:
        return
    undone = True
    for step in reversed(begun if kind == "provision" else []):
        (answer,) = yield Act("undo", step)
        if answer == OVER:
            return
        undone = undone and answer == DONE
    yield Act("fail", "" if undone else "stuck")
