"""The contract between the attacks of a layer beside database and API, and what runs them.

An attack module holds one planner, a generator decorated with `attack`: from the layer's scene
(facts, what is planted, whose is what) it yields `Attempt`s. A `Trial` runs an attempt's steps by
the layer's `Hand`, the one part of the layer that talks to a server, gives their `Outcome`s to the
attempt's judge and, where that sees no breach, runs the control. Planners and judges ask nothing.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from partywall.survey.attack import Breach, Unclear
from partywall.survey.gathering import one_each
from partywall.survey.layers import Tried, Watch
from partywall.survey.tally import Tally
from partywall.survey.verdict import Finding, State, Undecided, WitnessStep, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from partywall.survey.attack import Effect, Judgement

ADMINISTRATOR = "administrator"
NOBODY = "nobody"
CLOSED = "closed"
SHOWN_CHARACTERS = 240

Call = TypeVar("Call", bound="Hashable")
"""What a layer can be asked: a command of Redis, a statement, a request."""
Asked = TypeVar("Asked", contravariant=True)  # noqa: PLC0105 - it reads as what it is
Scene = TypeVar("Scene")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came back with.

    Attributes:
        text: the answer, written out.
        error: the server's words, "" when it succeeded.
        refused: the error is that whoever asked may not.
        lost: the error is that no answer came: it says nothing of what was asked.
    """

    text: str = ""
    error: str = ""
    refused: bool = False
    lost: bool = False

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return not self.error

    @property
    def told(self) -> str:
        """All that came back, errors too."""
        return f"{self.text}\n{self.error}".strip()


@dataclass(frozen=True, slots=True)
class Step(Generic[Call]):
    """One call by one actor.

    Attributes:
        who: a tenant's name, `ADMINISTRATOR` or `NOBODY`.
        quiet: left out of the witness.
    """

    who: str
    call: Call
    quiet: bool = False


Judge: TypeAlias = "Callable[[Sequence[Outcome]], Judgement]"
Controlled: TypeAlias = "Callable[[Sequence[Outcome]], str]"


@dataclass(frozen=True)
class Attempt(Generic[Call]):
    """One concrete attempt of an attack on one surface.

    Attributes:
        at: the surface, as exceptions name it: ``cache hash keys``.
        steps: run in their order; one that fails does not end the attempt.
        judge: gives the verdict from the outcomes, one for each step.
        control: the same by the rightful tenant, after *before* has run again.
        controlled: says from the control's outcomes why they prove nothing, "" when they do,
            `CLOSED` when the rightful tenant may not either. The default asks that each succeeded.
        before: prepares, as the administrator; without it there is no verdict.
        after: puts back what may have been changed; runs whatever happens.
        way: how, where one surface is attacked in many ways: ``HGETALL``. Breaches of one surface
            by many ways are one finding.
        effect, fix: where this attempt differs from its attack.
    """

    at: str
    attacker: str
    victim: str
    steps: tuple[Step[Call], ...]
    judge: Judge
    control: tuple[Step[Call], ...] = ()
    controlled: Controlled | None = None
    before: tuple[Step[Call], ...] = ()
    after: tuple[Step[Call], ...] = ()
    way: str = ""
    effect: Effect | None = None
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Attack(Generic[Scene, Call]):
    """A named way through the walls of a layer.

    Attributes:
        code: never reused.
        name: the function's name with hyphens, unique.
        effect: what it sets out to achieve.
        fix: the sentence that says how a breach is mended.
        doc: what is tried, why, and from which source, as its module says it.
    """

    code: str
    name: str
    effect: Effect
    fix: str
    doc: str
    plan: Callable[[Scene], Iterator[Attempt[Call]]]


def attack(
    code: str, *, effect: Effect, fix: str
) -> Callable[[Callable[[Scene], Iterator[Attempt[Call]]]], Attack[Scene, Call]]:
    """Declare a generator of attempts as the attack *code*; its name is the function's."""

    def declare(plan: Callable[[Scene], Iterator[Attempt[Call]]]) -> Attack[Scene, Call]:
        name = getattr(plan, "__name__", "").replace("_", "-")
        return Attack(code, name, effect, fix, inspect.getdoc(plan) or "", plan)

    return declare


def attacks_in(package: str, folders: Iterable[str]) -> tuple[Attack[Any, Any], ...]:
    """The attacks in the modules of a package, by code."""
    return tuple(sorted(one_each(package, folders, Attack), key=lambda one: one.code))


class Hand(Protocol[Asked]):
    """What talks to a layer's server."""

    def do(self, who: str, call: Asked) -> Outcome:
        """Ask as *who*. What the server refuses is an outcome, not an exception.

        Raises:
            TargetError: the server can't be reached at all.
        """

    def told(self, who: str, call: Asked, returned: str) -> WitnessStep:
        """The same as anyone can replay it, with secrets taken from the environment."""


class Trial(Generic[Call]):
    """Runs attempts, and keeps what became of them.

    A breach needs outcomes that prove it. Where the attack failed, it counts as held only when the
    control, the same by the rightful tenant, succeeds in this run; one control is run once for all
    attempts that share it.
    """

    def __init__(
        self,
        layer: str,
        hand: Hand[Call],
        watch: Watch | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._layer, self._hand, self._watch = layer, hand, watch or Watch()
        self._controls: dict[tuple[Step[Call], ...], str | Sequence[Outcome]] = {}
        self.tally = tally or Tally()

    def run(self, planned: Iterable[tuple[Attack[Scene, Call], Iterable[Attempt[Call]]]]) -> None:
        """Run all attempts, attack by attack."""
        for one, attempts in planned:
            for attempt in attempts:
                self._watch.judged(self._judged(one, attempt))

    def clear(self, steps: Iterable[Step[Call]]) -> None:
        """Take away what was made; what may not be taken away is told."""
        refused = [one.error for one in self._play(steps) if one.refused]
        self.tally.left += [f"something that was planted stays: {error}" for error in refused]

    def _judged(self, one: Attack[Scene, Call], attempt: Attempt[Call]) -> Tried:
        effect = attempt.effect or one.effect
        judgement, outcomes = self._attacked(attempt)
        state: State = "held"
        because = ""
        if isinstance(judgement, Breach):
            state = "breached"
            self.tally.found(self._finding(one, attempt, judgement, outcomes), attempt.way)
        else:
            because = judgement.because if isinstance(judgement, Unclear) else ""
            because = because or unanswered(outcomes) or self._control(attempt)
            if because == CLOSED:
                state, because = "closed", ""
            elif because:
                state = "undecided"
                words = f"{attempt.way}: {because}" if attempt.way else because
                self.tally.open(Undecided(one.code, one.name, effect, attempt.at, words))
        told = attempt.way and state != "breached"  # a breach goes by the surface of its finding
        at = f"{self._layer} {attempt.way}" if told else attempt.at
        tried = Tried(at, attempt.attacker, attempt.victim, one.name, state, because)
        self.tally.tried.append(tried)
        return tried

    def _attacked(self, attempt: Attempt[Call]) -> tuple[Judgement, Sequence[Outcome]]:
        try:
            if fault := self._prepared(attempt):
                return Unclear(fault), ()
            outcomes = self._play(attempt.steps)
            return attempt.judge(outcomes), outcomes
        finally:
            self.clear(attempt.after)

    def _control(self, attempt: Attempt[Call]) -> str:
        """Why the control proves nothing, "" when it does."""
        if not (attempt.control or attempt.controlled):
            return "there is nothing that the rightful tenant could prove it by"
        if attempt.control not in self._controls:
            try:
                fault = self._prepared(attempt)
                self._controls[attempt.control] = fault or self._play(attempt.control)
            finally:
                self.clear(attempt.after)
        outcomes = self._controls[attempt.control]
        if isinstance(outcomes, str):
            return outcomes
        reason = unanswered(outcomes) or (attempt.controlled or succeeded)(outcomes)
        self.tally.controlled(proved=reason in {"", CLOSED})
        return reason

    def _prepared(self, attempt: Attempt[Call]) -> str:
        """Why there is nothing to attack, "" when there is."""
        failed = [one.error for one in self._play(attempt.before) if not one.ok]
        return f"it could not be prepared: {failed[0]}" if failed else ""

    def _play(self, steps: Iterable[Step[Call]]) -> Sequence[Outcome]:
        return [self._hand.do(step.who, step.call) for step in steps]

    def _finding(
        self,
        one: Attack[Scene, Call],
        attempt: Attempt[Call],
        breach: Breach,
        outcomes: Sequence[Outcome],
    ) -> Finding:
        witness = tuple(
            self._hand.told(step.who, step.call, shown(outcome))
            for number, (step, outcome) in enumerate(zip(attempt.steps, outcomes, strict=True))
            if (number in breach.shown if breach.shown else not step.quiet)
        )
        effect = breach.effect or attempt.effect or one.effect
        return Finding(
            one.code, one.name, self._layer, effect, attempt.at, attempt.attacker, attempt.victim,
            witness, breach.because, attempt.fix or one.fix, explained(one.name),
        )  # fmt: skip


def unanswered(outcomes: Sequence[Outcome]) -> str:
    """Say that an answer never came, which proves nothing; "" when all came."""
    return next((one.error for one in outcomes if one.lost), "")


def succeeded(outcomes: Sequence[Outcome]) -> str:
    """Say why a control proves nothing: a step failed; `CLOSED` when the owner may not either."""
    for one in outcomes:
        if one.refused:
            return CLOSED
        if not one.ok:
            return f"the rightful tenant could not do it either: {one.error}"
    return ""


def shown(outcome: Outcome) -> str:
    """What came back, short."""
    text = f"ERROR {outcome.error}" if outcome.error else outcome.text or "(nothing)"
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
