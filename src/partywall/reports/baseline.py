"""A baseline as a file: one line for each thing known, so that a change to it can be reviewed."""

from __future__ import annotations

from dataclasses import replace
from json import dumps
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.reports.documents import document, versioned
from partywall.survey.baseline import Baseline, Entry
from partywall.survey.verdict import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from partywall.reports.documents import Document
    from partywall.survey.standing import Command

VERSION = 1
"""Of the file: it grows when what stands in it changes its meaning."""
MARK = b'"partywall_baseline"'
NEEDED = ("at", "effect", "code", "name")


def written(known: Baseline) -> str:
    """The text of a baseline: the same for the same findings, in whatever order they came."""
    lines = ["{", f'"partywall_baseline": {VERSION},', f'"command": {_json(known.command)},']
    return "\n".join([*lines, *_entries_of(known), "}"]) + "\n"


def written_layers(known: Mapping[str, Baseline]) -> str:
    """The text of the baseline of several layers, by their names."""
    lines = ["{", f'"partywall_baseline": {VERSION},', '"command": "survey",', '"layers": {']
    for number, (name, one) in enumerate(known.items(), 1):
        end = "," if number < len(known) else ""
        lines += [f"{_json(name)}: {{", *_entries_of(one), f"}}{end}"]
    return "\n".join([*lines, "}", "}"]) + "\n"


def read(file: Path, command: Command) -> Baseline:
    """The baseline in *file*, which `partywall` *command* wrote.

    Raises:
        ConfigurationError: there is none, it is no baseline of that command, or a newer one.
    """
    found, make = _opened(file, command)
    known = _baseline(found, command)
    if known is None:
        raise ConfigurationError(f"the baseline {file} is not whole: restore it, or {make} anew")
    return known


def read_layers(file: Path) -> dict[str, Baseline]:
    """The baseline in *file*, which `partywall survey` wrote, by layer.

    Raises:
        ConfigurationError: as `read` does.
    """
    found, make = _opened(file, "survey")
    told = found.get("layers")
    known = {
        str(name): _baseline(one, "survey") if isinstance(one, dict) else None
        for name, one in (told.items() if isinstance(told, dict) else ())
    }
    whole = {name: one for name, one in known.items() if one is not None}
    if not isinstance(told, dict) or len(whole) < len(known):
        raise ConfigurationError(f"the baseline {file} is not whole: restore it, or {make} anew")
    return whole


def _opened(file: Path, command: Command) -> tuple[Document, str]:
    """The document in *file*, and how one is made, in words."""
    make = f"`partywall {command} --baseline {file} --update-baseline` writes it"
    found = document(file, "baseline", make)
    if "schema_version" in found:
        raise ConfigurationError(f"{file} is a report: give the baseline a file of its own")
    versioned(found, "partywall_baseline", VERSION, f"the baseline {file}")
    if found.get("command") != command:
        message = f"{file} is the baseline of another command than `partywall {command}`: {make}"
        raise ConfigurationError(message)
    return found, make


def _baseline(found: Document, command: Command) -> Baseline | None:
    """What one document, or one layer's part of it, says; None where it is not whole."""
    breached = _entries(found.get("breached"), breached=True)
    undecided = _entries(found.get("undecided"), breached=False)
    settings = found.get("settings")
    if breached is None or undecided is None or not isinstance(settings, str):
        return None
    return Baseline(command, settings, breached, undecided)


def replaceable(file: Path) -> None:
    """Refuse to write a baseline over what is none: a whole one, a broken one or nothing is.

    Raises:
        ConfigurationError: something else is in *file*.
    """
    try:
        text = file.read_bytes() if file.exists() else b""
    except OSError as error:
        message = f"the baseline {file} can't be written: {error.strerror or error}"
        raise ConfigurationError(message) from error
    if text.strip() and MARK not in text:
        raise ConfigurationError(f"{file} is no baseline: give the baseline a file of its own")


def _entries(found: object, *, breached: bool) -> tuple[Entry, ...] | None:
    """The entries of a list; None where something is not as it was written."""
    if not isinstance(found, list):
        return None
    entries = []
    for one in found:
        if not isinstance(one, dict) or not all(isinstance(one.get(k), str) for k in NEEDED):
            return None
        told = {key: one[key] for key in NEEDED}
        by = one.get("by") if breached else [""]
        if told["effect"] not in EFFECTS or not isinstance(by, list) or not by:
            return None
        entries += [Entry(**told, by=str(who)) for who in by]
    return tuple(entries)


def _entries_of(known: Baseline) -> Iterator[str]:
    yield f'"settings": {_json(known.settings)},'
    yield from _list("breached", known.breached, ",")
    yield from _list("undecided", known.undecided, "")


def _list(name: str, entries: Sequence[Entry], end: str) -> Iterator[str]:
    """A line for each surface and way, whoever takes it."""
    lines: dict[Entry, list[str]] = {}
    for one in entries:
        lines.setdefault(replace(one, by=""), []).append(one.by)
    shown = [
        _json({key: getattr(one, key) for key in NEEDED} | ({"by": by} if any(by) else {}))
        for one, by in lines.items()
    ]
    yield f'"{name}": [' + ("" if shown else f"]{end}")
    if shown:
        yield from (f"  {line}," for line in shown[:-1])
        yield f"  {shown[-1]}"
        yield f"]{end}"


def _json(value: object) -> str:
    return dumps(value, ensure_ascii=False)
