"""Workflow commands of GitHub Actions, which make annotations of a run's output.

Escaped as GitHub's own toolkit does it, so that no name or answer begins a command of its own:
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts. GitHub shows the first
ten errors and the first ten warnings of a step, so the worst come first, after one that counts all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.reports.severity import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.reports.overview import Overview


def written(found: Overview) -> str:
    """The report as workflow commands, one a line."""
    return "".join(f"{line}\n" for line in _commands(found))


def _commands(found: Overview) -> Iterator[str]:
    told = {"held": "notice", "breached": "error", "undecided": "error"}[found.verdict]
    title = f"partywall {found.command}: {found.verdict}"
    yield _command(told, title, f"{found.target}: {found.summary}", found.source)
    for one in found.breaches:
        finding = one.finding
        also = f", also {one.also}" if one.also else ""
        message = (
            f"{finding.because}\n{finding.attacker} → {finding.victim}{also}\n"
            f"fix: {finding.fix}\nsee {finding.url}"
        )
        head = f"{finding.at}: {finding.effect} ({finding.code} {finding.name})"
        yield _command(SEVERITIES[finding.effect].level, head, message, found.source)
    for doubt in found.doubts:
        head = f"{doubt.at}: undecided, {doubt.column} ({doubt.code} {doubt.name})"
        yield _command("warning", head, doubt.because, found.source)
    for accepted in found.excepted:
        until = f" (until {accepted.until})" if accepted.until else ""
        head = f"{accepted.finding.at}: accepted, {accepted.finding.effect}"
        yield _command("notice", head, f"{accepted.because}{until}", found.source)
    for known in found.known:
        finding = known.finding
        name = f"{finding.code} {finding.name}"
        head = f"{known.at}: known by the baseline, {finding.effect} ({name})"
        yield _command("notice", head, f"{finding.because}\nsee {finding.url}", found.source)
    for doubt in found.known_doubts:
        head = f"{doubt.at}: known by the baseline as undecided, {doubt.column}"
        yield _command("notice", head, doubt.because, found.source)
    for remark in found.remarks:
        yield _command("notice", "to tidy up", remark, found.source)


def _command(name: str, title: str, message: str, file: str) -> str:
    shown = "notice" if name == "note" else name
    return f"::{shown} title={_value(title)},file={_value(file)},line=1::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
