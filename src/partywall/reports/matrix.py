"""Surfaces by effect: what stands in which row, and what is folded so that many stay readable."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from partywall.reports.style import number, sign
from partywall.survey.engine import WORST
from partywall.survey.verdict import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from partywall.survey.verdict import Report, State

    Cells = Mapping[str, State]

NARROWEST = 16
"""So much room a name has at least, however narrow the terminal."""
READABLE = 40
"""More rows than this are folded."""
ALIKE = 4
"""So many rows of one kind with the same cells are folded into one."""

QUALIFIED = re.compile(r'("(?:[^"]|"")+"|[\w$]+)\.(.+)')
NOUNS: Mapping[str, str] = {
    "table": "table", "partitioned": "table", "foreign": "table",
    "view": "view", "matview": "view",
    "function": "function", "procedure": "function", "aggregate": "function",
    "window": "function", "sequence": "sequence",
}  # fmt: skip
ORDER = ("table", "view", "function", "sequence", "surface")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a surface belongs in the matrix; the schema is "" for what stands in none."""

    schema: str
    noun: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a surface, or the fold of many."""

    label: str
    cells: Cells
    stands_for: int = 1

    @property
    def quiet(self) -> bool:
        """Whether nothing in it asks for attention."""
        return set(self.cells.values()) <= {"held", "closed"}


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one schema and kind."""

    schema: str
    noun: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """``public · tables``; roles and the database itself stand in none."""
        return f"{self.schema} · {self.noun}s" if self.schema else "roles and server"


def place(at: str, kinds: Mapping[str, str]) -> Place:
    """Tell schema, kind and short name of a surface; columns stand beside their table."""
    parts = QUALIFIED.fullmatch(at)
    if parts is None:
        return Place("", "surface", at)
    guess = "function" if at.endswith(")") and " (" not in at else "table"
    return Place(parts[1], NOUNS.get(kinds.get(owner(at, kinds), guess), "surface"), parts[2])


def owner(at: str, kinds: Mapping[str, str]) -> str:
    """The table of a column or of some of them; what is none is its own."""
    name = at if at in kinds else at.partition(" (")[0]
    while name not in kinds and "." in name:
        name = name.rpartition(".")[0]
    return name if name in kinds else at


def groups(report: Report) -> list[Group]:
    """All surfaces with their cells, by schema and kind, in name order."""
    cells: dict[str, dict[str, State]] = defaultdict(dict)
    for (at, effect), state in report.cells.items():
        cells[at][effect] = state
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for at in sorted(cells):
        where = place(at, report.kinds)
        rows[where.schema, where.noun].append(Row(where.label, cells[at]))
    ordered = sorted(rows, key=lambda key: (not key[0], key[0], ORDER.index(key[1])))
    return [Group(schema, noun, tuple(rows[schema, noun])) for schema, noun in ordered]


def fold(whole: Sequence[Group], *, readable: int = READABLE) -> list[Group]:
    """Fold what held, and where that is not enough also rows that look alike."""
    if sum(len(group.rows) for group in whole) <= readable:
        return list(whole)
    loud = sum(not row.quiet for group in whole for row in group.rows)
    return [
        Group(group.schema, group.noun, tuple(_folded(group, alike=loud > readable)))
        for group in whole
    ]


def _folded(group: Group, *, alike: bool) -> Iterator[Row]:
    loud = [row for row in group.rows if not row.quiet]
    quiet = [row for row in group.rows if row.quiet]
    many = {look for look, count in Counter(map(_look, loud)).items() if alike and count > ALIKE}
    shown: Counter[tuple[tuple[str, State], ...]] = Counter()
    for row in loud:
        shown[_look(row)] += 1
        if _look(row) not in many or shown[_look(row)] < ALIKE:
            yield row
    for look in sorted(many):
        rest = shown[look] - ALIKE + 1
        yield Row(f"… {number(rest, group.noun)} like these", dict(look), rest)
    if len(quiet) == 1:
        yield quiet[0]
    elif quiet:
        more = "more " if loud else ""
        label = f"… {len(quiet):,} {more}{group.noun}s held"
        yield Row(label, _worst(row.cells for row in quiet), len(quiet))


def _look(row: Row) -> tuple[tuple[str, State], ...]:
    return tuple(sorted(row.cells.items()))


def _worst(many: Iterable[Cells]) -> dict[str, State]:
    found: dict[str, State] = {}
    for cells in many:
        for effect, state in cells.items():
            found[effect] = max(found.get(effect, state), state, key=WORST.index)
    return found


def draw(shown: Sequence[Group], width: int) -> Iterator[Text]:
    """The lines of the matrix, none wider than *width*; a name too long loses its end."""
    effects = sum(len(effect) + 1 for effect in EFFECTS)
    longest = max(cell_len(row.label) for group in shown for row in group.rows) + 2
    room = max(NARROWEST, min(longest, width - effects))
    yield Text(" " * room + "".join(f" {effect}" for effect in EFFECTS), "dim")
    for position, group in enumerate(shown):
        if position:
            yield Text()
        yield Text(group.title, "bold")
        for row in group.rows:
            yield _line(row, room)


def _line(row: Row, room: int) -> Text:
    label = Text(f"  {row.label}", _style(row))
    label.truncate(room, overflow="ellipsis", pad=True)
    line = label
    for effect in EFFECTS:
        state = row.cells.get(effect)
        before = (len(effect) - 1) // 2 + 1
        line.append(" " * before)
        line.append_text(sign(state) if state else Text(" "))
        line.append(" " * (len(effect) - before))
    line.rstrip()
    return line


def _style(row: Row) -> str:
    if "breached" in row.cells.values():
        return "bold red"
    return "dim" if row.stands_for > 1 and row.quiet else ""
