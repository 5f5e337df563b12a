"""What a change did to the walls, for programs: `diff.schema.json` beside this describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from partywall.reports.json import VERSION, described, finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.reports.json import Document
    from partywall.survey.difference import Difference, Weakened
    from partywall.survey.verdict import Finding


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `report`."""
    return described("diff")


def report(found: Difference) -> Document:
    """A difference as a document."""
    return {
        "schema_version": VERSION,
        "verdict": found.verdict,
        "old": found.old,
        "new": found.new,
        "weakened": _weakened(found.weakened),
        "accepted": _weakened(found.accepted),
        "undecided": [
            {"undecided": asdict(one.undecided), "before": one.before} for one in found.undecided
        ],
        "mended": [_finding(one) for one in found.mended],
        "added": list(found.added),
        "removed": list(found.removed),
        "drift": [
            {"at": one.at, "gone": list(one.gone), "come": list(one.come)} for one in found.drift
        ],
        "remarks": list(found.remarks),
    }


def _weakened(found: Sequence[Weakened]) -> list[Document]:
    return [
        {"finding": _finding(one.finding), "before": one.before, "because": one.because}
        for one in found
    ]


def _finding(one: Finding) -> Document:
    """A breach, of a database or of an API."""
    return finding(one) | {"repair": list(one.repair)}
