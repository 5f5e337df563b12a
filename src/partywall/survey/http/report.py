"""What a probe says in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from partywall.survey.verdict import (
        Advice,
        Excepted,
        Finding,
        State,
        Undecided,
        Verdict,
        WitnessStep,
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """One operation attacked in one direction in one way, and how that ended.

    Attributes:
        attack: the attack's name: ``others-id``.
        mode: how its request was bent, in words: ``project_id of globex``.
        because: why it is undecided; "" otherwise.
    """

    at: str
    attacker: str
    victim: str
    attack: str
    mode: str
    state: State
    because: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """What is readable by more than its tenant, and yet no breach: public, or shared.

    Attributes:
        to: "nobody" where no credential is needed, else the other tenant's name.
        declared: whether the configuration says that it is meant so.
        known: whether the baseline has it.
    """

    at: str
    to: str
    because: str
    witness: tuple[WitnessStep, ...] = ()
    declared: bool = False
    known: bool = False


def settled(
    tried: Iterable[Tried], places: Collection[str], state: Literal["excepted", "known"]
) -> tuple[Tried, ...]:
    """*tried*, where what breached an operation of *places* is of another *state*."""
    return tuple(
        replace(one, state=state) if one.state == "breached" and one.at in places else one
        for one in tried
    )


@dataclass(frozen=True)
class HttpReport:
    """All that a probe found.

    Attributes:
        tried: every operation, direction and mode: the coverage.
        controls: how many owner's requests proved what they should, how many did not.
        left: sentences on what was not tried, and why.
        killers: operations after which a tenant could no longer log in or read its own.
        known, known_undecided: what the baseline has as well; it doesn't make the verdict.
        remarks: sentences on what to tidy up among exceptions and in the baseline.
        compared: whether there was a baseline.
    """

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    excepted: tuple[Excepted, ...]
    advice: tuple[Advice, ...]
    public: tuple[Open, ...]
    shared: tuple[Open, ...]
    tried: tuple[Tried, ...]
    controls: Mapping[str, int]
    requests: int
    target: str
    tenants: tuple[str, ...]
    seed: int
    versions: Mapping[str, str]
    duration_s: float
    left: tuple[str, ...] = field(default=())
    killers: tuple[str, ...] = field(default=())
    known: tuple[Finding, ...] = ()
    known_undecided: tuple[Undecided, ...] = ()
    remarks: tuple[str, ...] = ()
    compared: bool = False

    @property
    def verdict(self) -> Verdict:
        """Breached by any finding, undecided by anything untested, held only by proof."""
        if self.findings:
            return "breached"
        unsaid = any(not (one.declared or one.known) for one in (*self.public, *self.shared))
        return "undecided" if self.undecided or unsaid else "held"
