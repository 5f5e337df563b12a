"""Findings put in order: by surface, by effect, and the contexts in which the same works."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.verdict import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.survey.attack import Effect
    from partywall.survey.verdict import Finding, Undecided

CONTEXTS = {"empty context": "with an empty context", "anonymous": "with no context at all"}
WORD = re.compile(
    r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$.*?\$\1\$|[^\s'"$]|\$)+""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Case:
    """One surface breached in one way; the attackers beyond the first did the same."""

    finding: Finding
    others: tuple[str, ...]

    @property
    def also(self) -> str:
        """The further contexts in words, "" without any."""
        return " and ".join(CONTEXTS.get(name, f"as {name}") for name in self.others)


@dataclass(frozen=True, slots=True)
class Broken:
    """One surface with all that got through, the cases of one effect together."""

    at: str
    effects: Mapping[Effect, tuple[Case, ...]]

    @property
    def look(self) -> tuple[tuple[str, str], ...]:
        """What surfaces have in common that were breached in the same ways."""
        return tuple(
            (effect, case.finding.code) for effect, cases in self.effects.items() for case in cases
        )


def surfaces(findings: Iterable[Finding]) -> list[list[Broken]]:
    """Breached surfaces; those breached in the same ways stand together."""
    found: dict[str, dict[tuple[Effect, str], list[Finding]]] = {}
    for finding in sorted(findings, key=lambda f: (f.at, EFFECTS.index(f.effect), f.code)):
        ways = found.setdefault(finding.at, {})
        ways.setdefault((finding.effect, finding.code), []).append(finding)
    alike: dict[tuple[tuple[str, str], ...], list[Broken]] = {}
    for at, ways in found.items():
        effects: dict[Effect, tuple[Case, ...]] = {}
        for (effect, _), same in ways.items():
            effects[effect] = (*effects.get(effect, ()), _case(same))
        broken = Broken(at, effects)
        alike.setdefault(broken.look, []).append(broken)
    return sorted(alike.values(), key=lambda same: EFFECTS.index(next(iter(same[0].effects))))


def count(findings: Iterable[Finding]) -> int:
    """How many breaches there are, one for each surface and way whatever the context."""
    return len({(finding.at, finding.effect, finding.code) for finding in findings})


def _case(same: list[Finding]) -> Case:
    """The tenant's own attempt tells most; those without a context add to it."""
    strangers = list(CONTEXTS)
    ranked = sorted(
        same, key=lambda f: strangers.index(f.attacker) if f.attacker in CONTEXTS else -1
    )
    others = dict.fromkeys(f.attacker for f in ranked[1:] if f.attacker != ranked[0].attacker)
    return Case(ranked[0], tuple(others))


def doubts(undecided: Iterable[Undecided]) -> list[tuple[str, tuple[str, ...], str]]:
    """(surface, effects, reason): one line for what stays open for the same reason."""
    found: dict[tuple[str, str], dict[Effect, None]] = defaultdict(dict)
    for one in undecided:
        found[one.at, one.because][one.effect] = None
    return [
        (at, tuple(sorted(effects, key=EFFECTS.index)), because)
        for (at, because), effects in found.items()
    ]


def lines(sql: str, width: int) -> list[str]:
    """Lay SQL out in *width* columns without changing what it says: literals are never broken.

    What has lines of its own keeps them.
    """
    sql = sql.strip().rstrip(";") + ";"
    if "\n" in sql:
        return sql.split("\n")
    words = [match[0] for match in WORD.finditer(sql)]
    understood = "".join("".join(words).split()) == "".join(sql.split())
    if not understood or "\\'" in sql or "--" in sql:
        return [sql]
    laid = [""]
    for word in _together(words):
        if laid[-1] and len(laid[-1]) + 1 + len(word) > width:
            laid.append("  " + word)
        else:
            laid[-1] = f"{laid[-1]} {word}" if laid[-1] else word
    return laid


def _together(words: Iterable[str]) -> Iterator[str]:
    """Words with both sides of an equation as one, so that no line ends in ``=``."""
    held = ""
    for word in words:
        if word == "=" or held.endswith(" ="):
            held = f"{held} {word}".lstrip()
        else:
            if held:
                yield held
            held = word
    if held:
        yield held
