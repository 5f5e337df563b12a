"""The reference application with a deliberate mistake in it: where each leaks, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples.invoices.mistakes import MISTAKES
from partywall.survey.http.loading import load
from partywall.survey.http.probing import probe
from tests.examples.invoices.houses import EXAMPLES, PATIENCE_S
from tests.examples.invoices.leaks import leaking
from tests.examples.invoices.twins import twin

if TYPE_CHECKING:
    from pathlib import Path

LEAKS: dict[str, tuple[str, str]] = {
    "filter": ("GET /invoices", "read"),
    "search": ("GET /search", "read"),
    "nested": ("GET /invoices/{invoice_id}/comments/{comment_id}", "read"),
    "export": ("GET /export", "read"),
    "batch": ("POST /invoices/batch", "read"),
    "write": ("PUT /customers/{customer_id}", "write"),
    "mass-assignment": ("POST /customers", "write"),
    "existence": ("GET /customers/{customer_id}", "detect"),
    "header": ("GET /customers", "read"),
    "cache": ("GET /debtors", "read"),
    "pool": ("GET /invoices", "read"),
    "jobs": ("GET /exports/{export_id}/content", "read"),
    "channel": ("WS /invoices/{invoice_id}/live", "read"),
    "files": ("GET /files/{file_id}", "read"),
}
"""The operation that each mistake is made in, and its effect."""

BESIDE = ("pool", "jobs", "channel", "files")
"""Not made in a handler alone: `test_surveys` has them one by one."""

IN_HANDLERS = tuple(each for each in MISTAKES if each not in BESIDE)

OF_THE_HOUSE = ("me", "members", "invitations", "api-keys", "tenant", "quotas", "log", "domains")
"""What the control plane answers, which no mistake is made in."""


@pytest.mark.parametrize("mistake", LEAKS)
def test_each_mistake_leaks_in_one_place(mistake: str, tmp_path: Path) -> None:
    with twin(tmp_path, mistake) as file:
        assert leaking(file) == {LEAKS[mistake]}


def test_the_probe_names_each_mistake_and_nothing_else(tmp_path: Path) -> None:
    """All of them at once: each is made in another operation, and most are sound."""
    with twin(tmp_path, *IN_HANDLERS) as file:
        denied = [f"* /{each}*" for each in OF_THE_HOUSE]
        report = probe(load(file, deny=denied))
        assert leaking(file) == {LEAKS[each] for each in IN_HANDLERS}
    found = {(each.at, each.effect) for each in report.findings}
    assert found == {LEAKS[each] for each in IN_HANDLERS}
    assert report.verdict == "breached"
    assert report.undecided == ()  # else an operation without a finding would say nothing


def test_there_is_a_truth_about_each_mistake() -> None:
    assert {*LEAKS} == {*MISTAKES}


def test_made_ready_for_a_probe_it_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "invoices"), "--break", "cache"]
    command += ["--probe", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as it:
        assert it.stdout is not None
        while "partywall probe --config" not in (line := it.stdout.readline()):
            assert line
        file = tmp_path / "partywall.toml"
        assert str(file) in line
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (again.returncode, str(file) in again.stderr) == (1, True)
        assert leaking(file) == {LEAKS["cache"]}
        os.killpg(it.pid, signal.SIGINT)  # as a terminal sends it for Ctrl-C
        it.communicate(timeout=PATIENCE_S)
    assert (it.returncode, list(tmp_path.iterdir())) == (0, [])
