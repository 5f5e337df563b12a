"""What the tests of attacks ask of a report: who breached what, and the mend it proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partywall.survey.verdict import Report
    from tests.survey.attacks.lab import Lab

ANYONE = ("acme", "anonymous", "empty context")


def by_whom(report: Report) -> set[tuple[str, str, str]]:
    """Attacker, surface and effect of every finding, each of which has a witness."""
    assert all(finding.witness for finding in report.findings)
    return {(finding.attacker, finding.at, finding.effect) for finding in report.findings}


def mend(lab: Lab, report: Report) -> None:
    """Do what the findings propose."""
    for fix in sorted({finding.fix for finding in report.findings}):
        lab.database.execute(fix)
