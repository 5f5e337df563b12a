"""The pages: those written from the code are what it says, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import pages
from partywall.survey.attacks import every_attack
from partywall.survey.checks import every_check
from partywall.survey.explaining.pages import pages as explained
from partywall.survey.http.attacks import every_attack as every_http_attack
from partywall.survey.verdict import explained as explained_at

ROOT = Path(__file__).parents[1]
WRITTEN = pages()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """What a link may name within *page*, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", WRITTEN)
def test_a_written_page_is_what_the_code_says(path: str) -> None:
    there = (ROOT / "docs" / path).read_text(encoding="utf-8")
    assert there == WRITTEN[path], "run python docs/generate.py"


def test_each_finding_s_address_leads_to_its_page() -> None:
    names = {attack.name for attack in every_attack()} | {check.name for check in every_check()}
    names |= {attack.name for attack in every_http_attack()}
    assert names <= {page.name for page in explained()}
    for page in explained():
        path = explained_at(page.name).partition("/blob/main/")[2]
        assert path.removeprefix("docs/") in WRITTEN


def test_the_folder_of_pages_holds_no_other() -> None:
    there = {f"findings/{path.name}" for path in (ROOT / "docs" / "findings").iterdir()}
    assert there == {path for path in WRITTEN if path.startswith("findings/")}


def test_addresses_from_when_there_was_one_page_still_lead_to_each() -> None:
    index = (ROOT / "docs" / "findings.md").read_text()
    assert all(f'<a id="{page.name}"></a>' in index for page in explained())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_the_first_screen_has_two_commands() -> None:
    first = FENCE.findall((ROOT / "README.md").read_text())[0]
    commands = [line.split("#")[0].strip() for line in first.splitlines()[1:-1]]
    assert commands == ["make demo", "make test"]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
