"""Storms on an application that loses its way on pooled connections, and on one that doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.pool.examples import stormed
from tests.survey.pool.shop import FAULTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)

BREACHED = {
    "context_in_a_global": {"crossed-answers"},
    "left_when_cancelled": {"abandoned-requests"},
    "left_when_failed": {"stumbled-requests"},
    "lost_when_cancelled": {"lasting-storm"},
}


def test_a_sound_application_holds_in_every_storm(database: Database, tmp_path: Path) -> None:
    report = stormed(database, tmp_path)
    assert report.verdict == "held", report.undecided
    assert {one.attack for one in report.tried} == set().union(*BREACHED.values())
    assert {one.state for one in report.tried} == {"held"}
    assert {one.at for one in report.tried} == {"pool GET /notes", "pool GET /notes/{note_id}"}


def test_what_shows_anothers_without_a_storm_is_undecided(
    database: Database, tmp_path: Path
) -> None:
    report = stormed(database, tmp_path, "list_of_all")
    assert report.verdict == "undecided"
    assert {one.at for one in report.undecided} == {"pool GET /notes"}
    assert "pool GET /notes" not in {one.at for one in report.tried}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_lost_in_a_storm_is_found(database: Database, tmp_path: Path, fault: str) -> None:
    report = stormed(database, tmp_path, fault)
    assert BREACHED[fault] <= {one.name for one in report.findings}
    for finding in report.findings:
        storm, answer = finding.witness
        assert storm.request.startswith("for _ in $(seq 8)")
        assert "a-secret-of" not in f"{finding}"
        assert finding.victim != finding.attacker
        if finding.effect == "read":
            assert "pw" in answer.returned


def test_requests_at_once_that_are_all_refused_prove_nothing(
    database: Database, tmp_path: Path
) -> None:
    report = stormed(database, tmp_path, "few_at_once")
    assert report.findings == ()
    assert {one.name for one in report.undecided} == {"crossed-answers"}
    assert all("[pool] at_once" in one.because for one in report.undecided)


def test_who_is_refused_after_a_storm_is_served_and_nothing_is_proven(
    database: Database, tmp_path: Path
) -> None:
    report = stormed(database, tmp_path, "closed_when_cancelled")
    assert report.findings == ()
    assert {"abandoned-requests", "lasting-storm"} <= {one.name for one in report.undecided}
    assert any("but answered 403" in one.because for one in report.undecided)
