"""An application with workflows, the same on every engine; also as a process of its own.

python -m tests.adapters.workflows.application '["dbos", "sqlite:////tmp/x.db"]' FOLDER
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime as dt
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partywall import ScopedQueries, Tenancy, TenantContext
from partywall.adapters.dbos import DbosWorkflows
from partywall.adapters.temporal import TemporalWorkflows
from partywall.adapters.temporal import workflows as temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.runtime.directory import Standing
    from partywall.runtime.workflows import AsyncRun, Run

KEY = "0123456789abcdef0123456789abcdef"
ACME = TenantContext("acme", "ann", ["owner"], ["pay"])
GLOBEX = TenantContext("globex", "bob")
AMBIENT: contextvars.ContextVar[str] = contextvars.ContextVar("ambient", default="")

Engine = list[Any]
"""The kind and the address of one; JSON, so that a process can be told."""


class Standings:
    """A directory that tests write to."""

    def __init__(self) -> None:
        self.known: dict[str, Standing] = {}
        self.passes: Counter[str] = Counter()  # how often somebody is let in all the same
        self.asked: list[str] = []

    def standing(self, tenant_id: str) -> Standing | None:
        self.asked.append(tenant_id)
        if self.passes[tenant_id]:
            self.passes[tenant_id] -= 1
            return "active"
        return self.known.get(tenant_id, "active")

    async def async_standing(self, tenant_id: str) -> Standing | None:
        return self.standing(tenant_id)


def engine(of: Engine, **more: Any) -> DbosWorkflows | TemporalWorkflows:  # noqa: ANN401 - an engine's own
    """An engine whose patience is short."""
    kind, address, *queue = of
    if kind == "dbos":
        settings = {"poll_s": 0.05, "heartbeat_s": 0.3, "suspended_s": 0.3, "grace_s": 5.0}
        return DbosWorkflows(address, key=KEY, **{**settings, **more})
    temporal.TASK_TIMEOUT = dt.timedelta(seconds=1)  # how long the dead are waited for
    settings = {"heartbeat_s": 1.0, "suspended_s": 0.3, "grace_s": 5.0}
    named = {"queue": queue[0]} if queue else {}
    return TemporalWorkflows(address, key=KEY, **{**named, **settings, **more})


class Application:
    """Its tenancy, its workflows, and what its steps have noted."""

    def __init__(self, of: Engine, folder: Path, **more: Any) -> None:  # noqa: ANN401 - as above
        self.folder = folder
        self.standings = Standings()
        self.noted: list[Any] = []
        self.gate = threading.Event()
        self.tenancy = Tenancy(
            f"sqlite:///{folder}/app.db",
            ScopedQueries(),
            directory=self.standings,
            workflows=engine(of, **more),
        )
        self.workflows = self.tenancy.workflows
        self._steps()
        for body in BODIES:
            self.workflows.workflow(body)
        self.workflows.workflow(brief, timeout_s=1.0)
        self.workflows.workflow(unhurried, timeout_s=60.0)

    def _steps(self) -> None:
        STEPS.update(
            who=self.workflows.step(who_of(self)),
            flaky=self.workflows.step(attempts=3, pause_s=0.01)(flaky_of(self)),
            bad=self.workflows.step(attempts=2, pause_s=0.01)(bad),
            stray=self.workflows.step(stray),
            astray=self.workflows.step(astray),
            slow=self.workflows.step(attempts=1, timeout_s=0.05)(slow),
            fall=self.workflows.step(fall_of(self)),
            note=self.workflows.step(note_of(self)),
            gated=self.workflows.step(gated_of(self)),
            shut=self.workflows.step(shut_of(self)),
            ask=self.workflows.step(ask_of(self)),
        )

    def result(
        self, context: TenantContext, workflow: Callable[..., object], argument: object = None
    ) -> Any:  # noqa: ANN401 - JSON
        """Start a workflow, and wait for what comes of it."""
        started = self.workflows.start(context, workflow, argument)
        return self.workflows.result(context, started.id, timeout_s=60)


BEGUN: list[str] = []
"""What bodies have noted themselves, which no application's body should."""

STEPS: dict[str, Any] = {}
"""The steps of the application that was made last."""


def who_of(application: Application) -> Callable[..., object]:
    def who(context: TenantContext, said: object) -> list[object]:
        application.noted.append((context.tenant_id, said))
        return [context.tenant_id, context.user_id, sorted(context.roles | context.permissions)]

    return who


def flaky_of(application: Application) -> Callable[..., object]:
    def flaky(context: TenantContext, word: str) -> list[Any]:
        application.noted.append((context.tenant_id, word))
        if application.noted.count((context.tenant_id, word)) < 3:
            raise OSError("not yet")
        return [context.tenant_id, context.user_id]

    return flaky


def note_of(application: Application) -> Callable[..., object]:
    def note(context: TenantContext, word: str) -> None:
        application.noted.append((context.tenant_id, word))

    return note


def shut_of(application: Application) -> Callable[..., object]:
    def shut(context: TenantContext) -> None:
        application.standings.known[context.tenant_id] = "suspended"
        application.standings.asked.clear()

    return shut


def ask_of(application: Application) -> Callable[..., object]:
    def ask(context: TenantContext) -> None:
        application.noted.append((context.tenant_id, "asks"))
        assert application.gate.wait(60)
        found = application.workflows.executions(context)
        application.noted.append((context.tenant_id, len(found)))

    return ask


def gated_of(application: Application) -> Callable[..., object]:
    def gated(context: TenantContext, word: str) -> None:
        assert application.gate.wait(60)
        application.noted.append((context.tenant_id, word))

    return gated


def fall_of(application: Application) -> Callable[..., object]:
    def fall(context: TenantContext, word: str) -> list[Any]:
        marker = application.folder / f"{context.tenant_id}-{word}"
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return [context.tenant_id, context.user_id, word]

    return fall


def bad(context: TenantContext) -> None:
    raise ValueError(f"{context.tenant_id} owes 42")


def stray(context: TenantContext) -> str:
    seen, _ = AMBIENT.get(), AMBIENT.set(context.tenant_id)
    return seen


async def astray(context: TenantContext) -> str:
    seen, _ = AMBIENT.get(), AMBIENT.set(context.tenant_id)
    return seen


async def slow(context: TenantContext) -> None:
    del context
    await asyncio.sleep(30)


def undeclared(context: TenantContext) -> None:
    del context


def greet(run: Run, argument: object) -> object:
    return [run.context.tenant_id, run.step(STEPS["who"], argument), argument]


async def greet_async(run: AsyncRun, argument: object) -> object:
    return [run.context.tenant_id, await run.step(STEPS["who"], argument), argument]


def noting(run: Run, word: str) -> None:
    del run
    BEGUN.append(word)


async def noting_async(run: AsyncRun, word: str) -> None:
    del run
    BEGUN.append(word)


def told(run: Run, name: str) -> object:
    return run.wait(name)


async def told_later(run: AsyncRun, name: str) -> object:
    try:
        return await run.wait("never", timeout_s=0.1)
    except TimeoutError:
        return [await run.wait(name), await run.wait(name, timeout_s=60)]


def retried(run: Run, word: str) -> object:
    return run.step(STEPS["flaky"], word)


def failing(run: Run, _: object) -> object:
    return run.step(STEPS["bad"])


def refused_step(run: Run, _: object) -> object:
    return run.step(undeclared)


def slept(run: Run, seconds: float) -> object:
    run.sleep(seconds)
    return run.step(STEPS["who"], "woken")


async def hurried(run: AsyncRun, _: object) -> None:
    await run.step(STEPS["slow"])


def ambient(run: Run, _: object) -> object:
    seen, _ = AMBIENT.get(), AMBIENT.set(run.context.tenant_id)
    return [seen, run.step(STEPS["stray"]), run.step(STEPS["stray"])]


async def ambient_async(run: AsyncRun, _: object) -> object:
    seen, _ = AMBIENT.get(), AMBIENT.set(run.context.tenant_id)
    return [seen, await run.step(STEPS["astray"]), await run.step(STEPS["astray"])]


def dying(run: Run, seconds: float) -> object:
    first = run.step(STEPS["fall"], "first")
    run.sleep(seconds)
    return [run.context.user_id, first, run.step(STEPS["fall"], "second")]


def entered(run: Run, name: str) -> None:
    run.step(STEPS["note"], "before")
    run.wait(name)
    run.step(STEPS["note"], "after")


def suspended(run: Run, _: object) -> None:
    run.step(STEPS["shut"])
    run.step(STEPS["note"], "after")


async def suspended_async(run: AsyncRun, _: object) -> None:
    await run.step(STEPS["shut"])
    await run.step(STEPS["note"], "after")


def wrong(run: Run, _: object) -> object:
    del run
    return {1, 2}


def tidy(run: Run, name: str) -> None:
    try:
        run.wait(name)
    finally:
        run.step(STEPS["note"], "tidied")


def order(run: Run, word: str) -> None:
    run.step(STEPS["gated"], word)


def asking(run: Run, _: object) -> None:
    run.step(STEPS["ask"])


def patient(run: Run, word: str) -> None:
    run.wait("go")
    run.step(STEPS["note"], word)


def brief(run: Run, _: object) -> None:
    run.wait("never")


def unhurried(run: Run, _: object) -> None:
    run.step(STEPS["note"], "unhurried")
    run.wait("never")


BODIES: tuple[Callable[..., object], ...] = (
    *(greet, greet_async, told, told_later, retried, failing, refused_step, slept, hurried),
    *(ambient, ambient_async, dying, entered, wrong, tidy, order, patient),
    *(suspended, suspended_async, noting, noting_async, asking),
)


def main(of: Engine, folder: Path) -> None:
    """Run what is started, until this process is killed."""
    Application(of, folder).workflows.launch()
    (folder / "launched").touch()
    time.sleep(600)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
