"""The demo tells the truth: sound walls hold, and each mistake is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from partywall.demo import CHAPTERS, Chapter, built, script
from partywall.servers import Postgres
from partywall.survey.audit import audit
from partywall.survey.verdict import Report
from tests.cli.harbour import partywall
from tests.conftest import installation, started

MISTAKES = {
    "row security, eight mistakes": {
        "public.open_invoices", "public.files", "public.comments", "public.api_keys",
        "public.tasks", "public.members", "public.directory", "public.invoice_numbers",
    },
    "schemas, four mistakes": {
        "globex.projects", "globex.tasks", "shared.all_invoices", "shared.outbox",
        "shared.addresses",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def own_server() -> Iterator[Postgres]:
    """The demo drops every role of its server, so that it wants one of its own."""
    yield from started(installation(embedded=True))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_ends_as_it_says(chapter: Chapter, own_server: Postgres) -> None:
    with built(chapter, own_server) as configuration:
        report = audit(configuration)
    assert report.verdict == chapter.expected, report.undecided or report.findings
    assert report.undecided == ()
    assert chapter.effects <= {finding.effect for finding in report.findings}
    assert breached(report) == MISTAKES.get(chapter.name, set())


def breached(report: Report) -> set[str]:
    """The relations and functions that were breached, without columns and arguments."""
    return {".".join(f.at.partition("(")[0].split(".")[:2]).strip() for f in report.findings}


@pytest.mark.parametrize("name", ["rows_mistakes.sql", "schemas_mistakes.sql"])
def test_each_mistake_is_numbered_and_counted(name: str) -> None:
    numbers = re.findall(r"^-- (\d)\. ", script(name), re.MULTILINE)
    assert numbers == [str(n + 1) for n in range(len(numbers))]
    count = {"rows_mistakes.sql": "Eight", "schemas_mistakes.sql": "Four"}[name]
    assert script(name).startswith(f"-- {count} ordinary changes")
    assert len(numbers) == {"Eight": 8, "Four": 4}[count]


def test_the_command_shows_all_four_and_the_next_step(tmp_path: Path) -> None:
    done = partywall("demo", "--plain", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    for chapter in CHAPTERS:
        assert chapter.title in done.stdout
    assert done.stdout.count("✓ held       ") == 2
    assert done.stdout.count("✗ breached   ") == 2
    assert "[tenants.globex]" in done.stdout
    assert "audit --url postgresql://" in done.stdout
