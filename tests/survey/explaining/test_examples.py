"""What a page shows as a breach is one, what it shows as held holds, and its repair ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.survey.audit import Watch
from partywall.survey.mending.migration import migration
from partywall.survey.mending.trial import apply, surveyed
from tests.survey.explaining.examples import TENANTS, Lot, lots

if TYPE_CHECKING:
    from partywall.survey.engine import Judged
    from partywall.survey.mending.trial import Surveyed
    from partywall.survey.verdict import Finding
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
UNTRIED = {
    "read-large-objects", "shared-sequence", "make-roles", "predefined-roles", "truncate-rows",
    "reference-probe", "plant-trigger", "shared-writable", "replicate-rows", "change-settings",
    "plant-in-path", "change-context", "stale-plans", "switch-role", "cross-schema",
    "fall-through", "cross-database", "unique-across-tenants",
    "cross-reference", "undo-walls", "shadow-definers", "set-sequence",
}  # fmt: skip
"""Where it holds there is nothing left to try."""


class Tried(Watch):
    """The states of all attempts."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str, str]] = []

    def judged(self, one: Judged) -> None:
        words = " ".join([one.attempt.at, *(step.sql for step in one.attempt.steps)])
        self.states.append((one.attack.name, words, one.state))


@pytest.fixture
def loaded(database: Database, request: pytest.FixtureRequest) -> tuple[Lot, Database]:
    """A lot in the test's database; where each tenant has a database, in theirs."""
    lot: Lot = request.param
    if lot.application.apart:
        for tenant in TENANTS:
            database.execute(f"CREATE ROLE {tenant} LOGIN")
            database.execute(f"CREATE DATABASE {tenant}")
        for tenant in TENANTS:
            url = database.server.url(tenant)
            with psycopg.connect(url, autocommit=True) as connection:
                example = lot.script if tenant == "globex" else lot.application.script
                connection.execute(example.encode())
    else:
        database.execute(lot.script)
    return lot, database


def named(lot: Lot) -> str:
    return lot.pages[0].name if len(lot.pages) == 1 else "together"


def of(lot: Lot, page_name: str, findings: tuple[Finding, ...]) -> list[Finding]:
    """The findings of a page's own attack where its example stands."""
    [page] = [page for page in lot.pages if page.name == page_name]
    named = [f for f in findings if f.name == page_name]
    return [f for f in named if lot.schema(page) in (said := f"{f.at} {f.witness}")
            or "shop" not in said]  # fmt: skip


@pytest.mark.parametrize("loaded", lots(leaky=True), ids=named, indirect=True)
def test_breaches_until_it_is_mended(loaded: tuple[Lot, Database]) -> None:
    lot, database = loaded
    configuration = lot.configuration(database.server, database.name)
    only = frozenset(page.name for page in lot.pages)

    before, _ = surveyed(configuration, only=only)
    silent = [page.name for page in lot.pages if not of(lot, page.name, before.report.findings)]
    assert silent == []

    plan = migration(before.report.findings)
    if not plan.mends:
        return
    apply(configuration, plan.mends)
    after, _ = surveyed(configuration, only=only)
    assert gone(lot, before, after) == []
    assert sorted(before.access - after.access) == []


def gone(lot: Lot, before: Surveyed, after: Surveyed) -> list[str]:
    """Pages whose findings all had a repair and are still there."""
    still = []
    for page in lot.pages:
        found = of(lot, page.name, before.report.findings)
        if all(finding.repair for finding in found) and of(lot, page.name, after.report.findings):
            still.append(page.name)
    return still


@pytest.mark.parametrize("loaded", lots(leaky=False), ids=named, indirect=True)
def test_holds(loaded: tuple[Lot, Database]) -> None:
    lot, database = loaded
    configuration = lot.configuration(database.server, database.name)
    tried = Tried()

    report, _ = surveyed(
        configuration, only=frozenset(page.name for page in lot.pages), watch=tried
    )

    untried: set[str] = set()
    for page in lot.pages:
        assert of(lot, page.name, report.report.findings) == []
        alone = len(lot.pages) == 1
        states = {
            state
            for name, words, state in tried.states
            if name == page.name and (alone or lot.schema(page) in words)
        }
        assert states <= {"held", "closed"}
        untried |= set() if states else {page.name}
    assert untried <= UNTRIED
