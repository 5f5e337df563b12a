"""Every finding has a page with all its parts, and is found by its name or its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from partywall.errors import ConfigurationError
from partywall.reports.probe_overview import READABLE
from partywall.survey.attacks import every_attack
from partywall.survey.checks import every_check
from partywall.survey.coverage import UNCOVERED
from partywall.survey.explaining.pages import Page, page, pages
from partywall.survey.fleet.judging import DRIFT, TURN
from partywall.survey.http.attacks import every_attack as every_http_attack
from partywall.survey.http.engine import CONTROL
from partywall.survey.reporting import PLANTING
from tests.probe.corpus.case import entries
from tests.probe.explained import named

ROOT = Path(__file__).parents[3]
WITHOUT_EXAMPLES = {"server-version", "existence-told", "unique-told", "time-told", "tenant-drift"}
UNDECIDED = {one.name for one in pages() if one.kind == "undecided"}
SIDES = ("globex ", "acme ", "a stranger ")


def test_each_attack_and_each_check_has_a_page() -> None:
    found = {one.name for one in every_attack()} | {one.name for one in every_check()}
    found |= {one.name for one in every_http_attack()}
    assert found <= {page.name for page in pages()}
    assert len(pages()) == len({page.name for page in pages()})
    decided = [page for page in pages() if page.kind != "undecided"]
    assert len(decided) == len({page.code for page in decided})


def test_whatever_stays_undecided_has_a_page() -> None:
    for code, name in (PLANTING, UNCOVERED, TURN, DRIFT, CONTROL):
        assert (page(name).code, page(code).name) == (code, name)
    for name, (code, _) in READABLE.items():
        assert page(name).code == code


@pytest.mark.parametrize("one", pages(), ids=lambda page: page.name)
def test_a_page_has_all_its_parts(one: Page) -> None:
    assert one.summary.endswith(".")
    assert one.hazard
    assert one.affected.endswith(".")
    assert one.fix.endswith(".")
    assert all("https://" in source for source in one.sources)
    assert one.sources
    assert (one.name in WITHOUT_EXAMPLES | UNDECIDED) != bool(one.breaches and one.holds)


@pytest.mark.parametrize("one", pages(), ids=lambda page: page.name)
def test_requests_say_who_asks(one: Page) -> None:
    for example in (*one.breaches, *one.holds):
        if example.case:
            assert len(example.text.splitlines()) == 2
            assert all(line.startswith(SIDES) for line in example.text.splitlines())


def test_the_cases_that_pages_show_are_there_to_be_executed() -> None:
    corpus = {entry.name for entry in entries()}
    for case in named():
        assert case in corpus or (ROOT / case).is_file()
    for one in pages():
        for example in (*one.breaches, *one.holds):
            if example.case.endswith(".py"):
                assert f'"{one.name}"' in (ROOT / example.case).read_text()


@pytest.mark.parametrize("name", ["read-rows", "PW201", "pw201", "Read_Rows", " read-rows "])
def test_names_and_codes_are_taken_as_people_write_them(name: str) -> None:
    assert page(name).name == "read-rows"


@pytest.mark.parametrize(
    ("name", "near"),
    [("raed-rows", "read-rows"), ("undo-wals", "undo-walls"), ("trncate", "truncate")],
)
def test_a_wrong_name_is_answered_with_one_that_may_be_meant(name: str, near: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no finding is called '{name}'.*{near}"):
        page(name)


@pytest.mark.parametrize("name", ["PW999", 'it\'s "so"', "é' `"])
def test_where_nothing_is_near_there_is_the_list(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        page(name)
    told = f"no finding is called {name!r}; `partywall explain` lists all of them"
    assert str(refused.value) == told
