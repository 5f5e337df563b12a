"""What a change did to the walls, for people: what it weakened first, each with its witness."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rich.text import Text

from partywall.reports.breaches import count, lines, surfaces
from partywall.reports.style import COLOURS, GLYPHS, WIDEST, number, sign
from partywall.reports.text import say, title
from partywall.survey.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from partywall.reports.breaches import Case
    from partywall.survey.difference import Before, Difference, Doubt, Weakened
    from partywall.survey.verdict import Finding, Verdict, WitnessStep

MEANINGS: Mapping[Before, str] = {
    "held": "held: this failed there, and the rightful tenant's own attempt succeeded",
    "closed": "closed: nobody could do this, not even the rightful tenant",
    "breached": "breached as well, in another way",
    "excepted": "breached as well, in another way, and accepted",
    "known": "breached as well, in another way, and known",
    "undecided": "undecided",
    "not tried": "there was no way to try it",
    "not there": "the older survey knew no such surface",
}
VERDICTS: Mapping[Verdict, str] = {
    "held": "no wall is weaker than it was",
    "breached": "the change weakened a wall",
    "undecided": "no wall is known to be weaker, but something can't be told",
}
FEW = 12
"""So many names are listed, unless all is asked for."""


def show(found: Difference, console: Console, *, verbose: bool = False) -> None:
    """Write the whole difference; *verbose* shows every way with its witness, and every name."""
    head = Text.assemble(
        ("partywall diff ", "bold"), (found.old, "cyan"), " → ", (found.new, "bold cyan")
    )
    say(console, head)
    _weakened(console, "weakened", found.weakened, verbose=verbose)
    accepted = "weakened, and accepted by the configuration"
    _weakened(console, accepted, found.accepted, verbose=verbose)
    _doubts(console, found.undecided)
    _mended(console, found.mended)
    _listed(console, "new", found.added, verbose=verbose)
    _listed(console, "gone, or no longer reached", found.removed, verbose=verbose)
    _drift(console, found)
    if found.remarks:
        title(console, "to bear in mind")
        for line in found.remarks:
            say(console, f"- {line}", hang=2)
    _closing(console, found)


def before(one: Weakened) -> str:
    """How the wall stood, in words."""
    if one.before == "not tried" and one.finding.layer == "catalog":
        return "the check found nothing there"
    return f"undecided: {one.because}" if one.because else MEANINGS[one.before]


def counts(found: Difference) -> list[str]:
    """``2 weakened``, ``1 undecided``: whatever there is any of."""
    told = {
        "weakened": count(one.finding for one in found.weakened),
        "weakened and accepted": count(one.finding for one in found.accepted),
        "undecided": len(found.undecided),
        "mended": count(found.mended),
    }
    return [f"{many} {word}" for word, many in told.items() if many]


def _weakened(console: Console, words: str, found: Sequence[Weakened], *, verbose: bool) -> None:
    if not found:
        return
    stood = {fingerprint(one.finding): one for one in found}
    findings = [one.finding for one in found]
    title(console, f"{number(count(findings), 'way')} through walls: {words}")
    for broken in (one for alike in surfaces(findings) for one in alike):
        console.print()
        say(console, Text(broken.at, "bold"), hang=4)
        for cases in broken.effects.values():
            shown = cases if verbose else cases[:1]
            for case in shown:
                _case(console, case, stood[fingerprint(case.finding)])
            for case in cases[len(shown) :]:
                also = f"also {case.finding.code} {case.finding.name}: {case.finding.because}"
                say(console, also, "dim", 4, 2)


def _case(console: Console, case: Case, stood: Weakened) -> None:
    finding = case.finding
    also = f", also {case.also}" if case.also else ""
    head = Text.assemble(
        sign("breached"), " ", (finding.effect, "bold red"), f"  {finding.code} {finding.name}",
        (f"  {finding.attacker} → {finding.victim}{also}", "magenta"),
    )  # fmt: skip
    say(console, head, indent=2, hang=2)
    say(console, Text.assemble(("before  ", "bold"), before(stood)), indent=4, hang=4)
    say(console, Text.assemble(("now  ", "bold"), finding.because), indent=4, hang=4)
    _witness(console, finding.witness)
    if finding.fix:
        say(console, Text.assemble(("fix  ", "bold green"), finding.fix), indent=4, hang=4)
    console.print(Text(f"    see {finding.url}", "dim"), soft_wrap=True)


def _witness(console: Console, steps: Sequence[WitnessStep]) -> None:
    width = min(console.width, WIDEST) - 6
    actor = ""
    for step in steps:
        if step.actor != actor:
            actor = step.actor
            console.print(Text(f"      -- as {actor}", "dim"))
        for line in lines(step.sql, width) if step.sql else [step.request]:
            console.print(Text(f"      {line}", "cyan"), soft_wrap=True)
        for line in step.returned.splitlines():
            console.print(Text(f"      --> {line}", "yellow"), soft_wrap=True)


def _doubts(console: Console, found: Sequence[Doubt]) -> None:
    if not found:
        return
    title(console, f"{len(found)} undecided that the older survey could tell, or didn't know")
    for one in found:
        doubt = one.undecided
        line = Text.assemble(
            sign("undecided"), " ", (doubt.at, "bold"), (f"  {doubt.effect}", "yellow"),
            (f"  before: {one.before}", "dim"),
        )  # fmt: skip
        say(console, line, hang=4)
        say(console, doubt.because, indent=4)


def _mended(console: Console, found: Sequence[Finding]) -> None:
    if not found:
        return
    title(console, f"{number(count(found), 'way')} mended")
    ways: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if (told := f"{one.effect} ({one.name})") not in ways[one.at]:
            ways[one.at].append(told)
    for at, told_ways in ways.items():
        line = Text.assemble(sign("held"), " ", (at, "bold"), f"  {', '.join(told_ways)}")
        say(console, line, hang=4)


def _listed(console: Console, words: str, names: Sequence[str], *, verbose: bool) -> None:
    if not names:
        return
    title(console, f"{number(len(names), 'surface')} {words}")
    shown = names if verbose else names[:FEW]
    rest = f" and {len(names) - len(shown)} more (--verbose)" if len(shown) < len(names) else ""
    say(console, f"{', '.join(shown)}{rest}")


def _drift(console: Console, found: Difference) -> None:
    if not found.drift:
        return
    title(console, "otherwise in the catalog, no part of the verdict")
    for one in found.drift:
        say(console, Text(one.at, "bold"))
        _facts(console, "-", "red", one.gone)
        _facts(console, "+", "green", one.come)


def _facts(console: Console, mark: str, style: str, facts: Iterable[str]) -> None:
    for fact in facts:
        say(console, Text(f"{mark} {fact}", style), indent=2, hang=4)


def _closing(console: Console, found: Difference) -> None:
    colour = COLOURS[found.verdict]
    glyph = GLYPHS[found.verdict][0]
    word = "weakened" if found.weakened else found.verdict
    said = ", ".join(counts(found))
    words = f"{VERDICTS[found.verdict]}{': ' + said if said else ''}"
    console.print()
    say(
        console, Text.assemble((f"{glyph} {word}", f"bold {colour}"), "  ", (words, colour)), hang=2
    )
