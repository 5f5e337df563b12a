"""What a layer beside database and API says in the end, and what all layers say together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from partywall.survey.http.report import HttpReport
    from partywall.survey.verdict import Excepted, Finding, Report, State, Verdict

LAYERS = ("database", "api", "pool", "cache", "jobs", "sockets", "objects")
"""In the order in which they are surveyed and told."""
FURTHER = LAYERS[2:]
"""Those that have a package of their own name in `partywall.survey`."""
UNSURVEYED = ("PW500", "not-surveyed")
"""Code and name of a layer that could not be surveyed at all."""
CACHE_UNTRIED = ("PW600", "cache-command-untried")
JOBS_UNTRIED = ("PW700", "jobs-table-untried")
"""The same of what a login may do, and no attack tries."""


class Watch:
    """Hears what a layer's survey does; every method may be overridden, none needs to be."""

    def stage(self, name: str) -> None:
        """A part of the survey begins."""

    def planned(self, attempts: int) -> None:
        """So many attempts will be made."""

    def judged(self, tried: Tried) -> None:
        """An attempt has its verdict."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One surface attacked in one direction in one way, and how that ended.

    Attributes:
        at: the surface; it begins with the layer's name and a space: ``cache GET``.
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
        left: sentences on what was not tried, and why; and on what could not be taken away again.
        remarks: sentences on what to tidy up among exceptions.
        known, known_undecided: what the baseline has as well; it doesn't make the verdict.
        compared: whether there was a baseline.
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
    known: tuple[Finding, ...] = ()
    known_undecided: tuple[Undecided, ...] = ()
    compared: bool = False

    @property
    def verdict(self) -> Verdict:
        """Breached by any finding, undecided by anything untested, held only by proof."""
        if self.findings:
            return "breached"
        proved = any(one.state in {"held", "excepted", "known"} for one in self.tried)
        told = proved or bool(self.known_undecided)
        return "held" if told and not self.undecided else "undecided"


AnyLayer: TypeAlias = "Report | HttpReport | LayerReport"


@dataclass(frozen=True)
class WholeReport:
    """What all surveyed layers say together.

    Attributes:
        layers: by name, in the order of `LAYERS`.
        left: sentences on layers that were not surveyed, and why.
    """

    layers: Mapping[str, AnyLayer]
    duration_s: float
    left: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the layers'."""
        said = {one.verdict for one in self.layers.values()}
        if "breached" in said:
            return "breached"
        return "held" if said == {"held"} else "undecided"


def unsurveyed(layer: str, because: str, target: str = "") -> LayerReport:
    """The report of a layer of which nothing can be said at all."""
    open_ = Undecided(*UNSURVEYED, "read", f"{layer} as a whole", because)
    return LayerReport(layer, target or layer, (), (open_,), (), {"proved": 0, "failed": 0}, (), 0)


def joined(one: LayerReport, other: LayerReport) -> LayerReport:
    """Both as one report: a layer reached by its own address, and through the application."""
    names = sorted({*one.controls, *other.controls})
    return replace(
        one,
        target=", ".join(dict.fromkeys(filter(None, (one.target, other.target)))),
        findings=(*one.findings, *other.findings),
        undecided=tuple(dict.fromkeys((*one.undecided, *other.undecided))),
        tried=(*one.tried, *other.tried),
        controls={name: one.controls.get(name, 0) + other.controls.get(name, 0) for name in names},
        tenants=tuple(dict.fromkeys((*one.tenants, *other.tenants))),
        duration_s=one.duration_s + other.duration_s,
        left=tuple(dict.fromkeys((*one.left, *other.left))),
        versions={**one.versions, **other.versions},
    )


def settled(
    tried: Iterable[Tried], places: Collection[tuple[str, str]], state: State
) -> tuple[Tried, ...]:
    """*tried*, where what breached one of *places* (surface, attack) is of another *state*."""
    return tuple(
        replace(one, state=state)
        if one.state == "breached" and (one.at, one.attack) in places
        else one
        for one in tried
    )
