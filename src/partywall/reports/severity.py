"""How bad each effect is, in the words of those who show it: the only place where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Effect


@dataclass(frozen=True, slots=True)
class Severity:
    """One effect's place on other people's scales.

    Attributes:
        level: of SARIF and of GitHub's annotations.
        score: GitHub's `security-severity`, on the scale of CVSS: from 9.0 on critical, from 7.0
            high, from 4.0 medium.
        gitlab: of a code quality report.
    """

    level: Literal["error", "warning", "note"]
    score: str
    gitlab: Literal["blocker", "critical", "major", "minor", "info"]


SEVERITIES: Mapping[Effect, Severity] = {
    "read": Severity("error", "8.6", "critical"),
    "write": Severity("error", "9.1", "blocker"),
    "destroy": Severity("error", "9.1", "blocker"),
    "escalate": Severity("error", "9.8", "blocker"),
    "disrupt": Severity("warning", "6.5", "major"),
    "detect": Severity("warning", "5.3", "major"),
    "latent": Severity("warning", "4.0", "minor"),
}
