"""Processes that are killed in the middle: what they were doing goes on, in its context."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, GLOBEX, Application

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.workflows.application import Engine


def killed(of: Engine, folder: Path) -> None:
    """A process that runs workflows until it kills itself."""
    command = [sys.executable, "-m", "tests.adapters.workflows.application"]
    done = subprocess.run([*command, json.dumps(of), str(folder)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_process_was_doing_goes_on_in_its_tenant_s_context(
    own_engine: Engine, tmp_path: Path
) -> None:
    for word in ("first", "second"):
        (tmp_path / f"globex-{word}").touch()  # whose steps kill nobody
    with Application(own_engine, tmp_path).tenancy as tenancy:
        flows = tenancy.workflows
        ours = flows.start(ACME, app.dying, 0.1)
        theirs = flows.start(GLOBEX, app.dying, 0.1)
        killed(own_engine, tmp_path)
        assert (tmp_path / "acme-first").exists()
        assert not (tmp_path / "acme-second").exists()
        killed(own_engine, tmp_path)
        assert (tmp_path / "acme-second").exists()
        flows.launch()
        done = flows.result(ACME, ours.id, timeout_s=60)
        assert done == ["ann", ["acme", "ann", "first"], ["acme", "ann", "second"]]
        done = flows.result(GLOBEX, theirs.id, timeout_s=60)
        assert done == ["bob", ["globex", "bob", "first"], ["globex", "bob", "second"]]
        assert [each.id for each in flows.executions(ACME)] == [ours.id]
