"""A probe's report for programs, described by `probe.schema.json` beside this file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from importlib.resources import files
from json import loads
from typing import TYPE_CHECKING, cast, get_args

from partywall.reports.json import VERSION, finding, witness
from partywall.reports.probe_matrix import matrix, operations, unattacked
from partywall.survey.verdict import State

if TYPE_CHECKING:
    from partywall.reports.json import Document
    from partywall.survey.http.report import HttpReport, Open


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `report`."""
    text = (files(__package__) / "probe.schema.json").read_text(encoding="utf-8")
    return cast("Document", loads(text))


def report(found: HttpReport) -> Document:
    """A probe's report as a document."""
    return {
        "schema_version": VERSION,
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
        "public": [_open(one) for one in found.public],
        "shared": [_open(one) for one in found.shared],
        "advice": [asdict(one) for one in found.advice],
        "killers": list(found.killers),
        "not_tried": list(found.left),
        "remarks": list(found.remarks),
        "matrix": {at: dict(cells) for at, cells in matrix(found).items()},
        "coverage": _coverage(found),
        "requests": found.requests,
        "controls": {name: found.controls.get(name, 0) for name in ("proved", "failed")},
        "seed": found.seed,
        "versions": dict(found.versions),
        "duration_s": round(found.duration_s, 3),
    }


def _open(one: Open) -> Document:
    return asdict(one) | {"witness": [witness(step) for step in one.witness]}


def _coverage(found: HttpReport) -> Document:
    states = Counter(one.state for one in found.tried)
    left = [asdict(one) for one in unattacked(found)]
    return {
        "operations": len(operations(found)),
        "attempts": len(found.tried),
        "states": {state: states[state] for state in get_args(State)},
        "not_attacked": [{k: v for k, v in one.items() if k != "state"} for one in left],
    }
