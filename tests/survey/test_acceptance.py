"""Findings that a configuration accepts: which, for how long, and what the report then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from partywall.errors import ConfigurationError
from partywall.survey.acceptance import sort_out
from partywall.survey.configuration import Acceptance, load
from tests.reports.values import FINDING
from tests.survey.surveys import WALLED, found

if TYPE_CHECKING:
    from pathlib import Path

    from tests.survey.surveys import Survey

TODAY = date(2026, 5, 6)
AT = FINDING.at
WRITE = replace(FINDING, code="PW224", name="change-row", effect="write")


@pytest.mark.parametrize("named", ["read-rows", "PW201"])
def test_a_finding_is_accepted_by_its_name_and_by_its_code(named: str) -> None:
    one = Acceptance(named, AT, "agreed", date(2026, 12, 31))

    counted, excepted, remarks = sort_out([FINDING, WRITE], [one], TODAY)

    assert counted == (WRITE,)
    assert [(e.finding, e.because, e.until) for e in excepted] == [
        (FINDING, "agreed", "2026-12-31")
    ]
    assert remarks == ()


@pytest.mark.parametrize(
    ("until", "accepted"),
    [(None, True), (date(2026, 5, 6), True), (date(2026, 5, 5), False)],
)
def test_an_exception_lasts_through_its_last_day(until: date | None, *, accepted: bool) -> None:
    counted, excepted, remarks = sort_out(
        [FINDING], [Acceptance("read-rows", AT, "for now", until)], TODAY
    )

    assert (counted == (), len(excepted) == 1) == (accepted, accepted)
    if not accepted:
        assert remarks == (f"the exception for read-rows at {AT} ended on 2026-05-05",)


@pytest.mark.parametrize(
    ("days", "told"), [(0, "today"), (1, "tomorrow"), (30, "in 30 days"), (31, ""), (None, "")]
)
def test_one_that_soon_ends_is_named_in_good_time(days: int | None, told: str) -> None:
    until = None if days is None else TODAY + timedelta(days=days)

    counted, _, remarks = sort_out(
        [FINDING], [Acceptance("read-rows", AT, "for now", until)], TODAY
    )

    assert counted == ()
    said = (f"the exception for read-rows at {AT} ends on {until}, {told}",)
    assert remarks == (said if told else ())


@pytest.mark.parametrize("at", ["public.*", "*", "public.users.*", "GET /users/*"])
def test_an_exception_has_no_patterns(at: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="names one surface as the report prints it"):
        load(declared(tmp_path, at))


def test_a_name_may_hold_anything(tmp_path: Path) -> None:
    at = 'public."a*b"'
    [one] = load(declared(tmp_path, at)).exceptions
    assert (one.at, one.because, one.until) == (at, "agreed", date(2027, 6, 30))


def declared(folder: Path, at: str) -> Path:
    file = folder / "partywall.toml"
    file.write_text(
        '[database]\nurl = "postgresql://postgres@127.0.0.1/app"\n[[exceptions]]\n'
        f"finding = 'read-rows'\nat = '{at}'\nbecause = 'agreed'\nuntil = 2027-06-30\n"
    )
    return file


@pytest.mark.parametrize(
    "other",
    [
        Acceptance("change-row", AT, "x"),
        Acceptance("read-rows", "public.other", "x"),
        Acceptance("read-rows", "invoices", "x"),
        Acceptance("READ-ROWS", AT, "x"),
    ],
)
def test_one_that_matches_nothing_is_named(other: Acceptance) -> None:
    counted, excepted, remarks = sort_out([FINDING], [other], TODAY)

    assert (counted, excepted) == ((FINDING,), ())
    assert remarks == (f"the exception for {other.finding} at {other.at} matches no finding",)


def test_one_exception_covers_all_who_do_the_same() -> None:
    again = replace(FINDING, attacker="anonymous")

    counted, excepted, remarks = sort_out(
        [FINDING, again], [Acceptance("read-rows", AT, "agreed")], TODAY
    )

    assert (counted, len(excepted), remarks) == ((), 2, ())


LEAK = WALLED + "CREATE POLICY open ON notes FOR SELECT USING (true);"
ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


@ON_15
def test_an_accepted_finding_leaves_the_verdict_held(survey: Survey) -> None:
    survey.database.execute(LEAK)
    accepted = (
        Acceptance("read-rows", "public.notes", "a notice board"),
        Acceptance("delete-row", "public.notes", "never happened"),
        Acceptance("PW201", "public.notes", "once", date(2020, 1, 1)),
    )

    report = survey("read-rows", "delete-row", exceptions=accepted)

    assert report.verdict == "held"
    assert not report.findings
    assert {e.because for e in report.excepted} == {"a notice board"}
    assert report.cells == {
        ("public.notes", "read"): "excepted", ("public.notes", "destroy"): "held",
    }  # fmt: skip
    assert report.remarks == (
        "the exception for delete-row at public.notes matches no finding",
        "the exception for PW201 at public.notes ended on 2020-01-01",
    )


@ON_15
def test_what_was_not_accepted_still_breaches(survey: Survey) -> None:
    survey.database.execute(LEAK + "CREATE POLICY wipe ON notes FOR DELETE USING (true);")

    report = survey(
        "read-rows", "delete-row",
        exceptions=(Acceptance("read-rows", "public.notes", "a notice board"),),
    )  # fmt: skip

    assert report.verdict == "breached"
    assert found(report) == {("destroy", "public.notes")}
    assert report.cells["public.notes", "read"] == "excepted"
