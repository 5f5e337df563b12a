"""Workers in processes of their own, and waiting without a clock."""

# ruff: noqa: ANN401 - a task returns what it returns, and Celery's classes have no types

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
LONGEST_S = float(os.environ.get("TASKS_LONGEST_S", "120"))
"""A condition that has not come by then never will."""


@dataclass(frozen=True)
class Worker:
    """A running worker; its processes are a group of their own."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, words: str) -> int:
        return self.log.read_text(errors="replace").count(words)

    def killed(self) -> None:
        """End it as a power cut does: no process of it says goodbye."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def worker(
    arguments: list[str], environment: dict[str, str], folder: Path, ready: str
) -> Iterator[Worker]:
    """A worker, started and ready, ended with the block if it has not been before."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"worker-{time.monotonic_ns()}.log"
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **environment, "PYTHONPATH": path},
            cwd=folder,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    started = Worker(process, log)
    try:
        until(lambda: started.said(ready) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition: Callable[[], Any], *, longest_s: float = LONGEST_S) -> Any:
    """Wait for a condition; what it says when it holds."""
    end = time.monotonic() + longest_s
    while not (found := condition()):
        assert time.monotonic() < end, "the condition never came"
        time.sleep(0.02)
    return found
