"""One page that holds everything and asks the network for nothing, to look at and to search.

What a database or an API says is escaped by the template, everywhere: nothing here marks a value as
safe. The page's policy (CSP) allows the one script and the one style that stand in it, by their
hashes, and nothing else. What would make a large report slow to open waits as text until somebody
opens it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from partywall.reports.breaches import lines
from partywall.reports.matrix import READABLE
from partywall.reports.style import GLYPHS, number
from partywall.reports.text import MEANINGS
from partywall.reports.witness import WIDTH
from partywall.survey.verdict import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.reports.overview import Breach, Overview, Row
    from partywall.survey.verdict import Advice, State, WitnessStep

AT_ONCE = 60
"""So many surfaces show their witnesses when the page opens; those of the others wait as text."""
LOUD = 200
"""So many rows that ask for attention are shown of one group; the others unfold."""
OPEN = 3
"""So many surfaces are unfolded when the page opens."""
SUGGESTED = 500
"""So many names are offered while one is typed."""
PARTS = ("page.css", "page.js")
STATES: Sequence[State] = ("breached", "undecided", "known", "excepted", "held", "closed")


class Cell(NamedTuple):
    """One cell of the matrix; *href* leads to what is told of it, "" to nothing."""

    state: State | None
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the matrix as it is drawn."""

    row: Row
    cells: Sequence[Cell]
    tenants: str


@dataclass(frozen=True, slots=True)
class Group:
    """The rows that stand together; `folded` ones are shown when they are asked for."""

    title: str
    shown: Sequence[Line]
    folded: Sequence[Line]

    @property
    def more(self) -> str:
        """What is folded, in words."""
        many = f"{len(self.folded):,} {'more' if self.shown else ''}".rstrip()
        return many if any(_loud(line.row) for line in self.folded) else f"{many} held"


@dataclass(frozen=True, slots=True)
class Broken:
    """One surface with all that got through."""

    number: int
    at: str
    breaches: Sequence[Breach]
    tenants: str
    layer: str

    @property
    def effects(self) -> list[str]:
        """What was achieved, each once."""
        return list(dict.fromkeys(one.finding.effect for one in self.breaches))


def written(found: Overview) -> str:
    """The report as a page."""
    style, script = (_part(name) for name in PARTS)
    broken = _broken(found)
    return _template().render(
        found=found,
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        policy=(
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
        glyphs={state: glyph for state, (glyph, _) in GLYPHS.items()},
        meanings=MEANINGS,
        states=[state for state in STATES if state != "known" or found.compared],
        effects=EFFECTS,
        groups=_groups(found, broken),
        broken=broken,
        suggested=[row.at for row in found.rows[:SUGGESTED]],
        counts=_counts(found),
        advice=_advice(found.advice),
        layers=list(found.layers),
        layer_of={row.at: row.layer for row in found.rows},
        tenants=found.tenants,
        at_once=AT_ONCE,
        opened=OPEN,
    )  # fmt: skip


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": number, "sentence": _sentence, "laid": _laid, "marked": _marked,
    }  # fmt: skip
    return environment.from_string(_part("page.html.j2"))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _part(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _laid(step: WitnessStep) -> str:
    """What was run, in lines that can be read."""
    return step.request or "\n".join(lines(step.sql, WIDTH))


def _marked(text: str, pattern: str) -> Markup:
    """*text* with what is the victim's marked."""
    if not pattern:
        return escape(text)
    marked = Markup()
    end = 0
    for match in re.finditer(pattern, text):
        marked += escape(text[end : match.start()]) + Markup("<mark>{}</mark>").format(match[0])
        end = match.end()
    return marked + escape(text[end:])


def _broken(found: Overview) -> list[Broken]:
    """Surfaces in the order of the worst that happened to each."""
    places: dict[str, list[Breach]] = defaultdict(list)
    for one in found.breaches:
        places[one.finding.at].append(one)
    tenants = _numbered(found.tenants)
    layers = {row.at: row.layer for row in found.rows}
    return [
        Broken(
            position,
            at,
            same,
            " ".join(tenants[who] for who in dict.fromkeys(t for one in same for t in one.tenants)),
            layers[at],
        )
        for position, (at, same) in enumerate(places.items())
    ]


def _numbered(tenants: Iterable[str]) -> dict[str, str]:
    """Tenants by number: a name may hold anything, a list in an attribute may not."""
    return {name: str(position) for position, name in enumerate(tenants)}


def _groups(found: Overview, broken: Iterable[Broken]) -> list[Group]:
    places: dict[str, str] = {one.at: f"#s{one.number}" for one in broken}
    doubts = {(one.at, one.column): f"#u{n}" for n, one in enumerate(found.doubts)}
    accepted: dict[tuple[str, str], str] = {}
    for position, exception in enumerate(found.excepted):
        column = exception.finding.effect if found.across == "effect" else exception.finding.name
        accepted.setdefault((exception.finding.at, column), f"#x{position}")
    known = {(one.at, one.column): f"#k{n}" for n, one in enumerate(found.in_baseline)}
    tenants = _numbered(found.tenants)
    many = len(found.rows) > READABLE

    def cell(row: Row, column: str) -> Cell:
        state = row.cells.get(column)
        to = {
            "breached": places.get(row.at, ""),
            "undecided": doubts.get((row.at, column), ""),
            "excepted": accepted.get((row.at, column), ""),
            "known": known.get((row.at, column), ""),
        }
        return Cell(state, to.get(state or "", ""))

    shown: dict[str, list[Line]] = defaultdict(list)
    rest: dict[str, list[Line]] = defaultdict(list)
    for row in found.rows:
        numbers = " ".join(tenants[who] for who in row.tenants)
        line = Line(row, [cell(row, column) for column in found.columns], numbers)
        there = shown[row.group]
        fold = many and (not _loud(row) or len(there) >= LOUD)
        (rest[row.group] if fold else there).append(line)
    titles = dict.fromkeys(row.group for row in found.rows)
    return [Group(title, shown[title], rest[title]) for title in titles]


def _loud(row: Row) -> bool:
    """Whether something in it asks for attention."""
    return not set(row.cells.values()) <= {"held", "closed"}


def _counts(found: Overview) -> Mapping[State, int]:
    """How many rows are as bad as that, and no worse."""
    worst = [row.worst for row in found.rows]
    return {state: worst.count(state) for state in STATES}


def _advice(advice: Iterable[Advice]) -> list[list[Advice]]:
    """Advice of one kind together."""
    kinds: dict[str, list[Advice]] = defaultdict(list)
    for one in advice:
        kinds[one.code].append(one)
    return list(kinds.values())
