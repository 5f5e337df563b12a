"""What a change did to the walls, as a comment on its pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.reports.breaches import surfaces
from partywall.reports.diff_text import VERDICTS, before, counts
from partywall.reports.markdown import block, code, link, prose
from partywall.reports.style import GLYPHS
from partywall.reports.witness import pasted
from partywall.survey.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from partywall.reports.breaches import Case
    from partywall.survey.difference import Difference, Weakened

LISTED = 50
"""So many of a kind are listed: GitHub refuses a comment of more than 65,536 characters."""
SHOWN_CHARACTERS = 2_000
"""So much of a witness is shown."""
WITNESSES = 15


def written(found: Difference) -> str:
    """The difference; of what is much the text tells the rest."""
    return "\n".join(_parts(found)) + "\n"


def _parts(found: Difference) -> Iterator[str]:
    word = "weakened" if found.weakened else found.verdict
    said = ", ".join(counts(found))
    yield f"## {GLYPHS[found.verdict][0]} partywall diff: {word}\n"
    yield f"{code(found.old)} → {code(found.new)}: {VERDICTS[found.verdict]}" + (
        f" ({said}).\n" if said else ".\n"
    )
    yield from _table("Weakened", found.weakened)
    yield from _table("Weakened, and accepted by the configuration", found.accepted)
    yield from _list(
        "Undecided",
        [
            f"{code(one.undecided.at)} {one.undecided.effect}, before: {one.before}. "
            f"{prose(one.undecided.because)}"
            for one in found.undecided
        ],
    )
    mended = dict.fromkeys((one.at, one.effect, one.name) for one in found.mended)
    yield from _list("Mended", [f"{code(at)} {way} ({name})" for at, way, name in mended])
    yield from _list("New surfaces", map(code, found.added))
    yield from _list("Gone, or no longer reached", map(code, found.removed))
    drift = [
        block("\n".join([one.at, *(f"- {f}" for f in one.gone), *(f"+ {f}" for f in one.come)]))
        for one in found.drift[:LISTED]
    ]
    if drift:
        yield from (
            "<details><summary>Otherwise in the catalog</summary>\n",
            *drift,
            "</details>\n",
        )
    yield from _list("To bear in mind", map(prose, found.remarks))


def _table(title: str, found: Sequence[Weakened]) -> Iterator[str]:
    if not found:
        return
    stood = {fingerprint(one.finding): one for one in found}
    broken = [one for alike in surfaces(one.finding for one in found) for one in alike]
    cases = [case for one in broken for cases in one.effects.values() for case in cases]
    yield f"### {title}\n\n| where | effect | finding | before |\n| --- | --- | --- | --- |"
    for case in cases[:LISTED]:
        one = case.finding
        told = prose(before(stood[fingerprint(one)]))
        name = link(f"{one.code} {one.name}", one.url)
        yield f"| {code(one.at)} | {one.effect} | {name} | {told} |"
    yield f"\n{len(cases) - LISTED} more in the text.\n" if len(cases) > LISTED else ""
    for case in cases[:WITNESSES]:
        yield from _witness(case)


def _witness(case: Case) -> Iterator[str]:
    one = case.finding
    also = f", also {case.also}" if case.also else ""
    who = prose(f"{one.effect} by {one.attacker} of what is {one.victim}'s{also}")
    yield f"<details><summary>{code(one.at)}: {who}</summary>\n"
    yield f"{prose(one.because)}.\n"
    script = pasted(one.witness)
    cut = script if len(script) <= SHOWN_CHARACTERS else script[:SHOWN_CHARACTERS] + " …"
    if cut:
        yield block(cut) + "\n"
    if one.fix:
        yield f"Fix:\n\n{block(one.fix)}\n"
    yield "</details>\n"


def _list(title: str, entries: Iterable[str]) -> Iterator[str]:
    told = list(entries)
    if not told:
        return
    yield f"### {title}\n"
    yield from (f"- {entry}" for entry in told[:LISTED])
    yield f"- and {len(told) - LISTED} more\n" if len(told) > LISTED else ""
