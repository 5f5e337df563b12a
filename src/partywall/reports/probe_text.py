"""A probe's report for people: the matrix, then each breach as commands with their answers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rich.text import Text

from partywall.reports.probe_breaches import count, ways
from partywall.reports.probe_matrix import draw, operations, unattacked
from partywall.reports.probe_witness import setting, witness
from partywall.reports.style import COLOURS, GLYPHS, listed, number, sign
from partywall.reports.text import (
    accepted,
    breached,
    controls,
    known,
    legend,
    mended,
    nothing_new,
    remarks,
    say,
    title,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from partywall.reports.probe_breaches import Way
    from partywall.survey.http.report import HttpReport, Open
    from partywall.survey.verdict import Verdict

FEW = 8
"""So many reasons why something was not attacked are shown, unless all is asked for."""
VERDICTS: Mapping[Verdict, str] = {
    "held": "nothing of one tenant reached the other",
    "breached": "one tenant can reach the other",
    "undecided": "nothing was breached, but not all could be proven",
}


def show(report: HttpReport, console: Console, *, verbose: bool = False) -> None:
    """Write the whole report; *verbose* shows every way to a breach, every row and every reason."""
    heading(report, console)
    grid(report, console, verbose=verbose)
    breaches(report, console, verbose=verbose)
    opened(report, console)
    killers(report, console)
    undecided(report, console)
    known(report, console)
    accepted(report.excepted, console)
    remarks(report, console)
    advice(report, console)
    coverage(report, console, verbose=verbose)
    closing(report, console)


def heading(report: HttpReport, console: Console) -> None:
    """What was probed, and who attacked whom."""
    console.print(Text.assemble(("partywall ", "bold"), (report.target, "bold cyan")))
    say(console, about(report), "dim")


def about(report: HttpReport) -> str:
    """How much was probed, and who attacked whom."""
    pairs = list(dict.fromkeys((one.attacker, one.victim) for one in report.tried))
    told = f"{number(len(operations(report)), 'operation')}, tenants {listed(report.tenants)}"
    if pairs:
        told += f"; {listed(f'{attacker} → {victim}' for attacker, victim in pairs)}"
    return told


def grid(report: HttpReport, console: Console, *, verbose: bool = False) -> None:
    """Write operations by attack, and what the signs mean."""
    console.print()
    if not report.tried:
        say(console, "No operation could be attacked.", "yellow")
        return
    for line in draw(report, console.width, whole=verbose):
        console.print(line, soft_wrap=True)
    console.print(legend([one.state for one in report.tried]))


def breaches(report: HttpReport, console: Console, *, verbose: bool = False) -> None:
    """Write every breach by operation: the commands, what they brought, and how to end it."""
    found = ways(report.findings)
    if not found:
        return
    title(console, counted(report))
    _setting(report, console)
    for at, effects in found.items():
        console.print()
        say(console, Text(at, "bold"), hang=4)
        for same in effects.values():
            shown = same if verbose else same[:1]
            for way in shown:
                _way(console, way)
            for way in same[len(shown) :]:
                also = f"also {way.finding.code} {way.finding.name}: {way.finding.because}"
                say(console, also, "dim", 4, 2)


def counted(report: HttpReport) -> str:
    """``16 breaches of 7 operations``."""
    places = len({finding.at for finding in report.findings})
    found = number(count(report.findings), "breach", "breaches")
    return f"{found} of {number(places, 'operation')}"


def _setting(report: HttpReport, console: Console) -> None:
    steps = [step for finding in report.findings for step in finding.witness]
    steps += [step for one in (*report.public, *report.shared) for step in one.witness]
    setting(console, steps, report.tenants)


def _way(console: Console, way: Way) -> None:
    others = [f"{attacker} → {victim}" for attacker, victim in way.others]
    breached(console, way.finding, listed(others) if others else "")
    witness(console, way.finding.witness)
    mended(console, way.finding)


def opened(report: HttpReport, console: Console) -> None:
    """Write what more than its tenant may read, and how to declare it."""
    if not report.findings:
        _setting(report, console)
    _open(console, report.public, "readable by anybody, without a credential")
    _open(console, report.shared, "shown to another tenant by default")


def _open(console: Console, found: Sequence[Open], words: str) -> None:
    loud = [one for one in found if not (one.declared or one.known)]
    if had := [one.at for one in found if one.known]:
        title(console, f"{number(len(had), 'operation')} {words}: known, as in the baseline")
        say(console, ", ".join(had), "dim")
    if meant := [one.at for one in found if one.declared]:
        title(console, f"{number(len(meant), 'operation')} declared public")
        say(console, ", ".join(meant), "dim")
    if not loud:
        return
    title(console, f"{number(len(loud), 'operation')} {words}")
    for one in loud:
        head = Text.assemble(("! ", "bold yellow"), (one.at, "bold"), (f"  to {one.to}", "yellow"))
        say(console, head, hang=2)
        say(console, one.because, indent=4)
        witness(console, one.witness)
    say(console, "If that is meant so, declare it in partywall.toml:", "yellow")
    for at in dict.fromkeys(one.at for one in loud):
        quoted = at.replace("\\", "\\\\").replace('"', '\\"')
        console.print(Text(f'  [[public]]\n  operation = "{quoted}"', "green"), soft_wrap=True)


def killers(report: HttpReport, console: Console) -> None:
    """Write which operations cut a tenant off."""
    if not report.killers:
        return
    title(console, f"{number(len(report.killers), 'operation')} after which a tenant was cut off")
    words = (
        "After each of these a tenant could no longer log in, or no longer read what was its own. "
        "They are left out of the next run with:"
    )
    say(console, words)
    denied = ", ".join(f'"{at}"' for at in report.killers)
    console.print(Text(f"  deny = [{denied}]", "green"), soft_wrap=True)


def undecided(report: HttpReport, console: Console) -> None:
    """Write what stays undecided, with the reason."""
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for one in report.undecided:
        found[one.at, one.because][one.effect] = None
    if not found:
        return
    title(console, f"{len(found)} undecided")
    for (at, because), effects in found.items():
        line = Text.assemble(
            sign("undecided"), " ", (at, "bold"), ("  " + ", ".join(effects), "yellow")
        )
        console.print(line, soft_wrap=True)
        say(console, because, indent=4)


def advice(report: HttpReport, console: Console) -> None:
    """Write what is worth knowing and no part of the verdict."""
    if not report.advice:
        return
    title(console, "advice, no part of the verdict")
    for one in report.advice:
        head = Text.assemble(("- ", "blue"), (one.at, "bold"), f"  {one.code} {one.name}")
        say(console, head, hang=2)
        say(console, one.because, indent=4)
        if one.fix:
            say(console, one.fix, "green", 4)


def coverage(report: HttpReport, console: Console, *, verbose: bool = False) -> None:
    """Write what was not attacked, by its reason."""
    missing, reasons = unattacked(report), untried(report)
    if not (reasons or report.left):
        return
    title(console, "not attacked")
    for line in report.left:
        say(console, f"- {line}", hang=2)
    if missing:
        of = number(len(report.tried), "attempt")
        say(console, f"- {len(missing):,} of {of} prove nothing:", hang=2)
    shown = list(reasons.items())[: None if verbose else FEW]
    for because, places in shown:
        say(console, because or "no reason was given", indent=2, hang=2)
        for at, modes in places.items():
            told = at if verbose else f"{at}  {number(len(modes), 'mode')}"
            console.print(Text(f"    {told}", "dim"), soft_wrap=True)
            for mode in modes if verbose else ():
                say(console, mode, "dim", 6, 4)
    if rest := len(reasons) - len(shown):
        say(console, f"{number(rest, 'more reason')}: --verbose shows all", "dim", 2)


def untried(report: HttpReport) -> dict[str, dict[str, list[str]]]:
    """Reason -> operation -> the attempts that prove nothing for it."""
    reasons: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in unattacked(report):
        way = f"{one.attacker} → {one.victim}, {one.attack}"
        reasons[one.because][one.at].append(f"{way}: {one.mode}" if one.mode else way)
    return reasons


def closing(report: HttpReport, console: Console) -> None:
    """Write the numbers, and the verdict in one line."""
    console.print()
    numbers = [
        number(report.requests, "request"), controls(report), f"{report.duration_s:.1f} s",
        f"seed {report.seed}",
    ]  # fmt: skip
    say(console, ", ".join(numbers), "dim")
    verdict = report.verdict
    colour = COLOURS[verdict]
    glyph = GLYPHS[verdict][0]
    told = Text.assemble((f"{glyph} {verdict}", f"bold {colour}"), "  ", (summary(report), colour))
    say(console, told, hang=2)


def summary(report: HttpReport) -> str:
    """What the verdict means, with its numbers."""
    said = ", ".join(told for told in _counts(report) if not told.startswith("0 "))
    meaning = nothing_new(report) or VERDICTS[report.verdict]
    return f"{meaning}{': ' + said if said else ''}"


def _counts(report: HttpReport) -> list[str]:
    undeclared = {
        words: sum(not (one.declared or one.known) for one in found)
        for words, found in {"public": report.public, "shared": report.shared}.items()
    }
    return [
        counted(report),
        *(f"{many} {words} and not declared" for words, many in undeclared.items()),
        f"{len({(one.at, one.because) for one in report.undecided})} undecided",
        f"{count(report.known) + len(report.known_undecided)} known",
        f"{len(report.excepted)} accepted",
    ]
