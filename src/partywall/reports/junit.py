"""JUnit's XML, as Jenkins, GitLab and others read it: a test for each cell of the matrix.

What held is a test that passed, a breach one that failed, and what is undecided one that could not
be run to its end (`error`), so that it is as red. What the configuration accepts, and what the
baseline has, is skipped, with its reason. There is no one schema; this keeps to what Jenkins' and
Maven's have in common:
https://github.com/jenkinsci/xunit-plugin/tree/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from partywall.reports.witness import pasted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.reports.overview import Breach, Overview, Row
    from partywall.survey.verdict import Excepted, State

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold in any spelling."""
BAD: Mapping[State, str] = {
    "breached": "failures", "undecided": "errors", "excepted": "skipped", "known": "skipped",
}  # fmt: skip


def written(found: Overview) -> str:
    """The report as an XML document."""
    root = suites(found)
    indent(root)
    text = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def suites(found: Overview) -> Element:
    """A suite for each group of the matrix."""
    breaches: dict[tuple[str, str], list[Breach]] = defaultdict(list)
    for one in found.breaches:
        breaches[one.finding.at, one.column].append(one)
    accepted: dict[tuple[str, str], Excepted] = {}
    for exception in found.excepted:
        column = exception.finding.effect if found.across == "effect" else exception.finding.name
        accepted[exception.finding.at, column] = exception
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in found.rows:
        groups[row.group].append(row)
    root = Element("testsuites", name=f"partywall {found.command}", time=f"{found.duration_s:.3f}")
    for name, rows in groups.items():
        suite = SubElement(root, "testsuite", name=clean(name))
        for row in rows:
            for column, state in row.cells.items():
                cell = row.at, column
                case = _case(suite, found, row, column)
                _ending(case, row, column, state, breaches.get(cell, ()), accepted.get(cell))
        _counted(suite, rows)
    _counted(root, found.rows)
    del root.attrib["skipped"]  # which Jenkins' schema has in a suite only
    return root


def _counted(element: Element, rows: Iterable[Row]) -> None:
    states = [state for row in rows for state in row.cells.values()]
    element.set("tests", str(len(states)))
    counts = Counter(BAD.get(state) for state in states)
    for name in dict.fromkeys(BAD.values()):
        element.set(name, str(counts[name]))


def _case(suite: Element, found: Overview, row: Row, column: str) -> Element:
    name = clean(f"{row.at}: {column}")
    return SubElement(
        suite, "testcase", classname=f"partywall.{found.command}.{row.layer}", name=name
    )


def _ending(
    case: Element,
    row: Row,
    column: str,
    state: State,
    breaches: Iterable[Breach],
    accepted: Excepted | None,
) -> None:
    why = row.why.get(column, "")
    if state == "breached":
        told = [_told(one) for one in breaches]
        first = next((one.finding.because for one in breaches), "")
        missing = "the same hole is told elsewhere in this report, with its cause"
        failure = SubElement(case, "failure", type="breached", message=clean(first or missing))
        failure.text = clean("\n\n".join(told) or missing)
    elif state == "undecided":
        error = SubElement(case, "error", type="undecided", message=clean(why or "undecided"))
        error.text = clean(why or "nothing proved that it holds")
    elif state == "excepted":
        reason = accepted.because if accepted else why or "accepted by the configuration"
        until = f" (until {accepted.until})" if accepted and accepted.until else ""
        SubElement(case, "skipped", message=clean(f"accepted: {reason}{until}"))
    elif state == "known":
        reason = f"known by the baseline: {why}" if why else "known by the baseline"
        SubElement(case, "skipped", message=clean(reason))


def _told(one: Breach) -> str:
    """A breach with its witness, and how to end it."""
    finding = one.finding
    also = f", also {one.also}" if one.also else ""
    head = f"{finding.code} {finding.name}: {finding.attacker} → {finding.victim}{also}"
    parts = [head, finding.because, pasted(finding.witness).rstrip()]
    parts += [f"fix: {finding.fix}"] if finding.fix else []
    return "\n".join(part for part in [*parts, f"see {finding.url}"] if part)


def clean(text: str) -> str:
    """*text* with what XML can't hold as a sign that something was there."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
