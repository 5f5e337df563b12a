"""What a layer beside database and API says in the end: pool, cache, jobs, sockets, objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.verdict import Excepted, Finding, State, Undecided, Verdict

LAYERS = ("database", "api", "pool", "cache", "jobs", "sockets", "objects")
"""In the order in which they are surveyed and told."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One surface attacked in one direction in one way, and how that ended.

    Attributes:
        at: the surface: ``cache GET``.
        attack: the attack's name: ``keys-of-another``.
        because: why it is undecided; "" otherwise.
    """

    at: str
    attacker: str
    victim: str
    attack: str
    state: State
    because: str = ""


@dataclass(frozen=True)
class LayerReport:
    """All that the survey of a layer found.

    Attributes:
        layer: one of `LAYERS`.
        target: its address, without secrets.
        controls: how many controls ``proved`` what they should, how many ``failed``.
        left: sentences on what was not tried, and why.
        remarks: sentences on what to tidy up among exceptions.
    """

    layer: str
    target: str
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    tried: tuple[Tried, ...]
    controls: Mapping[str, int]
    tenants: tuple[str, ...]
    duration_s: float
    excepted: tuple[Excepted, ...] = ()
    left: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Breached by any finding, undecided by anything untested, held only by proof."""
        if self.findings:
            return "breached"
        proved = any(one.state == "held" for one in self.tried)
        return "held" if proved and not self.undecided else "undecided"
