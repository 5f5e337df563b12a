"""A baseline as a file: always the same, easy to review, and read back or refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.errors import ConfigurationError
from partywall.reports.baseline import read, written
from partywall.survey.baseline import baseline
from partywall.survey.verdict import Finding, Undecided
from tests.reports.values import FINDING, report

FINDINGS = [
    FINDING,
    replace(FINDING, attacker="anonymous"),
    replace(FINDING, at='public."naïve (x)"', effect="write", code="PW224", name="change-row"),
    replace(FINDING, at="public.a", effect="destroy", code="PW225", name="delete-row"),
]
WHOLE = replace(
    report(*FINDINGS),
    undecided=(Undecided("PW222", "move-row", "write", "public.log", "canary pwbzzzzzz"),),
)
TEXT = written(baseline(WHOLE))


@given(st.permutations(FINDINGS))
def test_it_is_the_same_in_whatever_order_things_were_found(findings: list[Finding]) -> None:
    assert written(baseline(replace(WHOLE, findings=tuple(findings)))) == TEXT


def test_each_way_is_a_line_whoever_takes_it() -> None:
    assert TEXT.splitlines()[4:] == [
        '"breached": [',
        (
            '  {"at": "public.\\"naïve (x)\\"", "effect": "write", "code": "PW224", '
            '"name": "change-row", "by": ["tenant"]},'
        ),
        (
            '  {"at": "public.a", "effect": "destroy", "code": "PW225", "name": "delete-row", '
            '"by": ["tenant"]},'
        ),
        (
            '  {"at": "public.invoices", "effect": "read", "code": "PW201", "name": "read-rows", '
            '"by": ["anonymous", "tenant"]}'
        ),
        "],",
        '"undecided": [',
        '  {"at": "public.log", "effect": "write", "code": "PW222", "name": "move-row"}',
        "]",
        "}",
    ]


def test_nothing_of_a_witness_stands_in_it() -> None:
    for secret in ("pwb", "22222222", "SELECT", FINDING.because):
        assert secret not in TEXT


@pytest.mark.parametrize("whole", [WHOLE, report()])
def test_it_is_read_back(whole: object, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    known = baseline(whole)  # type: ignore[arg-type]  # one of two reports
    file.write_text(written(known), encoding="utf-8")
    assert read(file, "audit") == known


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no baseline"),
        (TEXT[:200], "no whole JSON"),
        ("", "no whole JSON"),
        ("[]", "is no baseline"),
        ("{}", "no partywall_baseline"),
        ('{"partywall_baseline": true}', "no partywall_baseline"),
        (TEXT.replace('baseline": 1', 'baseline": 2'), "is of version 2"),
        (TEXT.replace('"audit"', '"probe"'), "of another command than `partywall audit`"),
        (
            '{"schema_version": 1, "findings": []}',
            "is a report: give the baseline a file of its own",
        ),
        (TEXT.replace('"breached"', '"broken"'), "is not whole"),
        (TEXT.replace('"effect": "read"', '"effect": "smell"'), "is not whole"),
        (TEXT.replace('"code": "PW201"', '"code": 201'), "is not whole"),
        (TEXT.replace('["tenant"]', "[]"), "is not whole"),
    ],
)
def test_what_is_no_baseline_is_refused_in_one_line(
    text: str | None, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "b.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read(file, "audit")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_can_t_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read"):
        read(tmp_path, "audit")
    (tmp_path / "latin").write_bytes(b"\xff\xfe{")
    with pytest.raises(ConfigurationError, match="no text in UTF-8"):
        read(tmp_path / "latin", "audit")


@given(st.integers(0, len(TEXT) - 3))
def test_wherever_it_is_cut_off_it_is_refused(
    tmp_path_factory: pytest.TempPathFactory, end: int
) -> None:
    file = tmp_path_factory.mktemp("cut") / "b.json"
    file.write_text(TEXT[:end], encoding="utf-8")
    with pytest.raises(ConfigurationError):
        read(file, "audit")


def test_a_hand_may_write_it(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    file.write_text(json.dumps(json.loads(TEXT), indent=4), encoding="utf-8")
    assert read(file, "audit") == baseline(WHOLE)
