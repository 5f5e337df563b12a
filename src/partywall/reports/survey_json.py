"""A joined report for programs, described by `survey.schema.json` beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall import __version__
from partywall.reports import json
from partywall.reports.json import VERSION, attempts, described, judged
from partywall.reports.layer_overview import matrix
from partywall.survey.http.report import HttpReport
from partywall.survey.verdict import Report

if TYPE_CHECKING:
    from partywall.reports.json import Document
    from partywall.survey.layers import AnyLayer, LayerReport, WholeReport

PARTS = ("audit", "probe")


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `report`, with those of its parts in it."""
    found = whole()
    found["$defs"] |= {name: described(name) for name in PARTS}
    return found


def whole() -> Document:
    """The same without those of its parts, as it stands beside this file."""
    return described("survey")


def report(found: WholeReport) -> Document:
    """A joined report as a document; each layer as its own command writes it."""
    return {
        "schema_version": VERSION,
        "verdict": found.verdict,
        "layers": {name: _layer(one) for name, one in found.layers.items()},
        "not_tried": list(found.left),
        "versions": {"partywall": __version__},
        "duration_s": round(found.duration_s, 3),
    }


def _layer(one: AnyLayer) -> Document:
    if isinstance(one, Report):
        return json.report(one)
    if isinstance(one, HttpReport):
        from partywall.reports import probe_json  # noqa: PLC0415 - partywall[probe]

        return probe_json.report(one)
    return further(one)


def further(found: LayerReport) -> Document:
    """A further layer's report as a document."""
    return {
        "schema_version": VERSION,
        "layer": found.layer,
        "verdict": found.verdict,
        "target": found.target,
        "tenants": list(found.tenants),
        **judged(found),
        "not_tried": list(found.left),
        "remarks": list(found.remarks),
        "matrix": {at: dict(cells) for at, cells in matrix(found).items()},
        "coverage": {
            "surfaces": len({one.at for one in found.tried}),
            **attempts(found.tried),
        },
        "controls": {name: found.controls.get(name, 0) for name in ("proved", "failed")},
        "versions": dict(found.versions),
        "duration_s": round(found.duration_s, 3),
    }
