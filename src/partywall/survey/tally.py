"""What became of all attempts on a layer, collected into its report."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.survey.layers import LayerReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.survey.layers import Tried
    from partywall.survey.verdict import Finding, Undecided

NAMED_WAYS = 12


class Tally:
    """Findings, what is open, and what was tried, as it comes in.

    Breaches of one surface by many ways are one finding, whose reason names the ways.
    """

    def __init__(self) -> None:
        self.tried: list[Tried] = []
        self.left: list[str] = []
        self._found: dict[tuple[str, ...], tuple[Finding, list[str]]] = {}
        self._open: dict[Undecided, None] = {}
        self._proved = self._failed = 0
        self._began_s = time.monotonic()

    def found(self, finding: Finding, way: str = "") -> None:
        """A breach; the first of its surface gives the witness."""
        key = (finding.code, finding.at, finding.attacker, finding.victim, finding.effect)
        _, ways = self._found.setdefault(key, (finding, []))
        if way and way not in ways:
            ways.append(way)

    def open(self, undecided: Undecided) -> None:
        """Something about which nothing can be said; told once, whoever attacked."""
        self._open[undecided] = None

    def controlled(self, *, proved: bool) -> None:
        """A control has run."""
        self._proved += proved
        self._failed += not proved

    def report(
        self, layer: str, target: str, tenants: Iterable[str], versions: Mapping[str, str]
    ) -> LayerReport:
        """All of it."""
        findings = [_told(one, ways) for one, ways in self._found.values()]
        return LayerReport(
            layer,
            target,
            tuple(sorted(findings, key=lambda one: (one.code, one.at, one.attacker))),
            tuple(sorted(self._open, key=lambda one: (one.code, one.at))),
            tuple(self.tried),
            {"proved": self._proved, "failed": self._failed},
            tuple(tenants),
            time.monotonic() - self._began_s,
            left=tuple(dict.fromkeys(self.left)),
            versions=versions,
        )


def _told(finding: Finding, ways: list[str]) -> Finding:
    others = ways[1:]
    if not others:
        return finding
    more = len(others) - NAMED_WAYS
    named = ", ".join(others[:NAMED_WAYS]) + (f" and {more} more" if more > 0 else "")
    return replace(finding, because=f"{finding.because}; likewise by {named}")
