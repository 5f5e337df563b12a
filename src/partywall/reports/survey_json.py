"""A joined report for programs, described by `survey.schema.json` beside this file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from importlib.resources import files
from json import loads
from typing import TYPE_CHECKING, cast, get_args

from partywall import __version__
from partywall.reports import json
from partywall.reports.json import VERSION, finding
from partywall.reports.layer_overview import matrix
from partywall.survey.http.report import HttpReport
from partywall.survey.verdict import Report, State

if TYPE_CHECKING:
    from partywall.reports.json import Document
    from partywall.survey.layers import AnyLayer, LayerReport, WholeReport

PARTS = ("audit", "probe")


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `report`, with those of its parts in it."""
    found = whole()
    found["$defs"] |= {name: _read(name) for name in PARTS}
    return found


def whole() -> Document:
    """The same without those of its parts, as it stands beside this file."""
    return _read("survey")


def _read(name: str) -> Document:
    text = (files(__package__) / f"{name}.schema.json").read_text(encoding="utf-8")
    return cast("Document", loads(text))


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
    states = Counter(one.state for one in found.tried)
    open_ = [asdict(one) for one in found.tried if one.state == "undecided"]
    return {
        "schema_version": VERSION,
        "layer": found.layer,
        "verdict": found.verdict,
        "target": found.target,
        "tenants": list(found.tenants),
        "findings": [finding(one) for one in found.findings],
        "undecided": [asdict(one) for one in found.undecided],
        "excepted": [
            {"finding": finding(one.finding), "because": one.because, "until": one.until or None}
            for one in found.excepted
        ],
        "known": [finding(one) for one in found.known],
        "known_undecided": [asdict(one) for one in found.known_undecided],
        "not_tried": list(found.left),
        "remarks": list(found.remarks),
        "matrix": {at: dict(cells) for at, cells in matrix(found).items()},
        "coverage": {
            "surfaces": len({one.at for one in found.tried}),
            "attempts": len(found.tried),
            "states": {state: states[state] for state in get_args(State)},
            "not_attacked": [{k: v for k, v in one.items() if k != "state"} for one in open_],
        },
        "controls": {name: found.controls.get(name, 0) for name in ("proved", "failed")},
        "versions": dict(found.versions),
        "duration_s": round(found.duration_s, 3),
    }
