"""Run planned attempts with their controls and turn outcomes into verdicts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.attack import Breach, Unclear
from partywall.survey.sql import literal
from partywall.survey.verdict import Finding, State, Undecided, WitnessStep, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from partywall.survey.attack import Attack, Attempt, Effect, Outcome, Scene, Step
    from partywall.survey.identity import Identity, Who
    from partywall.survey.sessions import Sessions
    from partywall.survey.stage import Stage

WORST: Sequence[State] = ("closed", "held", "excepted", "known", "undecided", "breached")
ORDER: Mapping[str, int] = {"none": 0, "empty": 1, "A": 2, "B": 3}
SHOWN_ROWS, SHOWN_CHARACTERS = 3, 72


@dataclass(frozen=True, slots=True)
class Judged:
    """One attempt with its verdict."""

    attack: Attack
    attempt: Attempt
    state: State
    effect: Effect
    finding: Finding | None = None
    undecided: Undecided | None = None
    closed: bool = False


Event: TypeAlias = "Judged"


class Engine:
    """Executes attempts on stages; the verdict follows the rules of the survey.

    A breach needs outcomes that prove it. Where the attack failed, it counts as held only when the
    control, the same by the rightful tenant, succeeds in this run; a control is run once for all
    attempts that share it.
    """

    def __init__(
        self,
        stage_for: Callable[[Who], Stage],
        identities: Mapping[Who, Identity],
        scene: Scene,
        sessions: Sessions,
    ) -> None:
        self._stage_for = stage_for
        self._sessions = sessions
        self._identities = identities
        self._scene = scene
        declared = {identity.tenant for identity in identities.values()}
        self._real = any(row.real for row in scene.world.planted.values())
        self._real_keys = sorted(
            {
                literal(value)
                for row in scene.world.planted.values()
                if row.real
                for value in row.key.values()
                if value and value not in declared
            },
            key=len,
            reverse=True,
        )
        self._controls: dict[tuple[Step, ...], Sequence[Outcome]] = {}
        self.proved = 0
        self.failed = 0

    def run(self, planned: Iterable[tuple[Attack, Attempt]]) -> Iterator[Judged]:
        """Run attempts, those without any context first: their sessions must never have had one.

        Those that commit come last.
        """
        ordered = sorted(planned, key=lambda p: (p[1].commits, ORDER.get(p[1].attacker, 9)))
        for attack, attempt in ordered:
            yield self._judge(attack, replace(attempt, at=self._original(attempt.at)))

    def _judge(self, attack: Attack, attempt: Attempt) -> Judged:
        outcomes = self._play(attempt, attempt.within or attempt.attacker, attempt.steps)
        attempt = replace(attempt, at=self._original(attempt.at))
        judgement = attempt.judge(outcomes)
        effect = attempt.effect or attack.effect
        if isinstance(judgement, Breach):
            effect = judgement.effect or effect
            finding = self._finding(attack, attempt, effect, judgement, outcomes)
            return Judged(attack, attempt, "breached", effect, finding=finding)
        reason = judgement.because if isinstance(judgement, Unclear) else self._control(attempt)
        if not reason:
            return Judged(attack, attempt, "held", effect)
        if reason == CLOSED:
            return Judged(attack, attempt, "closed", effect, closed=True)
        because = self._original(reason)
        undecided = Undecided(attack.code, attack.name, effect, attempt.at, because)
        return Judged(attack, attempt, "undecided", effect, undecided=undecided)

    def _play(self, attempt: Attempt, who: Who, steps: Sequence[Step]) -> Sequence[Outcome]:
        return (self._sessions if attempt.commits else self._stage_for(who)).play(steps)

    def _control(self, attempt: Attempt) -> str:
        """Why the control proves nothing, "" when it does."""
        if not attempt.control:
            return ""
        if attempt.control not in self._controls:
            self._controls[attempt.control] = self._play(attempt, "B", attempt.control)
        outcomes = self._controls[attempt.control]
        reason = (attempt.controlled or touched)(outcomes)
        if reason and reason != CLOSED:
            self.failed += 1
        else:
            self.proved += 1
        return reason

    def _finding(
        self,
        attack: Attack,
        attempt: Attempt,
        effect: Effect,
        breach: Breach,
        outcomes: Sequence[Outcome],
    ) -> Finding:
        witness = tuple(
            WitnessStep(self._name(step.who), self._original(step.sql), self._shown(outcome))
            for number, (step, outcome) in enumerate(zip(attempt.steps, outcomes, strict=True))
            if (number in breach.shown if breach.shown else not step.quiet)
        )
        repair = tuple(map(self._original, attempt.repair() if attempt.repair else ()))
        fix = "; ".join(repair) or self._original(attempt.fix)
        return Finding(
            attack.code, attack.name, "sql", effect, attempt.at,
            self._name(attempt.attacker), self._name(attempt.victim), witness,
            self._original(breach.because), fix, explained(attack.name), repair,
        )  # fmt: skip

    def _original(self, text: str) -> str:
        """*text* with the target's databases for their copies, and without keys of real rows."""
        for copy, original in self._scene.originals.items():
            text = text.replace(copy, original)
        for key in self._real_keys:
            text = text.replace(key, "'‹not shown›'")
        return text

    def _name(self, who: Who) -> str:
        if who == "admin":
            return "administrator"
        return self._identities[who].name if who in self._identities else who

    def _shown(self, outcome: Outcome) -> str:
        """What came back, short; on the target nothing but planted values and plain counts."""
        if not outcome.ok:
            return f"ERROR {outcome.sqlstate}: {self._cell(outcome.message)}"
        told = self._cell(outcome.told) if self._planted(outcome.told) else ""
        if not outcome.rows:
            return told or {-1: "done", 1: "1 row"}.get(outcome.count, f"{outcome.count} rows")
        telling = sorted(outcome.rows, key=lambda row: not any(self._planted(c) for c in row if c))
        rows = [", ".join(self._cell(cell) for cell in row) for row in telling[:SHOWN_ROWS]]
        rows = [told, *rows] if told else rows
        more = len(outcome.rows) - SHOWN_ROWS
        return "\n".join([*rows, *([f"… {more} more rows"] if more > 0 else [])])

    def _cell(self, cell: str | None) -> str:
        if cell is None:
            return "NULL"
        if self._scene.place == "target" and not self._harmless(cell):
            return "‹not shown›"
        return cell if len(cell) <= SHOWN_CHARACTERS else cell[:SHOWN_CHARACTERS] + "…"

    def _planted(self, text: str) -> bool:
        """Whether it holds something that the survey itself put there."""
        return not self._real and self._scene.world.everyones.within(text)

    def _harmless(self, cell: str) -> bool:
        planted = self._planted(cell)
        return planted or cell in {"t", "f"} or (cell.isdigit() and len(cell) < 12)  # noqa: PLR2004 - counts


CLOSED = "closed"


def touched(outcomes: Sequence[Outcome]) -> str:
    """Say why a control proves nothing: a step failed, or the last one reached no row.

    `CLOSED` when the rightful tenant lacks the privilege as well: then nobody can do it. A policy's
    refusal is none: other values might have passed it.
    """
    for outcome in outcomes:
        if outcome.denied:
            return CLOSED
        if not outcome.ok:
            words = f"{outcome.message} ({outcome.sqlstate})"
            return f"the rightful tenant could not do it either: {words}"
    if outcomes and not outcomes[-1].rows and outcomes[-1].count <= 0:
        return "the rightful tenant reached no row of its own this way"
    return ""


def cells(judged: Iterable[Judged]) -> dict[tuple[str, str], State]:
    """The worst state by surface and effect."""
    found: dict[tuple[str, str], list[State]] = defaultdict(list)
    for one in judged:
        found[one.attempt.at, one.effect].append(one.state)
    return {cell: max(states, key=WORST.index) for cell, states in found.items()}
