"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/.

GitLab tells what is new in a merge request by the fingerprint, and shows each at a place in a file:
the one that declares the survey, since a wall has none of its own. What the baseline has stays in
the report, as `info`: left out, it would be shown as mended wherever the target branch has it.
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from partywall.reports.severity import SEVERITIES

if TYPE_CHECKING:
    from partywall.reports.overview import Breach, Doubt, Overview

DOUBT = "major"
"""What nothing can be said about fails the run, and is no breach yet."""
KNOWN = "info"


def written(found: Overview) -> str:
    """The report as a JSON document."""
    return dumps(issues(found), indent=2, ensure_ascii=False) + "\n"


def issues(found: Overview) -> list[dict[str, Any]]:
    """Breaches, then what is undecided, then what is known; what is accepted is none."""
    listed: list[tuple[dict[str, Any], str]]
    listed = [(_breach(one), SEVERITIES[one.finding.effect].gitlab) for one in found.breaches]
    listed += [(_doubt(one), DOUBT) for one in found.doubts]
    listed += [(_known(_breach(one)), KNOWN) for one in found.known]
    listed += [(_known(_doubt(one)), KNOWN) for one in found.known_doubts]
    location = {"path": found.source, "lines": {"begin": 1}}
    return [issue | {"severity": severity, "location": location} for issue, severity in listed]


def _breach(one: Breach) -> dict[str, Any]:
    return {
        "description": f"{one.at}: {one.finding.effect}, {one.because}",
        "check_name": f"{one.finding.code} {one.finding.name}",
        "fingerprint": one.fingerprint,
    }


def _doubt(one: Doubt) -> dict[str, Any]:
    return {
        "description": f"{one.at}: undecided ({one.column}), {one.because}",
        "check_name": f"{one.code} {one.name}",
        "fingerprint": one.fingerprint,
    }


def _known(issue: dict[str, Any]) -> dict[str, Any]:
    return issue | {"description": f"known by the baseline: {issue['description']}"}
