"""What `partywall fix` writes: a migration in SQL, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from partywall.reports.style import number, sign
from partywall.reports.text import say, title
from partywall.survey.mending.trial import LOCK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from partywall.survey.mending.access import Access
    from partywall.survey.mending.trial import Applied, Proposal
    from partywall.survey.verdict import Finding

UNTRIED = "-- untried: it is about the whole server, and no copy of a database shows what it does"


def script(proposal: Proposal) -> str:
    """The whole migration, to be read and run; what nothing mends stands at its end."""
    return "\n".join(_script(proposal)) + "\n"


def _script(proposal: Proposal) -> Iterator[str]:
    report, plan = proposal.before.report, proposal.migration
    found = len(_ways(report.findings))
    yield _comment(f"partywall fix: {number(found, 'finding')} of {report.target}")
    if plan.mends:
        yield "-- Tried on a copy: each tenant can still do with its own what it could before."
        yield ""
        yield "BEGIN;"
        yield f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';"
        for mend in plan.mends:
            yield ""
            yield from (_comment(line) for line in _ways(mend.findings))
            if mend.of_server:
                yield UNTRIED
            yield f"{mend.statement};"
        yield ""
        yield "COMMIT;"
    elif not report.findings:
        yield "-- There is nothing to mend."
    if proposal.remaining:
        yield ""
        yield "-- What takes a person:"
        for line, fix in _ways(proposal.remaining).items():
            yield _comment(line)
            yield _comment(f"  {fix}")
    if plan.refusals:
        yield ""
        yield "-- Tried, and left out again:"
        for refusal in plan.refusals:
            yield _comment(refusal.mend.statement)
            yield _comment(f"  {refusal.because}")


def show(applied: Applied, console: Console) -> None:
    """Say what an applied migration has ended, what stays, and who lost what."""
    report = applied.after.report
    say(console, f"applied {number(len(applied.mends), 'statement')} to {report.target}", "bold")
    _listed(console, "gone", _ways(applied.gone))
    _listed(console, "still there", _ways(report.findings))
    if applied.lost:
        title(console, "a tenant can no longer do with its own what it could before")
        for lost in applied.lost:
            console.print(Text.assemble(sign("breached"), " ", loss(lost)), soft_wrap=True)
        server = [mend.statement for mend in applied.mends if mend.of_server]
        if server:
            say(console, f"No copy could show it; look at: {'; '.join(server)}")
    console.print()
    say(console, report.verdict, "bold")


def loss(lost: Access) -> str:
    """What a tenant can no longer do, in words."""
    return f"{lost.tenant} could {lost.way} its own at {lost.at}"


def _listed(console: Console, words: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    if lines:
        title(console, words)
        for line in lines:
            say(console, line, hang=2)


def _ways(findings: Iterable[Finding]) -> dict[str, str]:
    """Each way a surface was breached once, whoever did it, with what to do about it."""
    return {f"{f.code} {f.name} at {f.at}: {f.because}": f.fix for f in findings}


def _comment(words: str) -> str:
    return f"-- {' '.join(words.splitlines())}"
