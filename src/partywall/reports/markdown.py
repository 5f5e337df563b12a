"""Markdown as GitHub and GitLab render it, for a comment on a pull request.

Nothing that a database or an API says is Markdown: punctuation goes out as entities, and code in
`<code>` and `<pre>`, in which nobody is mentioned and no issue linked.
"""

from __future__ import annotations

import re
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING

from partywall.reports.style import GLYPHS, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.reports.overview import Breach, Doubt, Overview
    from partywall.survey.verdict import Excepted

LIMIT = 60_000
"""So long a comment may become: GitHub refuses more than 65,536 characters."""
LISTED = 100
"""So many rows a table has at most."""
ROOM = 10_000
"""So long the rows of one table, or of one list, are together."""
SHOWN_CHARACTERS = 4_000
"""So much of one witness is shown."""
PUNCTUATION = re.compile(r"[\"#$&)*+\-.:<=>@\[\\\]^_`{|}~]")
"""What may mean something; commas and the like never do."""
NOISE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def written(found: Overview) -> str:
    """The report, cut where a comment would grow too long; it then says what is left out."""
    parts = [*_head(found), *_breaches(found), *_doubts(found), *_excepted(found)]
    text = "\n".join(parts)
    witnesses = list(_witnesses(found))
    tail = "\n".join(_tail(found))
    shown = 0
    for one in witnesses:
        if len(text) + len(tail) + len(one) > LIMIT:
            break
        text += f"\n{one}"
        shown += 1
    if rest := len(witnesses) - shown:
        text += f"\n\n{number(rest, 'more witness', 'more witnesses')} in the whole report.\n"
    if found.in_baseline:
        known = "\n".join(_known(found))
        fits = len(text) + len(tail) + len(known) <= LIMIT
        text += known if fits else f"\n{_counted(found)}: in the whole report.\n"
    return f"{text}\n{tail}\n"


def prose(text: str) -> str:
    """*text* so that it is read as it stands, on one line, in a table too."""
    plain = " ".join(NOISE.sub(" ", text).split())
    entities = PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", plain)
    return re.sub("(&#(?:64|35);)", r"\1&#8203;", entities)  # nobody mentioned, no issue linked


def code(text: str) -> str:
    """*text* as code within a line."""
    plain = " ".join(NOISE.sub(" ", text).split())
    return f"<code>{PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', plain)}</code>"


def block(text: str) -> str:
    """*text* as code of several lines; blank lines would end the HTML, and are entities."""
    plain = NOISE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [escape(line) or "&#8203;" for line in plain.rstrip("\n").split("\n")]
    return "<pre>" + "\n".join(lines) + "</pre>"


def link(text: str, url: str) -> str:
    """A link where the address is ours to trust: anything else stays text."""
    if not url.startswith("https://"):
        return prose(text)
    return f'<a href="{escape(url)}">{prose(text)}</a>'


def _head(found: Overview) -> Iterator[str]:
    glyph = GLYPHS[found.verdict][0]
    yield f"## {glyph} partywall {found.command}: {found.verdict}\n"
    yield f"{code(found.target)}: {prose(found.summary)}.\n"


def _breaches(found: Overview) -> Iterator[str]:
    columns = (found.noun, "effect", "finding", "who")
    yield from _table("", columns, [_breach(one) for one in found.breaches])


def _breach(one: Breach) -> str:
    finding = one.finding
    also = f", also {one.also}" if one.also else ""
    who = prose(f"{finding.attacker} → {finding.victim}{also}")
    name = link(f"{finding.code} {finding.name}", finding.url)
    return f"| {code(finding.at)} | {GLYPHS['breached'][0]} {finding.effect} | {name} | {who} |"


def _fitting(rows: Sequence[str]) -> Iterator[str]:
    """The first of *rows*, as many as there is room for, and how many more there are."""
    ends = accumulate(len(row) + 1 for row in rows[:LISTED])
    shown = sum(end <= ROOM for end in ends)
    yield from rows[:shown]
    if rest := len(rows) - shown:
        yield f"\n{rest:,} more in the whole report."


def _doubts(found: Overview) -> Iterator[str]:
    head = f"{GLYPHS['undecided'][0]} {len(found.doubts):,} undecided"
    columns = (found.noun, found.across, "why")
    yield from _table(head, columns, [_doubt(one) for one in found.doubts])


def _table(head: str, columns: Sequence[str], rows: Sequence[str]) -> Iterator[str]:
    """Rows, under a head where they have one; nothing where there are none."""
    if not rows:
        return
    if head:
        yield f"### {head}\n"
    yield f"| {' | '.join(columns)} |\n| {' | '.join('---' for _ in columns)} |"
    yield from _fitting(rows)
    yield ""


def _doubt(one: Doubt) -> str:
    return f"| {code(one.at)} | {prose(one.column)} | {prose(one.because[:SHOWN_CHARACTERS])} |"


def _excepted(found: Overview) -> Iterator[str]:
    head = f"{GLYPHS['excepted'][0]} {len(found.excepted):,} accepted by the configuration"
    columns = (found.noun, "finding", "because", "until")
    yield from _table(head, columns, [_exception(one) for one in found.excepted])


def _exception(one: Excepted) -> str:
    name = prose(f"{one.finding.code} {one.finding.name}, {one.finding.effect}")
    because, until = prose(one.because[:SHOWN_CHARACTERS]), prose(one.until) or "–"
    return f"| {code(one.finding.at)} | {name} | {because} | {until} |"


def _known(found: Overview) -> Iterator[str]:
    """What the baseline has, folded: in short, since nothing new is in it."""
    told = [f"{one.finding.code} {one.finding.name}, {one.finding.effect}" for one in found.known]
    told += [f"{one.code} {one.name}, {one.column}: undecided" for one in found.known_doubts]
    yield f"\n<details><summary>{_counted(found)}</summary>\n"
    yield f"| {found.noun} | finding |\n| --- | --- |"
    rows = zip(found.in_baseline, told, strict=True)
    yield from _fitting([f"| {code(one.at)} | {prose(what)} |" for one, what in rows])
    yield "\n</details>"


def _counted(found: Overview) -> str:
    return f"{GLYPHS['known'][0]} {len(found.in_baseline):,} known by the baseline"


def _witnesses(found: Overview) -> Iterator[str]:
    for one in found.breaches:
        if one.replay or one.finding.fix:
            yield _witness(one)


def _witness(one: Breach) -> str:
    finding = one.finding
    head = f"{code(finding.at)} {finding.effect}: {prose(finding.because)}"
    parts = [f"<details><summary>{head}</summary>\n"]
    if one.replay:
        cut = one.replay[:SHOWN_CHARACTERS] + ("…" if one.replay[SHOWN_CHARACTERS:] else "")
        parts.append(block(cut))
    if finding.fix:
        parts.append(f"\nFix: {code(finding.fix)}")
    return "\n".join([*parts, "\n</details>"])


def _tail(found: Overview) -> Iterator[str]:
    if found.left or found.untried:
        yield "\n<details><summary>Not tried</summary>\n"
        left = [*found.left, *(f"{why}: {len(at)} of them" for why, at in found.untried.items())]
        yield from _fitting([f"- {prose(line[:SHOWN_CHARACTERS])}" for line in left])
        yield "\n</details>"
    if found.remarks:
        yield "\n### To tidy up\n"
        yield from _fitting([f"- {prose(line[:SHOWN_CHARACTERS])}" for line in found.remarks])
    facts = [*found.facts, *sorted(found.versions.items())]
    yield f"\n<sub>{prose(', '.join(f'{name} {value}' for name, value in facts))}</sub>"
