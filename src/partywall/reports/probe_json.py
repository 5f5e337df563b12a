"""A probe's report for programs, described by `probe.schema.json` beside this file."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from partywall.reports.json import VERSION, attempts, described, judged, witness
from partywall.reports.probe_matrix import matrix, operations

if TYPE_CHECKING:
    from partywall.reports.json import Document
    from partywall.survey.http.report import HttpReport, Open


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `report`."""
    return described("probe")


def report(found: HttpReport) -> Document:
    """A probe's report as a document."""
    return {
        "schema_version": VERSION,
        "verdict": found.verdict,
        "target": found.target,
        "tenants": list(found.tenants),
        **judged(found),
        "public": [_open(one) for one in found.public],
        "shared": [_open(one) for one in found.shared],
        "advice": [asdict(one) for one in found.advice],
        "killers": list(found.killers),
        "not_tried": list(found.left),
        "remarks": list(found.remarks),
        "matrix": {at: dict(cells) for at, cells in matrix(found).items()},
        "coverage": {"operations": len(operations(found)), **attempts(found.tried)},
        "requests": found.requests,
        "controls": {name: found.controls.get(name, 0) for name in ("proved", "failed")},
        "seed": found.seed,
        "versions": dict(found.versions),
        "duration_s": round(found.duration_s, 3),
    }


def _open(one: Open) -> Document:
    return asdict(one) | {"witness": [witness(step) for step in one.witness]}
