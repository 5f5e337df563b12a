"""A hole is known again: by what it is, never by what differs between two runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from partywall.survey.fingerprint import fingerprint
from partywall.survey.verdict import Undecided, WitnessStep
from tests.reports import probe_values
from tests.reports.values import FINDING

OPEN = Undecided("PW201", "read-rows", "read", "public.invoices", "no row could be planted")


@pytest.mark.parametrize(
    "of_another_run",
    [
        {"witness": (WitnessStep("acme", "SELECT 1", "pwb7f3a91"),)},
        {"because": "rows of globex-2 came back"},
        {"fix": "another", "url": "https://elsewhere.test/"},
        {"attacker": "globex", "victim": "acme"},
        {"attacker": "7d1f", "victim": "9c2e"},
        {"name": "read-rows-renamed"},
        {"layer": "catalog"},
    ],
)
def test_what_differs_between_runs_changes_nothing(of_another_run: dict[str, Any]) -> None:
    assert fingerprint(replace(FINDING, **of_another_run)) == fingerprint(FINDING)


@pytest.mark.parametrize(
    "other",
    [
        {"code": "PW202"},
        {"effect": "write"},
        {"at": "public.invoices (org_id)"},
        {"at": 'public."Invoices"'},
        {"attacker": "anonymous"},
        {"attacker": "empty context"},
    ],
)
def test_another_hole_has_another_fingerprint(other: dict[str, Any]) -> None:
    assert fingerprint(replace(FINDING, **other)) != fingerprint(FINDING)


def test_parts_do_not_run_into_each_other() -> None:
    one = replace(FINDING, code="PW2", at='", "public.t')
    assert fingerprint(one) != fingerprint(replace(FINDING, code='PW2", "', at="public.t"))


def test_what_is_undecided_is_not_taken_for_what_is_breached() -> None:
    assert fingerprint(OPEN) != fingerprint(FINDING)
    assert fingerprint(OPEN) == fingerprint(replace(OPEN, because="another reason"))


def test_a_tenant_of_an_api_may_be_called_anything() -> None:
    found = probe_values.FINDING
    assert fingerprint(replace(found, attacker="anonymous")) == fingerprint(found)


def test_a_fingerprint_stays_what_it_was() -> None:
    """Baselines and dashboards keep it: a change of it takes another VERSION."""
    kept = "675f8bd63580419505b5be994a70f9407153adefb8eb543dcc9865849dbb458c"
    assert fingerprint(FINDING) == kept
