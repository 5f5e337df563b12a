"""Reports as JSON, read back: what a comparison goes by, or one line that says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.errors import ConfigurationError
from partywall.reports import probe_json
from partywall.reports.json import report as document
from partywall.reports.json import written
from partywall.reports.saved import read
from partywall.survey.http.report import HttpReport
from partywall.survey.standing import Standing, standing
from partywall.survey.verdict import Report
from tests.reports import test_json, test_probe_json
from tests.reports.values import report

AUDIT = replace(test_json.FULL, walls={"public.invoices": ("row security", "app may SELECT")})
PROBE = replace(test_probe_json.FULL, findings=test_probe_json.FULL.known)
TEXT = written(document(AUDIT))


def saved(text: str, folder: Path) -> Standing:
    file = folder / "report.json"
    file.write_text(text, encoding="utf-8")
    return read(file)


@pytest.mark.parametrize("found", [AUDIT, report(), replace(AUDIT, model=None)])
def test_an_audit_is_read_back(found: Report, tmp_path: Path) -> None:
    assert saved(written(document(found)), tmp_path) == standing(found)


@pytest.mark.parametrize("found", [PROBE, replace(PROBE, tried=())])
def test_a_probe_is_read_back(found: HttpReport, tmp_path: Path) -> None:
    bare = tuple(replace(one, recipe=None) for one in found.findings)  # type: ignore[call-arg]  # of an API
    again = saved(written(probe_json.report(found)), tmp_path)
    told = standing(replace(found, findings=bare, known=bare))
    assert again.cells == told.cells
    assert again.undecided == told.undecided
    assert [(o.code, o.at, o.witness) for o in again.breached] == [
        (o.code, o.at, o.witness) for o in told.breached
    ]


def test_keys_of_a_later_release_are_passed_over(tmp_path: Path) -> None:
    later = document(AUDIT) | {"weather": "fine"}
    assert saved(written(later), tmp_path) == standing(AUDIT)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no whole JSON"),
        ("[" * 100_000, "no whole JSON"),
        ("[]", "is no report"),
        ('"text"', "is no report"),
        ("{}", "no schema_version"),
        ('{"schema_version": "1"}', "no schema_version"),
        ('{"schema_version": 1}', "lacks target"),
        ('{"schema_version": 2}', "version 2, this release reads up to 1"),
        ('{"partywall_baseline": 1}', "is a baseline, no report"),
        (TEXT.replace('"matrix"', '"m"'), "lacks matrix"),
        (TEXT.replace('"read": "known"', '"read": "splendid"'), "unknown states"),
        (TEXT.replace('"effect": "read"', '"effect": "smell"'), "unknown effect"),
        (TEXT.replace('"fix":', '"mend":'), "lacks 'fix'"),
        (TEXT.replace('"code": "PW201"', '"code": 201'), "must be texts"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        saved(text, tmp_path)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_isn_t_there_is_refused_with_the_way_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no report .*--format json"):
        read(tmp_path / "none.json")


@given(end=st.integers(0, len(TEXT) - 3))
def test_wherever_it_is_cut_off_it_is_refused(
    tmp_path_factory: pytest.TempPathFactory, end: int
) -> None:
    with pytest.raises(ConfigurationError):
        saved(TEXT[:end], tmp_path_factory.mktemp("cut"))


def places(part: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """Where every value stands in a document."""
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in inner if isinstance(part, dict | list) else ():
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from places(value, (*before, key))


PLACES = list(places(json.loads(TEXT)))


@given(place=st.sampled_from(PLACES), value=st.sampled_from([None, 3, "x", [], {}, [3], {"a": 3}]))
def test_whatever_stands_in_it_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], value: object
) -> None:
    document = json.loads(TEXT)
    part = document
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    try:
        saved(json.dumps(document), tmp_path_factory.mktemp("odd"))
    except ConfigurationError as error:
        assert "\n" not in str(error)  # noqa: PT017 - one of two ways to end, each as good
