"""Witnesses as text that can be pasted: who acts and what came back are comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pglast import parse_sql
from pglast.parser import ParseError

from partywall.reports.breaches import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.verdict import Finding, Report, WitnessStep

WIDTH = 96
BREAK = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")


def is_sql(fix: str) -> bool:
    """Whether a fix is a statement to run and not a sentence to read."""
    try:
        parse_sql(fix)
    except (ParseError, UnicodeEncodeError):  # the latter: half of a character
        return False
    return True


def marks(report: Report, finding: Finding) -> str:
    """A pattern for what is the victim's in an answer: its id, and its canaries on a copy."""
    victim = next((i for i in report.identities.values() if i.name == finding.victim), None)
    if victim is None or not victim.tenant:
        return ""
    return rf"{re.escape(victim.tenant)}|\bpw{victim.who.lower()}[a-z0-9]{{6,}}(@[\w.]+)?"


def pasted(steps: Sequence[WitnessStep]) -> str:
    """The steps as a script: of SQL, or of commands for bash; "" without any.

    Whatever a name or an answer holds, it stays a comment.
    """
    script: list[str] = []
    actor = ""
    for step in steps:
        mark = "#" if step.request else "--"
        if step.actor != actor:
            actor = step.actor
            script.append(f"{mark} as {BREAK.sub(' ', actor)}")
        script += [step.request] if step.request else lines(step.sql, WIDTH)
        script += [f"{mark}> {line}" for line in BREAK.split(step.returned) if line]
    return "\n".join(script) + "\n" if script else ""
