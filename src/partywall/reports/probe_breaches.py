"""A probe's findings in order: by operation, by effect, and the directions in which it is so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.verdict import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.verdict import Finding


@dataclass(frozen=True, slots=True)
class Way:
    """One operation breached by one attack; `others` are further pairs of attacker and victim."""

    finding: Finding
    others: tuple[tuple[str, str], ...]


def ways(findings: Iterable[Finding]) -> Mapping[str, Mapping[Effect, Sequence[Way]]]:
    """Operation -> effect -> the attacks that reach it; the worst operations first."""
    same: dict[tuple[str, Effect, str], list[Finding]] = {}
    for one in sorted(findings, key=lambda f: (EFFECTS.index(f.effect), f.code)):
        same.setdefault((one.at, one.effect, one.code), []).append(one)
    found: dict[str, dict[Effect, list[Way]]] = {}
    for (at, effect, _), (first, *rest) in same.items():
        pairs = dict.fromkeys((f.attacker, f.victim) for f in rest)
        pairs.pop((first.attacker, first.victim), None)
        found.setdefault(at, {}).setdefault(effect, []).append(Way(first, tuple(pairs)))
    return found


def count(findings: Iterable[Finding]) -> int:
    """How many breaches there are: one for each operation, effect and attack, in any direction."""
    return len({(one.at, one.effect, one.code) for one in findings})
