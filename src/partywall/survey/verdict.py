"""What a survey says in the end: findings with witnesses, and what stayed undecided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.model import TenancyModel
    from partywall.survey.attack import Effect
    from partywall.survey.identity import Identity, Who

Verdict: TypeAlias = Literal["held", "breached", "undecided"]
State: TypeAlias = Literal["held", "closed", "breached", "undecided", "excepted", "known"]
"""`closed`: nobody can do this here, not even the rightful tenant (no privilege, no policy).
`known`: breached, and so it is in the baseline."""

EXIT_CODES: Mapping[Verdict, int] = {"held": 0, "breached": 1, "undecided": 3}
EFFECTS: tuple[Effect, ...] = (
    "read", "write", "destroy", "detect", "disrupt", "escalate", "latent",
)  # fmt: skip

PAGES = "https://github.com/partywall/partywall/blob/main/docs/findings/"


def explained(name: str) -> str:
    """Where the finding *name* is explained; `partywall explain` shows the same without network."""
    return f"{PAGES}{name}.md"


@dataclass(frozen=True, slots=True)
class WitnessStep:
    """One step anyone can replay: who, what, and what came back.

    Attributes:
        request: the command that sends it over HTTP, where that is how it went; `sql` is "" then.
    """

    actor: str
    sql: str
    returned: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach, with the steps that made it.

    Attributes:
        layer: "sql" for what was executed, "catalog" for what a check read, "http" for what was
            asked of an API.
        fix: SQL, or the sentence that says how.
        repair: the SQL statements that mend it, in their order; () where it takes a person.
    """

    code: str
    name: str
    layer: str
    effect: Effect
    at: str
    attacker: str
    victim: str
    witness: tuple[WitnessStep, ...]
    because: str
    fix: str
    url: str
    repair: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """A surface about which nothing can be said, and why."""

    code: str
    name: str
    effect: Effect
    at: str
    because: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Speed and hygiene: worth knowing, never a breach."""

    code: str
    name: str
    at: str
    because: str
    fix: str
    url: str


@dataclass(frozen=True, slots=True)
class Excepted:
    """A finding that the configuration accepts, and the reason it gives."""

    finding: Finding
    because: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """How far a survey of every tenant came.

    Attributes:
        pairs: ordered pairs of tenants: each attacks each other one.
        turns: how many tenants attacked.
    """

    tenants: int
    pairs: int
    turns: int


@dataclass(frozen=True)
class Report:
    """All that a survey found.

    Attributes:
        cells: (surface, effect) -> the worst state of any attempt there.
        controls: how many controls ran, how many proved what they should.
        place: "copy", "target" or "target, read-only".
        left: sentences on what was not tried and why (attacker level, read-only).
        model: the tenancy model that the survey went by.
        identities: who attacked and who was attacked.
        kinds: surface -> what it is: "table", "view", "function", "sequence", …
        fleet: how many tenants attacked, where all did.
        known, known_undecided: what the baseline has as well; it doesn't make the verdict.
        remarks: sentences on what to tidy up among exceptions and in the baseline.
        compared: whether there was a baseline.
        walls: surface -> what the catalog says of its walls, to be compared with another survey's.
    """

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    advice: tuple[Advice, ...]
    excepted: tuple[Excepted, ...]
    cells: Mapping[tuple[str, str], State]
    layers: Mapping[str, str]
    controls: Mapping[str, int]
    attempts: int
    place: str
    attacker: str
    target: str
    versions: Mapping[str, str]
    duration_s: float
    left: tuple[str, ...] = field(default=())
    model: TenancyModel | None = None
    identities: Mapping[Who, Identity] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    fleet: Fleet | None = None
    known: tuple[Finding, ...] = ()
    known_undecided: tuple[Undecided, ...] = ()
    remarks: tuple[str, ...] = ()
    compared: bool = False
    walls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Breached by any finding, undecided by anything untested, held only by proof."""
        if self.findings:
            return "breached"
        return "undecided" if self.undecided else "held"
