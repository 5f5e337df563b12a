"""The report for programs: one JSON document, described by `audit.schema.json` beside this file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from importlib.resources import files
from json import dumps, loads
from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args

from partywall.reports.facts import coverage, readable, versions
from partywall.survey.verdict import EFFECTS, Finding, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.catalog.facts import Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.http.report import Tried as HttpTried
    from partywall.survey.identity import Identity, Who
    from partywall.survey.layers import AnyLayer, Tried
    from partywall.survey.verdict import Report, WitnessStep

Document: TypeAlias = "dict[str, Any]"

VERSION = 1
"""Of the schema: it grows when a key goes or changes its meaning."""


def schema() -> Document:
    """The JSON Schema (draft 2020-12) of `report`, and in ``$defs`` of `explanation`."""
    return described("audit")


def described(name: str) -> Document:
    """The JSON Schema of that name, as it stands beside this file."""
    text = (files(__package__) / f"{name}.schema.json").read_text(encoding="utf-8")
    return cast("Document", loads(text))


def written(document: Document | list[Document]) -> str:
    """The text of a document; what is not ASCII stays readable."""
    return dumps(document, indent=2, ensure_ascii=False) + "\n"


def report(found: Report) -> Document:
    """A survey's report as a document."""
    return {
        "schema_version": VERSION,
        "verdict": found.verdict,
        "target": found.target,
        "place": found.place,
        "attacker": found.attacker,
        **judged(found),
        "advice": [asdict(one) for one in found.advice],
        "not_tried": list(found.left),
        "remarks": list(found.remarks),
        "matrix": matrix(found.cells),
        "walls": {at: list(found.walls[at]) for at in sorted(found.walls)},
        "coverage": coverage(found),
        "fleet": asdict(found.fleet) if found.fleet else None,
        "attempts": found.attempts,
        "controls": {name: found.controls.get(name, 0) for name in ("proved", "failed")},
        "model": model(found.model) if found.model else None,
        "tenants": tenants(found.identities),
        "versions": versions(found),
        "duration_s": round(found.duration_s, 3),
    }


def judged(found: AnyLayer) -> Document:
    """What makes the verdict, and what is accepted or known: the same in every report."""
    return {
        "findings": [finding(one) for one in found.findings],
        "undecided": [asdict(one) for one in found.undecided],
        "excepted": [
            {"finding": finding(one.finding), "because": one.because, "until": one.until or None}
            for one in found.excepted
        ],
        "known": [finding(one) for one in found.known],
        "known_undecided": [asdict(one) for one in found.known_undecided],
    }


def attempts(tried: Sequence[HttpTried | Tried]) -> Document:
    """How many attempts ended how, and which of them prove nothing."""
    states = Counter(one.state for one in tried)
    open_ = [asdict(one) for one in tried if one.state == "undecided"]
    return {
        "attempts": len(tried),
        "states": {state: states[state] for state in get_args(State)},
        "not_attacked": [{k: v for k, v in one.items() if k != "state"} for one in open_],
    }


def matrix(cells: Mapping[tuple[str, str], State]) -> dict[str, dict[str, State]]:
    """Surface -> effect -> the worst state, both in a fixed order."""
    found: dict[str, dict[str, State]] = {}
    for at, effect in sorted(cells, key=lambda cell: (cell[0], EFFECTS.index(cell[1]))):
        found.setdefault(at, {})[effect] = cells[at, effect]
    return found


def finding(one: Finding) -> Document:
    """One breach, with its witness."""
    document = {field.name: getattr(one, field.name) for field in fields(Finding)}
    document |= {"witness": [witness(step) for step in one.witness], "repair": list(one.repair)}
    if one.layer == "http":  # what mends an API is no statement
        del document["repair"]
    return document


def witness(step: WitnessStep) -> Document:
    """One step: who ran it is its ``as``; what was run is either SQL or a command."""
    what = {"request": step.request} if step.request else {"sql": step.sql}
    return {"as": step.actor, **what, "returned": step.returned}


def explanation(
    found: TenancyModel, identities: Mapping[Who, Identity], snapshot: Snapshot, target: str
) -> Document:
    """What a survey would assume, before any attack."""
    return {
        "schema_version": VERSION,
        "target": target,
        "model": model(found),
        "tenants": tenants(identities),
        "versions": {"postgresql": readable(str(snapshot.version))},
    }


def model(found: TenancyModel) -> Document:
    """The tenancy model: what belongs to tenants and why, what is shared and why."""
    return {
        "isolation": found.isolation.value,
        "settings": list(found.settings),
        "carried_by_role": found.carried_by_role,
        "carried_by_path": found.carried_by_path,
        "logins": list(found.logins),
        "schemas": dict(found.schemas),
        "owned": {table: asdict(why) for table, why in found.owned.items()},
        "shared": dict(found.shared),
        "notes": list(found.notes),
    }


def tenants(identities: Mapping[Who, Identity]) -> list[Document]:
    """Who acts, and how the server then sees them; neither addresses nor values of settings."""
    return [
        {
            "part": identity.who,
            "name": identity.name,
            "login": identity.login,
            "role": identity.role,
            "database": identity.database,
            "search_path": list(identity.search_path),
            "settings": [name for name, _ in identity.settings],
        }
        for identity in identities.values()
    ]
