"""The contract between a check and the survey: facts in, hits out, nothing attempted.

A check adds what an attempt can't show: a door that opens with the next ordinary change
(`latent`), or advice on speed and hygiene, which never is a breach.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.verdict import Advice, Finding, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from partywall.survey.attack import Effect, Level, Scene

    Question: TypeAlias = Callable[[Scene], Iterator["Hit"]]


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a check applies.

    Attributes:
        because: one sentence: the fact, and what follows from it.
        fix: the sentence that says how to mend it; "" where *repair* does.
        hygiene: advice only, whatever the check's effect is.
        effect: where this place differs from the check.
        repair: the SQL statements that mend it, where facts alone say which.
    """

    at: str
    because: str
    fix: str = ""
    hygiene: bool = False
    effect: Effect | None = None
    repair: tuple[str, ...] = ()

    @property
    def mend(self) -> str:
        """What to do about it, for people."""
        return "; ".join(self.repair) or self.fix


@dataclass(frozen=True, slots=True)
class Check:
    """A named question about a database's facts.

    Attributes:
        code: ``PW1xx``, never reused.
        effect: what it prevents.
        level: the weakest attacker who could use the door.
        hygiene: advice: reported apart, never a breach.
    """

    code: str
    name: str
    effect: Effect
    level: Level
    hygiene: bool
    doc: str
    ask: Question

    def __call__(self, scene: Scene) -> tuple[Hit, ...]:
        """Answer for *scene*."""
        return tuple(self.ask(scene))

    def examples(self, section: str) -> list[str]:
        """Return the lines of a docstring section, `Fires`, `Silent` or `Source`."""
        body = self.doc.partition(f"\n{section}:\n")[2].partition("\n\n")[0]
        return [line.strip() for line in body.splitlines() if line.strip()]


def check(
    code: str, *, effect: Effect = "latent", level: Level = "query", hygiene: bool = False
) -> Callable[[Question], Check]:
    """Declare a generator of hits as the check *code*; its name is the function's."""

    def declare(ask: Question) -> Check:
        name = getattr(ask, "__name__", "").replace("_", "-")
        return Check(code, name, effect, level, hygiene, inspect.getdoc(ask) or "", ask)

    return declare


def answers(
    scene: Scene, checks: Iterable[Check]
) -> tuple[tuple[Finding, ...], tuple[Advice, ...]]:
    """Ask *checks* about *scene*: findings for the attacker of this survey, and advice."""
    a, b = scene.identities["A"].name, scene.identities["B"].name
    findings: list[Finding] = []
    advice: list[Advice] = []
    for one in checks:
        url = explained(one.name)
        for hit in one(scene):
            if one.hygiene or hit.hygiene:
                advice.append(Advice(one.code, one.name, hit.at, hit.because, hit.mend, url))
            elif scene.allows(one.level):
                effect = hit.effect or one.effect
                findings.append(
                    Finding(one.code, one.name, "catalog", effect, hit.at, a, b, (),
                            hit.because, hit.mend, url, hit.repair)
                )  # fmt: skip
    return tuple(findings), tuple(advice)
