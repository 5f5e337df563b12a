"""The page about tasks does what it says, with real workers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.adapters.tasks.processes import ROOT, worker
from tests.blocks import blocks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Database

PAGE = "how-to/tasks.md"
KEY = "5a" * 32


def printed(folder: Path, code: str, environment: dict[str, str]) -> str:
    """What a program prints that is started in the folder."""
    path = os.pathsep.join([str(ROOT / "src"), str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_celery(redis_url: str, tmp_path: Path) -> None:
    shop, use = blocks(PAGE, "python")[:2]
    shown = blocks(PAGE, "text")[0]
    (tmp_path / "shop.py").write_text(shop)
    environment = {"REDIS_URL": redis_url, "TASKS_KEY": KEY}
    started = [*blocks(PAGE, "sh")[0].split(), "-l", "INFO", "--without-mingle"]
    with worker(started, environment, tmp_path, "ready."):
        assert printed(tmp_path, use, environment) == shown


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_procrastinate(database: Database, tmp_path: Path) -> None:
    ledger, made, use = blocks(PAGE, "python")[2:]
    shown = blocks(PAGE, "text")[1]
    database.execute("CREATE ROLE app LOGIN;" + "".join(blocks(PAGE, "sql")))
    (tmp_path / "ledger.py").write_text(ledger)
    environment = {"TASKS_URL": database.url("tasks"), "TASKS_KEY": KEY}
    assert printed(tmp_path, made, environment) == ""
    program, *rest = blocks(PAGE, "sh")[1].split()
    with worker([program, "-v", *rest], environment, tmp_path, "Starting worker"):
        assert printed(tmp_path, use, environment) == shown
