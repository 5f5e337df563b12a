"""The examples on the pages of attacks on an API: are they what a probe of the cases says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.explaining.pages import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.explaining.pages import Example
    from partywall.survey.http.report import HttpReport


def untrue(entry: str, report: HttpReport) -> list[str]:
    """Pages that show the case *entry* for what it is not."""
    found = {(one.name, one.at) for one in report.findings}
    tried = {(one.attack, one.at) for one in report.tried}
    wrong = []
    for page in pages():
        shown = (page.name, _operation(entry, page.breaches))
        if shown[1] and shown not in found:
            wrong.append(f"{page.name} did not get through at {shown[1]}")
        shown = (page.name, _operation(entry, page.holds))
        if shown[1] and (shown not in tried or shown in found):
            wrong.append(f"{page.name} was not held at {shown[1]}")
    return wrong


def named() -> Iterator[str]:
    """Every case that a page shows."""
    for page in pages():
        for example in (*page.breaches, *page.holds):
            if example.case:
                yield example.case.partition(":")[0]


def _operation(entry: str, examples: tuple[Example, ...]) -> str:
    for example in examples:
        case, _, operation = example.case.partition(": ")
        if case == entry:
            return operation
    return ""
