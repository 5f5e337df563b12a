"""The report for people: the matrix, then each breach with its witness and its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from partywall.reports import matrix
from partywall.reports.breaches import count, doubts, lines, surfaces
from partywall.reports.facts import sentence, versions
from partywall.reports.style import COLOURS, GLYPHS, WIDEST, number, sign
from partywall.reports.witness import is_sql, marks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rich.console import Console

    from partywall.reports.breaches import Broken, Case
    from partywall.survey.layers import AnyLayer
    from partywall.survey.verdict import (
        Excepted,
        Finding,
        Report,
        State,
        Verdict,
        WitnessStep,
    )

IN_FULL = 3
"""So many surfaces breached in the same ways are shown with their witnesses, the rest by name."""

PLACES: Mapping[str, str] = {
    "copy": "on a disposable copy with planted rows",
    "target": "on the target itself, everything rolled back",
    "target, read-only": "on the target itself, only rows that exist were read",
}
ATTACKERS: Mapping[str, str] = {
    "query": "with the application's ordinary queries",
    "sql": "with any SQL as its login (an injection), its context kept",
    "context": "with any SQL as its login, and any context it likes",
}
MEANINGS: Mapping[State, str] = {
    "held": "held", "breached": "breached", "undecided": "undecided",
    "closed": "closed to all", "excepted": "accepted", "known": "known",
}  # fmt: skip
VERDICTS: Mapping[Verdict, str] = {
    "held": "nothing of one tenant reached the other",
    "breached": "one tenant can reach the other",
    "undecided": "nothing was breached, but not all could be tested",
}


NOTHING_NEW = "nothing that the baseline doesn't know"


def show(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Write the whole report; *verbose* shows every witness and every row."""
    heading(report, console)
    grid(report, console, verbose=verbose)
    breaches(report, console, verbose=verbose)
    open_questions(report, console)
    known(report, console)
    accepted(report.excepted, console)
    remarks(report, console)
    advice(report, console, verbose=verbose)
    not_tried(report, console)
    closing(report, console)


def heading(report: Report, console: Console) -> None:
    """What was surveyed, how its tenants are kept apart, who attacked whom and where."""
    console.print(Text.assemble(("partywall ", "bold"), (report.target, "bold cyan")))
    for line in about(report):
        say(console, line, "dim")


def about(report: Report) -> list[str]:
    """How tenants are kept apart; who attacked whom, how and where."""
    attack = ATTACKERS.get(report.attacker, report.attacker)
    if "A" in report.identities and "B" in report.identities:
        names = f"{report.identities['A'].name} attacks {report.identities['B'].name}"
        if report.fleet:
            pairs = number(report.fleet.pairs, "ordered pair")
            names = f"each of {report.fleet.tenants:,} tenants attacks all others ({pairs})"
        attack = f"{names} {attack}"
    told = [sentence(report.model)] if report.model else []
    return [*told, f"{attack}, {PLACES.get(report.place, report.place)}"]


def grid(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Write the matrix and its legend."""
    whole = matrix.groups(report)
    if not whole:
        console.print()
        say(console, "No surface could be reached: there was nothing to attack.", "yellow")
        return
    console.print()
    for line in matrix.draw(whole if verbose else matrix.fold(whole), console.width):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(legend(report.cells.values()))


def legend(shown: Collection[State]) -> Text:
    """What the signs mean; that of a baseline only where one is used."""
    states = [state for state in MEANINGS if state != "known" or state in shown]
    return Text("  ").join(
        Text.assemble(sign(state), " ", (MEANINGS[state], "dim")) for state in states
    )


def breaches(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Write every breach: the surface, then by effect what came through and how to end it."""
    if not report.findings:
        return
    found = surfaces(report.findings)
    title(console, counted(report))
    say(console, how_to_replay(report), "dim")
    for alike in found:
        shown = alike if verbose else alike[:IN_FULL]
        for broken in shown:
            surface(console, report, broken, verbose=verbose)
        if rest := alike[len(shown) :]:
            console.print()
            more = number(len(rest), "more surface was", "more surfaces were")
            say(console, f"{more} breached in the same ways (--verbose shows how):", "dim")
            say(console, ", ".join(broken.at for broken in rest), indent=2)


def counted(report: Report) -> str:
    """``16 breaches of 7 surfaces``."""
    places = len({finding.at for finding in report.findings})
    return f"{number(count(report.findings), 'breach', 'breaches')} of {number(places, 'surface')}"


def how_to_replay(report: Report) -> str:
    """How the statements of a witness are run."""
    copied = report.place == "copy"
    rows = " The rows named here stood on the copy only." if copied else ""
    return (
        "To replay a witness: log in as the tenant named, BEGIN, run the tenant's `enter` "
        f"statements of partywall.toml, then what stands here, ROLLBACK.{rows}"
    )


def surface(console: Console, report: Report, broken: Broken, *, verbose: bool) -> None:
    """Write what got through at one surface, each way with its witness and its fix."""
    console.print()
    say(console, Text(broken.at, "bold"), hang=4)
    for cases in broken.effects.values():
        shown = cases if verbose else cases[:1]
        for case in shown:
            _case(console, report, case)
        for case in cases[len(shown) :]:
            also = f"also {case.finding.code} {case.finding.name}: {case.finding.because}"
            say(console, also, "dim", 4, 2)


def _case(console: Console, report: Report, case: Case) -> None:
    finding = case.finding
    breached(console, finding, case.also)
    _witness(console, finding.witness, marks(report, finding))
    mended(console, finding)


def breached(console: Console, finding: Finding, also: str) -> None:
    """Write what got through, who did it to whom, and who *also*."""
    others = f", also {also}" if also else ""
    head = Text.assemble(
        sign("breached"), " ", (finding.effect, "bold red"), f"  {finding.code} {finding.name}",
        (f"  {finding.attacker} → {finding.victim}{others}", "magenta"),
    )  # fmt: skip
    say(console, head, indent=2, hang=2)
    say(console, finding.because, indent=4)


def mended(console: Console, finding: Finding) -> None:
    """Write what mends it, and where it is explained."""
    if finding.fix:
        _fix(console, finding.fix)
    console.print(Text(f"    {explanation(finding)}", "dim"), soft_wrap=True)


def explanation(finding: Finding) -> str:
    """Where a finding is explained."""
    return f"see {finding.url} (partywall explain {finding.name})"


def _witness(console: Console, steps: Sequence[WitnessStep], pattern: str) -> None:
    """SQL that can be pasted: who runs it and what came back are comments."""
    width = min(console.width, WIDEST) - 6
    actor = ""
    for step in steps:
        if step.actor != actor:
            actor = step.actor
            console.print(Text(f"      -- as {actor}", "dim"))
        for line in lines(step.sql, width):
            console.print(Text(f"      {line}", "cyan"), soft_wrap=True)
        for line in step.returned.splitlines():
            for position, part in enumerate(Text(line).wrap(console, width - 4)):
                arrow = "-->" if position == 0 else "-- "
                back = Text(f"      {arrow} {part.plain.rstrip()}", "yellow")
                if pattern:
                    back.highlight_regex(pattern, "bold red")
                console.print(back, soft_wrap=True)


def _fix(console: Console, fix: str) -> None:
    label = ("fix ", "bold green")
    if not is_sql(fix):
        say(console, Text.assemble(label, fix), indent=4, hang=4)
        return
    first, *rest = lines(fix, min(console.width, WIDEST) - 8)
    console.print(Text.assemble("    ", label, (first, "green")), soft_wrap=True)
    for line in rest:
        console.print(Text(f"      {line}", "green"), soft_wrap=True)


def open_questions(report: Report, console: Console) -> None:
    """Write what stays undecided, with the reason."""
    found = doubts(report.undecided)
    if not found:
        return
    title(console, f"{len(found)} undecided")
    for at, effects, because in found:
        line = Text.assemble(
            sign("undecided"), " ", (at, "bold"), ("  " + ", ".join(effects), "yellow")
        )
        console.print(line, soft_wrap=True)
        say(console, because, indent=4)


def known(report: AnyLayer, console: Console) -> None:
    """Write what the baseline has as well: a line for each surface and way."""
    if report.known:
        title(console, f"{number(count(report.known), 'known breach', 'known breaches')}")
        for same in surfaces(report.known):
            for broken in same:
                ways = [
                    f"{effect} ({', '.join(case.finding.name for case in cases)})"
                    for effect, cases in broken.effects.items()
                ]
                line = Text.assemble(sign("known"), " ", (broken.at, "bold"), "  ", ", ".join(ways))
                say(console, line, hang=4)
    if report.known_undecided:
        found = doubts(report.known_undecided)
        title(console, f"{len(found)} undecided, as in the baseline")
        for at, effects, because in found:
            line = Text.assemble(sign("undecided"), " ", (at, "bold"), "  ", ", ".join(effects))
            say(console, line, "dim", hang=4)
            say(console, because, "dim", 4)


def remarks(report: AnyLayer, console: Console) -> None:
    """Write what to tidy up among the exceptions and in the baseline."""
    if not report.remarks:
        return
    title(console, "to tidy up")
    for line in report.remarks:
        say(console, f"- {line}", hang=2)


def nothing_new(report: AnyLayer) -> str:
    """What a verdict of held means beside a baseline; "" without one."""
    known_too = report.known or report.known_undecided
    return NOTHING_NEW if report.verdict == "held" and known_too else ""


def accepted(excepted: Sequence[Excepted], console: Console) -> None:
    """Write the findings that the configuration accepts."""
    if not excepted:
        return
    title(console, f"{len(excepted)} accepted by the configuration")
    for one in excepted:
        until = f" (until {one.until})" if one.until else ""
        line = Text.assemble(
            sign("excepted"),
            " ",
            (one.finding.at, "bold"),
            f"  {one.finding.name}, {one.finding.effect}",
        )
        console.print(line, soft_wrap=True)
        say(console, f"{one.because}{until}", indent=4)


def advice(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Write speed and hygiene in short: one entry a kind of advice, no part of the verdict."""
    if not report.advice:
        return
    title(console, "advice, no part of the verdict")
    by_name: dict[str, list[int]] = {}
    for position, one in enumerate(report.advice):
        by_name.setdefault(one.code, []).append(position)
    for positions in by_name.values():
        shown = [report.advice[p] for p in (positions if verbose else positions[:1])]
        for one in shown:
            console.print(
                Text.assemble(("- ", "blue"), (one.at, "bold"), f"  {one.code} {one.name}"),
                soft_wrap=True,
            )
            say(console, one.because, indent=4)
            if one.fix:
                say(console, one.fix, "green", 4)
        if hidden := [report.advice[p].at for p in positions[len(shown) :]]:
            names = ", ".join(hidden[:6]) + (f" and {len(hidden) - 6} more" if hidden[6:] else "")
            say(console, f"likewise {names}", "dim", 4)


def not_tried(report: Report, console: Console) -> None:
    """Write what this survey left out and why."""
    if not report.left:
        return
    title(console, "not tried")
    for line in report.left:
        say(console, f"- {line}")


def closing(report: Report, console: Console) -> None:
    """Write the numbers, and the verdict in one line."""
    server = f"PostgreSQL {versions(report)['postgresql']}"
    console.print()
    say(console, f"{number(report.attempts, 'attempt')}, {controls(report)}, "
                 f"{report.duration_s:.1f} s, {report.place}; {server}", "dim")  # fmt: skip
    verdict = report.verdict
    glyph = GLYPHS[verdict][0]
    colour = COLOURS[verdict]
    say(
        console,
        Text.assemble((f"{glyph} {verdict}", f"bold {colour}"), "  ", (summary(report), colour)),
        hang=2,
    )


def summary(report: Report) -> str:
    """What the verdict means, with its numbers."""
    counts = [
        counted(report),
        f"{len(doubts(report.undecided))} undecided",
        f"{count(report.known) + len(doubts(report.known_undecided))} known",
        f"{len(report.excepted)} accepted",
    ]
    said = ", ".join(count for count in counts if not count.startswith("0 "))
    return f"{nothing_new(report) or VERDICTS[report.verdict]}{': ' + said if said else ''}"


def controls(report: AnyLayer) -> str:
    """How many controls there were, and whether they held."""
    failed = report.controls.get("failed", 0)
    held = f"{number(report.controls.get('proved', 0), 'control')} held"
    return f"{held}, {failed:,} did not" if failed else held


def title(console: Console, words: str) -> None:
    """Begin a part of the report."""
    console.print()
    console.print(Text(words, "bold underline"))


def say(
    console: Console, words: str | Text, style: str = "", indent: int = 0, hang: int = 0
) -> None:
    """Write a paragraph, no wider than is good to read; *hang* indents its further lines more."""
    text = Text(words, style) if isinstance(words, str) else words
    width = min(console.width, WIDEST) - indent - hang
    for position, line in enumerate(text.wrap(console, width)):
        line.rstrip()
        before = indent + (hang if position else 0)
        console.print(Text.assemble(" " * before, line), soft_wrap=True)
