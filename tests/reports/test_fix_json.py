"""`partywall fix --format json`: what a statement mends is said once, whoever got through."""

from __future__ import annotations

from dataclasses import replace

from partywall.reports.fix_json import document
from partywall.survey.mending.migration import migration
from partywall.survey.mending.trial import Proposal, Surveyed
from tests.reports.values import FINDING, report


def test_a_finding_by_several_attackers_is_mended_once() -> None:
    mendable = replace(FINDING, repair=("ALTER VIEW list SET (security_invoker = true)",))
    found = (mendable, replace(mendable, attacker="anonymous"))
    surveyed = Surveyed(report(*found), frozenset())
    [statement] = document(Proposal(migration(found), surveyed, surveyed))["statements"]
    assert statement["mends"] == [{"code": FINDING.code, "name": FINDING.name, "at": FINDING.at}]
