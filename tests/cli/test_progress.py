"""Progress is for a person at a terminal: on standard error, and only there."""

from __future__ import annotations

import json
import os
import pty
import subprocess

from tests.cli.harbour import COMMAND, Harbour, surroundings


def at_a_terminal(harbour: Harbour, *arguments: str, answer: bytes = b"") -> tuple[str, str, int]:
    """Standard output, what the terminal showed, and the exit code; *answer* is typed at once."""
    terminal, end = pty.openpty()
    os.write(terminal, answer)
    with subprocess.Popen(
        [*COMMAND, "audit", *arguments],
        cwd=harbour.folder,
        env=surroundings(TERM="xterm-256color", COLUMNS="100"),
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
    ) as running:
        os.close(end)
        seen = b""
        try:
            while chunk := os.read(terminal, 65536):
                seen += chunk
        except OSError:  # the other end was closed
            os.close(terminal)
        assert running.stdout
        return running.stdout.read(), seen.decode(), running.wait(60)


def test_stages_attempts_and_breaches_go_by(harbour: Harbour) -> None:
    harbour.break_walls()
    printed, seen, code = at_a_terminal(harbour, "--format", "json")
    assert code == 1
    assert json.loads(printed)["verdict"] == "breached"
    for words in ("copying the structure", "attacking", "breaches"):
        assert words in seen


def test_a_person_is_asked_about_left_over_copies(harbour: Harbour) -> None:
    name = "partywall_copy_0badcafe_0"
    harbour.database.execute(f"CREATE DATABASE {name}")
    harbour.database.execute(f"COMMENT ON DATABASE {name} IS 'partywall: a disposable copy'")
    _, seen, _ = at_a_terminal(harbour, "--explain-model", answer=b"n\n")
    assert "Drop 1 copy of killed runs?" in seen
    assert harbour.copies() == [name]
    _, seen, _ = at_a_terminal(harbour, "--explain-model", answer=b"y\n")
    assert "dropped" in seen
    assert harbour.copies() == []
