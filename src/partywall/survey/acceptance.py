"""Findings that the configuration accepts: with a reason, perhaps for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from partywall.survey.verdict import Excepted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from partywall.survey.configuration import Acceptance
    from partywall.survey.verdict import Finding


SOON = timedelta(days=30)


def sort_out(
    findings: Iterable[Finding], accepted: Sequence[Acceptance], today: date
) -> tuple[tuple[Finding, ...], tuple[Excepted, ...], tuple[str, ...]]:
    """Part *findings* into those that count and those accepted; also say what to tidy up.

    An acceptance names the finding (``unique-across-tenants`` or its code) and the surface exactly
    as the report prints it. One that has expired accepts nothing, one that matches nothing is
    named: both may hide that something changed. One that soon ends is named in good time.
    """
    counted: list[Finding] = []
    excepted: list[Excepted] = []
    used: set[int] = set()
    for finding in findings:
        number = _match(finding, accepted, today)
        if number is None:
            counted.append(finding)
            continue
        used.add(number)
        until = accepted[number].until
        excepted.append(
            Excepted(finding, accepted[number].because, until.isoformat() if until else "")
        )
    remarks = []
    for number, one in enumerate(accepted):
        if not one.holds(today):
            remarks.append(f"the exception for {one.finding} at {one.at} ended on {one.until}")
        elif number not in used:
            remarks.append(f"the exception for {one.finding} at {one.at} matches no finding")
        elif one.until and one.until - today <= SOON:
            days = (one.until - today).days
            remarks.append(
                f"the exception for {one.finding} at {one.at} ends on {one.until}, "
                f"{'today' if days == 0 else 'tomorrow' if days == 1 else f'in {days} days'}"
            )
    return tuple(counted), tuple(excepted), tuple(remarks)


def _match(finding: Finding, accepted: Sequence[Acceptance], today: date) -> int | None:
    for number, one in enumerate(accepted):
        named = one.finding in {finding.name, finding.code}
        if named and one.at == finding.at and one.holds(today):
            return number
    return None
