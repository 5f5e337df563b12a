"""What a survey of a database and one of an API have in common, as every report tells it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.reports.style import listed
from partywall.survey.engine import WORST
from partywall.survey.fingerprint import fingerprint
from partywall.survey.verdict import EFFECTS, EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from partywall.survey.verdict import (
        Advice,
        Excepted,
        Finding,
        State,
        Undecided,
        Verdict,
        WitnessStep,
    )

Command: TypeAlias = Literal["audit", "probe", "survey"]


@dataclass(frozen=True, slots=True)
class Breach:
    """One surface breached in one way, whoever did it.

    Attributes:
        finding: the one that tells most; its witness is shown.
        also: the others who got through, in words; "" without any.
        tenants: all who attacked or were attacked.
        column: where it stands in the matrix.
        marks: a pattern for what is the victim's in an answer, "" where none is known.
        replay: the witness as something that can be pasted.
        sql: whether the fix is a statement to run and not a sentence to read.
    """

    finding: Finding
    also: str
    tenants: tuple[str, ...]
    column: str
    marks: str = ""
    replay: str = ""
    sql: bool = False

    @property
    def at(self) -> str:
        """Where it is."""
        return self.finding.at

    @property
    def because(self) -> str:
        """What came through."""
        return self.finding.because

    @property
    def fingerprint(self) -> str:
        """The same in whichever run it is found."""
        return fingerprint(self.finding)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What nothing can be said about, and why.

    Attributes:
        column: where it stands in the matrix.
        meant: whether somebody has to say that it is meant so, and nothing else is missing.
    """

    code: str
    name: str
    at: str
    column: str
    because: str
    fingerprint: str
    meant: bool = False
    witness: tuple[WitnessStep, ...] = ()
    replay: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One surface, or operation, with how each column ended.

    Attributes:
        group: what it stands with: ``public · tables``.
        why: column -> why it is undecided or accepted, or what of it the baseline has.
    """

    at: str
    label: str
    group: str
    layer: str
    cells: Mapping[str, State]
    tenants: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> State:
        """What asks most for attention."""
        return max(self.cells.values(), key=WORST.index)


@dataclass(frozen=True)
class Overview:
    """All that a report tells.

    Attributes:
        noun: what a row is: "surface" or "operation".
        across: what a column is: "effect" or "attack".
        summary: what the verdict means, with its numbers.
        about: sentences on what was surveyed, how, and by whom.
        settings: commands to set the variables that witnesses take, each with what it is.
        left: sentences on what was not tried, and why.
        untried: reason -> what proves nothing for it.
        killers: operations after which a tenant was cut off.
        known, known_doubts: what the baseline has as well; it doesn't make the verdict.
        remarks: sentences on what to tidy up among exceptions and in the baseline.
        compared: whether there was a baseline.
        facts: numbers and versions, with their names.
        source: the file that says what is surveyed: the only one that a finding can be shown at.
    """

    command: Command
    verdict: Verdict
    target: str
    noun: str
    across: str
    summary: str
    about: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    breaches: tuple[Breach, ...]
    doubts: tuple[Doubt, ...]
    excepted: tuple[Excepted, ...]
    advice: tuple[Advice, ...]
    left: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    versions: Mapping[str, str]
    duration_s: float
    replay: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    untried: Mapping[str, Sequence[str]] = field(default_factory=dict)
    killers: tuple[str, ...] = ()
    known: tuple[Breach, ...] = ()
    known_doubts: tuple[Doubt, ...] = ()
    remarks: tuple[str, ...] = ()
    compared: bool = False
    source: str = "partywall.toml"

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return EXIT_CODES[self.verdict]

    @property
    def in_baseline(self) -> tuple[Breach | Doubt, ...]:
        """Breaches, then doubts, that the baseline has."""
        return (*self.known, *self.known_doubts)

    @property
    def tenants(self) -> list[str]:
        """Everybody who attacked or was attacked."""
        named = {one for row in self.rows for one in row.tenants}
        return sorted(named | {one for breach in self.breaches for one in breach.tenants})

    @property
    def layers(self) -> dict[str, Counter[State]]:
        """Rows by layer and by the worst of each."""
        counted: dict[str, Counter[State]] = defaultdict(Counter)
        for row in self.rows:
            counted[row.layer][row.worst] += 1
        return dict(sorted(counted.items()))


def together(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that are the same for different attackers and victims; the worst effect first."""
    same: dict[tuple[int, str, str], list[Finding]] = defaultdict(list)
    for one in findings:
        same[EFFECTS.index(one.effect), one.at, one.code].append(one)
    return [same[key] for key in sorted(same)]


def also(same: Sequence[Finding]) -> str:
    """Who else did what the first of *same* says, to whom."""
    others = dict.fromkeys(f"{one.attacker} → {one.victim}" for one in same)
    _, *rest = others
    return listed(rest) if rest else ""


def merged(undecided: Iterable[Undecided]) -> Iterator[Doubt]:
    """One for each surface, way and effect, with all its reasons; its column is the effect."""
    same: dict[str, tuple[Undecided, list[str]]] = {}
    for one in undecided:
        same.setdefault(fingerprint(one), (one, []))[1].append(one.because)
    for key, (one, because) in same.items():
        told = "; ".join(dict.fromkeys(because))
        yield Doubt(one.code, one.name, one.at, one.effect, told, key)


def complete(
    cells: dict[str, dict[str, State]],
    breaches: Iterable[Breach],
    doubts: Iterable[Doubt],
    known: Iterable[Breach | Doubt],
) -> None:
    """See to it that nothing found or open is without a cell: a report may never be silent.

    A cell about which the baseline has all there is, breached or undecided, is `known`.
    """
    for one in known:
        cells.setdefault(one.at, {})[one.column] = "known"
    for breach in breaches:
        cells.setdefault(breach.at, {})[breach.column] = "breached"
    for doubt in doubts:
        there = cells.setdefault(doubt.at, {})
        there[doubt.column] = max(there.get(doubt.column, "closed"), "undecided", key=WORST.index)


def reasons(doubts: Iterable[Doubt], known: Iterable[Breach | Doubt]) -> dict[str, dict[str, str]]:
    """Surface -> column -> why it is undecided, or what of it the baseline has."""
    why: dict[str, dict[str, str]] = defaultdict(dict)
    for one in (*doubts, *known):
        why[one.at].setdefault(one.column, one.because)
    return why


def proved(controls: Mapping[str, int]) -> str:
    """How many controls held, and how many did not."""
    return f"{controls.get('proved', 0):,} held, {controls.get('failed', 0):,} did not"
