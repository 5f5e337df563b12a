"""Two surveys of the same application: which walls the change between them weakened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.errors import ConfigurationError
from partywall.survey.coverage import UNCOVERED
from partywall.survey.fingerprint import fingerprint
from partywall.survey.standing import way
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.standing import Standing
    from partywall.survey.verdict import Finding, State, Verdict

Before: TypeAlias = "State | Literal['not tried', 'not there']"
"""The state of a cell in the older survey; or nothing was tried there; or there was no surface."""


@dataclass(frozen=True, slots=True)
class Weakened:
    """A way through a wall that the older survey didn't have.

    Attributes:
        finding: with the witness that works now.
        before: how the same cell stood.
        because: why it was undecided before; "" otherwise.
    """

    finding: Finding
    before: Before
    because: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What can't be told any more, or can't be told of what is new."""

    undecided: Undecided
    before: Before


@dataclass(frozen=True, slots=True)
class Drift:
    """What the catalog says otherwise of the walls of one surface."""

    at: str
    gone: tuple[str, ...]
    come: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed from one survey to another.

    Attributes:
        accepted: weakened as well, and accepted by the configuration: no part of the verdict.
        mended: what the older survey found and the newer one doesn't.
        added, removed: surfaces that only one of them knows.
        drift: for databases only.
        remarks: why the two can only be compared in part.
    """

    old: str
    new: str
    weakened: tuple[Weakened, ...] = ()
    accepted: tuple[Weakened, ...] = ()
    undecided: tuple[Doubt, ...] = ()
    mended: tuple[Finding, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Breached by any wall weakened, undecided by any that can't be told any more."""
        if self.weakened:
            return "breached"
        return "undecided" if self.undecided else "held"


def difference(old: Standing, new: Standing) -> Difference:
    """What *new* says otherwise than *old*.

    Raises:
        ConfigurationError: one is of a database, the other of an API.
    """
    if old.command != new.command:
        message = (
            f"{old.target} was surveyed by `partywall {old.command}`, {new.target} by "
            f"`partywall {new.command}`: compare two of one kind"
        )
        raise ConfigurationError(message)
    had = {fingerprint(one) for one in (*old.breached, *old.accepted)}
    has = {fingerprint(one) for one in (*new.breached, *new.accepted)}
    doubted = {fingerprint(one) for one in old.undecided}
    doubts = {(one.at, one.effect) for one in new.undecided}
    return Difference(
        old.target,
        new.target,
        weakened=tuple(_weakened(old, o) for o in new.breached if fingerprint(o) not in had),
        accepted=tuple(_weakened(old, o) for o in new.accepted if fingerprint(o) not in had),
        undecided=tuple(
            Doubt(one, _before(old, one))
            for one in (*new.undecided, *_ownerless(old, new))
            if fingerprint(one) not in doubted
        ),
        mended=tuple(
            one for one in (*old.breached, *old.accepted)
            if fingerprint(one) not in has and (one.at, one.effect) not in doubts
        ),
        added=tuple(sorted(new.surfaces - old.surfaces)),
        removed=tuple(sorted(old.surfaces - new.surfaces)),
        drift=tuple(_drift(old, new)),
        remarks=tuple(_remarks(old, new)),
    )  # fmt: skip


def _weakened(old: Standing, one: Finding) -> Weakened:
    doubts = [d.because for d in old.undecided if (d.at, d.effect) == (one.at, one.effect)]
    before = _before(old, one)
    return Weakened(one, before, doubts[0] if doubts and before == "undecided" else "")


def _before(old: Standing, one: Finding | Undecided) -> Before:
    if one.at not in old.surfaces and one.at not in old.walls:
        return "not there"
    return old.state(one.at, way(one, old.command)) or "not tried"


def _ownerless(old: Standing, new: Standing) -> Iterator[Undecided]:
    """Tables that are still there, and of which nothing says any more that they are tenants'.

    What they hold is attacked no longer: without this a wall torn down would go unseen.
    """
    for at in sorted(old.owned - new.owned):
        if at in new.surfaces or at in new.walls:
            because = "its rows belonged to tenants; nothing tells any more whose they are"
            yield Undecided(*UNCOVERED, "read", at, because)


def _drift(old: Standing, new: Standing) -> Iterator[Drift]:
    """Facts of surfaces that both have; of those that only one has, `added` and `removed` tell."""
    for at in sorted(old.walls.keys() | new.walls.keys()):
        was, now = old.walls.get(at, ()), new.walls.get(at, ())
        if was == now or at in old.surfaces ^ new.surfaces:
            continue
        yield Drift(
            at,
            tuple(fact for fact in was if fact not in now),
            tuple(fact for fact in now if fact not in was),
        )


def _remarks(old: Standing, new: Standing) -> Iterator[str]:
    if old.settings != new.settings:
        yield (
            f"the older survey was made with attacker {old.settings}, the newer one with attacker "
            f"{new.settings}: not every difference is one of the walls"
        )
    if old.command == "audit" and not (old.walls and new.walls):
        yield "one of the surveys has no facts of the catalog: what drifted is not told"
