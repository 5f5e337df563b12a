"""`partywall survey` of the reference application: sound, and where what it remembers leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.whole import load, survey
from tests.examples.invoices.leaks import leaking
from tests.examples.invoices.test_twins import LEAKS, OF_THE_HOUSE
from tests.examples.invoices.twins import twin

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.survey.layers import WholeReport

CAUGHT = {
    "cache": ("api", "GET /debtors"),
    "pool": ("api", "GET /invoices"),
    "jobs": ("jobs", "jobs worker of POST /exports"),
    "channel": ("api", "WS /invoices/{invoice_id}/live"),
    "files": ("api", "GET /files/{file_id}"),
}
"""The layer that catches each, and where."""


UNTOUCHED = ("search", "export", "reports", "customers/", "comments/", "invoices/batch")
"""Where none of these is made; the sound application is attacked there, too."""


def surveyed(file: Path, *further: str, only: str = "") -> WholeReport:
    """Survey what a partywall.toml names, but for what the control plane answers, and *further*."""
    denied = "".join(f'"* /{each}*", ' for each in OF_THE_HOUSE)
    denied += "".join(f'"GET /{each}*", "PUT /{each}*", "DELETE /{each}*", ' for each in further)
    file.write_text(file.read_text().replace("deny = [", f"deny = [{denied}", 1))
    return survey(load(file, only=[only] if only else []))


def test_the_sound_application_holds_in_every_layer(tmp_path: Path) -> None:
    with twin(tmp_path) as file:
        assert leaking(file) == set()
        report = surveyed(file)
    assert {name: one.verdict for name, one in report.layers.items()} == {
        "api": "held", "pool": "held", "jobs": "held",
    }, report  # fmt: skip


@pytest.mark.parametrize("mistake", CAUGHT)
def test_what_leaks_beside_the_database_is_caught(mistake: str, tmp_path: Path) -> None:
    with twin(tmp_path, mistake) as file:
        report = surveyed(file, *UNTOUCHED, only=CAUGHT[mistake][0])
    found = {(name, one.at) for name, layer in report.layers.items() for one in layer.findings}
    assert CAUGHT[mistake] in found
    if mistake != "pool":  # with it the company's own list is now its own and now another's
        assert found == {CAUGHT[mistake]}
    assert report.verdict == "breached"


def test_each_is_caught_where_it_is_made() -> None:
    for mistake, (_, at) in CAUGHT.items():
        operation, _ = LEAKS[mistake]
        assert operation == at or mistake == "jobs"
