"""The demo, as `make demo` gives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.examples.invoices.houses import EXAMPLES, PATIENCE_S

TRIED = 8


def begun(folder: Path) -> subprocess.Popen[str]:
    """The demo, in a session of its own, as in a terminal."""
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / "invoices" / "demo.py")],
        env={**os.environ, "TMPDIR": str(folder)},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def alive(session: int) -> list[str]:
    """What still runs in a session."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = each.read_text().rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, _, belongs_to = rest.split()[:4]
        if int(belongs_to) == session and state != "Z":
            found.append(name)
    return found


def test_two_companies_sign_up_and_nothing_of_one_reaches_the_other(tmp_path: Path) -> None:
    demo = begun(tmp_path)
    said, errors = demo.communicate(timeout=2 * PATIENCE_S)
    assert (demo.returncode, errors) == (0, "")
    assert said.count("404 Not Found") + said.count("200, 0 items") >= TRIED - 1
    assert "held  nothing of one tenant reached the other" in said
    assert (alive(demo.pid), list(tmp_path.iterdir())) == ([], [])


def test_interrupted_it_leaves_nothing(tmp_path: Path) -> None:
    demo = begun(tmp_path)
    assert demo.stdout is not None
    while "signed up and was let in" not in (line := demo.stdout.readline()):
        assert line, demo.communicate()
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal sends it for Ctrl-C
    _, errors = demo.communicate(timeout=PATIENCE_S)
    assert (demo.returncode, errors) == (130, "")
    assert (alive(demo.pid), list(tmp_path.iterdir())) == ([], [])
