"""A report that was written as JSON, read back: how every wall stood then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from partywall.errors import ConfigurationError
from partywall.reports import json
from partywall.reports.documents import document, versioned
from partywall.survey.standing import Standing, made, unsaid
from partywall.survey.verdict import EFFECTS, Finding, State, Undecided, WitnessStep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from partywall.reports.documents import Document

MAKE = "`partywall audit --format json --output FILE` (or probe) writes one"

COMMON = (
    "target", "findings", "known", "excepted", "undecided", "known_undecided", "matrix",
)  # fmt: skip
OF_AUDITS = ("attacker", "place", "walls", "model")
OF_PROBES = ("public", "shared")
TOLD = ("code", "name", "effect", "at", "because")


def read(file: Path) -> Standing:
    """The survey that *file* tells of, an audit or a probe.

    Raises:
        ConfigurationError: it isn't there, is no such report, not a whole one, or a newer one's.
    """
    found = document(file, "report", MAKE)
    if "partywall_baseline" in found:
        raise ConfigurationError(f"{file} is a baseline, no report: {MAKE}")
    where = f"the report {file}"
    versioned(found, "schema_version", json.VERSION, where)
    probed = "requests" in found
    _whole(found, COMMON + (OF_PROBES if probed else OF_AUDITS), where)
    try:
        return _probed(found) if probed else _audited(found)
    except KeyError as error:
        message = f"{where} is not as partywall writes it: something in it lacks {error}"
        raise ConfigurationError(message) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{where} is not as partywall writes it: {error}") from error


def _whole(found: Document, needed: Iterable[str], where: str) -> None:
    """Refuse a report that lacks a key which is read here.

    Raises:
        ConfigurationError: it lacks one.
    """
    if missing := [key for key in needed if key not in found]:
        message = (
            f"{where} lacks {', '.join(missing)}: it is not whole, or of an older partywall; "
            "survey anew"
        )
        raise ConfigurationError(message)


def _audited(found: Document) -> Standing:
    target, attacker, place = _texts(found, ("target", "attacker", "place")).values()
    return Standing(
        "audit",
        target,
        made(attacker, place, whole_fleet=bool(found.get("fleet"))),
        _cells(found),
        *_outcome(found),
        walls={at: tuple(map(str, facts)) for at, facts in found["walls"].items()},
        owned=frozenset((found["model"] or {"owned": ()})["owned"]),
    )


def _probed(found: Document) -> Standing:
    breached, accepted, undecided = _outcome(found)
    unsaids = [
        unsaid(kind, one["at"], one["because"])
        for kind in ("public", "shared")
        for one in found[kind]
        if not one["declared"]
    ]
    cells, undecided = _cells(found), (*undecided, *unsaids)
    [target] = _texts(found, ("target",)).values()
    return Standing("probe", target, "", cells, breached, accepted, undecided)


def _cells(found: Document) -> dict[tuple[str, str], State]:
    cells = {(at, way): state for at, row in found["matrix"].items() for way, state in row.items()}
    if unknown := {*cells.values()} - {*get_args(State)}:
        raise ValueError(f"unknown states {unknown}")
    return cells


def _outcome(
    found: Document,
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Undecided, ...]]:
    """What was breached, what of it is accepted, and what is undecided."""
    return (
        tuple(_finding(one) for one in (*found["findings"], *found["known"])),
        tuple(_finding(one["finding"]) for one in found["excepted"]),
        tuple(
            Undecided(**_texts(one, TOLD))
            for one in (*found["undecided"], *found["known_undecided"])
        ),
    )


def _finding(one: Document) -> Finding:
    told = _texts(one, (*TOLD, "layer", "attacker", "victim", "fix", "url"))
    return Finding(**told, witness=tuple(_step(step) for step in one["witness"]))


def _step(one: Document) -> WitnessStep:
    actor, returned = _texts(one, ("as", "returned")).values()
    return WitnessStep(actor, str(one.get("sql", "")), returned, str(one.get("request", "")))


def _texts(one: Document, keys: Iterable[str]) -> dict[str, Any]:
    """These values of *one*, each a text, and the effect one that there is."""
    told = {key: one[key] for key in keys}
    if not all(isinstance(value, str) for value in told.values()):
        raise TypeError(f"{', '.join(told)} must be texts")
    if told.get("effect", EFFECTS[0]) not in EFFECTS:
        raise ValueError(f"unknown effect {told['effect']!r}")
    return told
