"""How every wall stood in one survey: what a report of now and one of then have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.survey.engine import WORST
from partywall.survey.http.report import HttpReport
from partywall.survey.layers import LayerReport
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.verdict import Finding, Report, State

Command: TypeAlias = Literal["audit", "probe", "survey"]


@dataclass(frozen=True)
class Standing:
    """The outcome of a survey, whether it was just made or read from a file.

    Attributes:
        settings: how far its attacker went and where: two surveys that differ in this find
            different things on the same walls.
        cells: (surface, way) -> the worst state; a way is an effect, of an API an attack's name.
        breached: what counts, and what its baseline knew.
        accepted: what its configuration accepted.
        walls: surface -> what the catalog said of it.
        owned: tables whose rows belong to tenants.
    """

    command: Command
    target: str
    settings: str
    cells: Mapping[tuple[str, str], State]
    breached: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    walls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owned: frozenset[str] = frozenset()

    @property
    def surfaces(self) -> frozenset[str]:
        """All that was attacked, found, or could not be decided."""
        found = {one.at for one in (*self.breached, *self.accepted)}
        return frozenset(found | {at for at, _ in self.cells} | {one.at for one in self.undecided})

    def state(self, at: str, way: str) -> State | None:
        """The worst state of one cell; None where nothing was tried."""
        return self.cells.get((at, way))


def way(one: Finding | Undecided, command: Command) -> str:
    """Which of a surface's cells it belongs to."""
    return one.name if command == "probe" else one.effect


def settings(report: Report | HttpReport | LayerReport) -> str:
    """How a survey was made, as far as it decides what can be found."""
    if isinstance(report, HttpReport | LayerReport):
        return ""
    return made(report.attacker, report.place, whole_fleet=report.fleet is not None)


def made(attacker: str, place: str, *, whole_fleet: bool) -> str:
    """The same in words: ``query on copy``."""
    return f"{attacker} on {place}{', every tenant' if whole_fleet else ''}"


def standing(report: Report | HttpReport) -> Standing:
    """What *report* says of every wall."""
    breached = (*report.findings, *report.known)
    accepted = tuple(one.finding for one in report.excepted)
    undecided = (*report.undecided, *report.known_undecided)
    if isinstance(report, HttpReport):
        cells: dict[tuple[str, str], State] = {}
        for one in report.tried:
            cell = one.at, one.attack
            cells[cell] = max(cells.get(cell, one.state), one.state, key=WORST.index)
        undecided = (*undecided, *undeclared(report))
        return Standing("probe", report.target, "", cells, breached, accepted, undecided)
    return Standing(
        "audit", report.target, settings(report), report.cells, breached, accepted, undecided,
        report.walls, frozenset(report.model.owned if report.model else ()),
    )  # fmt: skip


def undeclared(report: HttpReport) -> Iterator[Undecided]:
    """What more than its tenant may read, and nobody declared."""
    for kind, found in {"public": report.public, "shared": report.shared}.items():
        yield from (unsaid(kind, one.at, one.because) for one in found if not one.declared)


def unsaid(kind: str, at: str, because: str) -> Undecided:
    """An operation that more than its tenant may read, as something undecided."""
    return Undecided(kind, "not-declared", "read", at, because)
