"""The contract between an attack on a pool and its runner: what is left behind, and who looks.

An attack module holds one planner, a generator decorated with `attack`. One that needs the pool's
own address yields `Attempt`s from a `Sight`; one that goes through the application's API yields
`Storm`s. Planners ask nothing: `partywall.survey.pool.surveying` and `through` run what they say.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Effect
    from partywall.survey.verdict import State

CLEARED = (
    "let the pool clear each session before it is handed on: PgBouncer by `server_reset_query = "
    "DISCARD ALL`, with `server_reset_query_always = 1` where transactions are pooled"
)
"""How sessions are kept from handing on what was left in them."""
NO_RIGHT = "42501"
"""What the server says to whom it gives no such right."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One thing that makes a session the leaver's, and nobody's fresh one has.

    Attributes:
        name: in words: ``the setting app.tenant``, ``rows of public.invoices``.
        look: the query that tells it.
        value: what it tells in the leaver's context.
        told: what reports say instead, where that may be a secret; "" for the value.
    """

    name: str
    look: str
    value: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a planner may know.

    Attributes:
        leaver: who had the session before: a tenant's name.
        finder: who is handed it: another tenant's name, or nobody.
        canary: a word that occurs nowhere else; names of things may be made of it.
        roles: those that the leaver's login may become, other than itself.
        carried: what makes a session the leaver's, as the server told it.
    """

    leaver: str
    finder: str
    canary: str
    roles: tuple[str, ...] = ()
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that is left in a session, and how it is found there.

    Attributes:
        mode: what is left, in words.
        leave: statements of the leaver, after those that make the session its own.
        look: the finder's one query, after those that make the session the finder's.
        canary: what the look answers, or the SQLSTATE that it fails with, where it was left.
        undo: statements that take it away again.
        attacker: whose the gain is: the leaver changes what the finder works with, or the finder
            sees what is the leaver's.
        unfinished: the leaver's connection is cut within its transaction.
        heard: the leaver is to be notified of the canary, which is the control then.
        anywhere: the look tells of every session, and not of its own alone.
        told: what reports say in place of the canary; "" for the canary.
    """

    mode: str
    leave: tuple[str, ...]
    look: str
    canary: str
    undo: tuple[str, ...] = ()
    attacker: Literal["leaver", "finder"] = "leaver"
    unfinished: bool = False
    heard: bool = False
    anywhere: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Storm:
    """Many requests of one tenant at once, through the application's API.

    Attributes:
        mode: in words.
        failing: they name what can't be, so that the server stumbles.
        abandoned: each is hung up on half-way.
        meanwhile: the other tenant asks at the same time, too.
        lasting: what counts is whether the other is answered again afterwards.
    """

    mode: str
    failing: bool = False
    abandoned: bool = False
    meanwhile: bool = False
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an attempt.

    Attributes:
        calm: what the look answered before anything was left.
        dirty: the server's numbers of the sessions in which the leaver left something.
        controlled: whether the leaver saw it there itself.
        refused: what the server said where it let the leaver leave nothing; "" otherwise.
        found: session -> what the finder's look answered there.
        gone: whether all of the leaver's sessions have ended.
        apart: whether leaver and finder are different roles to the server, whose sessions no pool
            hands from one to the other.
    """

    calm: str
    dirty: frozenset[int] = frozenset()
    controlled: bool = False
    refused: str = ""
    found: Mapping[int, str] = field(default_factory=dict)
    gone: bool = False
    apart: bool = False


def judge(attempt: Attempt, seen: Seen) -> tuple[State, str]:
    """How an attempt ended, and why where that is not plain."""
    if seen.refused:
        closed = seen.refused.startswith(NO_RIGHT)
        return ("closed" if closed else "undecided"), f"nothing could be left: {seen.refused}"
    if attempt.canary == seen.calm:
        return "undecided", "the same is seen in a session in which nothing was left"
    if not seen.controlled:
        return "undecided", "whoever left it did not find it in its own session either"
    shared = seen.dirty & set(seen.found)
    looked = set(seen.found) if attempt.anywhere else shared
    if any(attempt.canary == seen.found[session] for session in looked):
        return "breached", ""
    if looked or seen.gone or (seen.apart and seen.found):
        return "held", ""
    return "undecided", (
        f"none of the {len(seen.dirty)} sessions was handed on, and they are there still: say how "
        "many the pool has ([pool] size), or survey it when it is quiet"
    )


Planner: TypeAlias = Callable[[Sight], Iterator[Attempt]] | Callable[[], Iterator[Storm]]


@dataclass(frozen=True, slots=True)
class Attack:
    """A named way in which pooled connections let tenants meet.

    Attributes:
        code: ``PW5xx``, never reused.
        name: the function's name with hyphens, unique.
        effect: what it sets out to achieve.
        fix: the sentence that says how a breach is mended.
        storms: whether it goes through the application's API.
        nobody: whether it is nobody who is handed the session, and not the other tenant.
    """

    code: str
    name: str
    effect: Effect
    fix: str
    doc: str
    plan: Planner
    storms: bool = False
    nobody: bool = False


def attack(
    code: str, *, effect: Effect, fix: str, storms: bool = False, nobody: bool = False
) -> Callable[[Planner], Attack]:
    """Declare a generator of attempts as the attack *code*; its name is the function's."""

    def declare(plan: Planner) -> Attack:
        name = getattr(plan, "__name__", "").replace("_", "-")
        return Attack(code, name, effect, fix, inspect.getdoc(plan) or "", plan, storms, nobody)

    return declare
