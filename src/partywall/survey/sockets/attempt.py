"""The contract between an attack on sockets and its runner: what is tried, and what was heard.

An attack module holds one planner, a generator decorated with `attack`, and a judge; both are pure.
`partywall.survey.sockets.surveying` opens the sockets and asks.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.survey.attack import Effect
    from partywall.survey.verdict import State


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to go on hearing after one's membership has ended.

    Attributes:
        mode: how, in words.
        reopened: it is opened again after the end, and not merely left open.
    """

    mode: str
    reopened: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What a run has shown.

    Attributes:
        why: what kept the run from proving anything: a control that failed, in words; "" otherwise.
        after: who left heard, by this attempt, what was published after the end.
        stayed: the member who stays heard the same.
    """

    why: str
    after: bool
    stayed: bool


Planner: TypeAlias = "Callable[[], Iterator[Attempt]]"


@dataclass(frozen=True, slots=True)
class Attack:
    """A named way to hear what is a tenant's.

    Attributes:
        code: ``PW8xx``, never reused.
        name: the function's name with hyphens, unique.
        effect: what it sets out to achieve.
        fix: the sentence that says how a breach is mended.
        doc: what is tried, why, and from which source.
    """

    code: str
    name: str
    effect: Effect
    fix: str
    doc: str
    plan: Planner


def attack(code: str, *, effect: Effect, fix: str) -> Callable[[Planner], Attack]:
    """Declare a generator of attempts as the attack *code*; its name is the function's."""

    def declare(plan: Planner) -> Attack:
        name = getattr(plan, "__name__", "").replace("_", "-")
        return Attack(code, name, effect, fix, inspect.getdoc(plan) or "", plan)

    return declare


def judged(heard: Heard) -> tuple[State, str]:
    """The verdict on an attempt, and why it is undecided.

    Who left and hears is a breach whatever else there was; that nothing came is something only
    where the same came to somebody who may hear it.
    """
    if heard.after and not heard.why:
        return "breached", ""
    if heard.why or not heard.stayed:
        return "undecided", heard.why or "who stays didn't hear what was published after the end"
    return "held", ""
