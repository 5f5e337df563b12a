"""The command line as such."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import partywall as package
from partywall.cli.ending import exit_code
from tests.cli.harbour import partywall

HEAVY = ["psycopg", "pglast", "rich.console", "partywall.survey"]


def test_it_says_its_version(tmp_path: Path) -> None:
    done = partywall("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"partywall {package.__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["demo", "--help"]])
def test_help_names_the_exit_codes_or_the_options(arguments: list[str], tmp_path: Path) -> None:
    done = partywall(*arguments, folder=tmp_path)
    assert done.returncode == 0
    assert "Usage: partywall" in done.stdout


def test_help_answers_at_once_for_it_loads_neither_driver_nor_parser() -> None:
    code = f"import sys, partywall.cli; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_nothing_asked_is_a_misuse(tmp_path: Path) -> None:
    assert partywall(folder=tmp_path).returncode == 2
    assert partywall("survive", folder=tmp_path).returncode == 2


def test_an_unforeseen_failure_is_70(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        return 1 // 0

    assert exit_code(command) == 70
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err
