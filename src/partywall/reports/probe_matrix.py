"""Operations by attack: what stands in which cell, and how it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from partywall.reports.style import number, sign
from partywall.survey.engine import WORST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.http.report import HttpReport, Tried
    from partywall.survey.verdict import State

    Cells = Mapping[str, State]

NARROWEST = 34
"""So much room an operation has at least where attacks are named by two letters."""
READABLE = 40
"""More operations than this are folded: those that held become one row."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def operations(report: HttpReport) -> list[str]:
    """Every operation that was tried, in the order of the API's description."""
    return list(dict.fromkeys(one.at for one in report.tried))


def attacks(report: HttpReport) -> list[str]:
    """Every attack that was tried, in the order in which they came."""
    return list(dict.fromkeys(one.attack for one in report.tried))


def matrix(report: HttpReport) -> dict[str, dict[str, State]]:
    """Operation -> attack -> the worst of all its directions and modes."""
    found: dict[str, dict[str, State]] = {at: {} for at in operations(report)}
    for one in report.tried:
        cells = found[one.at]
        cells[one.attack] = max(cells.get(one.attack, one.state), one.state, key=WORST.index)
    return found


def unattacked(report: HttpReport) -> list[Tried]:
    """What proves nothing, with the reason."""
    return [one for one in report.tried if one.state == "undecided"]


def codes(names: Sequence[str], room: int) -> dict[str, str]:
    """A short name for each attack: two letters of its words, or any one where room is scarce."""
    if 3 * len(names) > room:
        return dict(zip(names, LETTERS, strict=False))
    found: dict[str, str] = {}
    for name in names:
        taken = set(found.values())
        found[name] = next(code for code in _candidates(name) if code not in taken)
    return found


def _candidates(name: str) -> Iterator[str]:
    """Initials first, then the first letter with any other of the name, then with any at all."""
    words = [word for word in name.split("-") if word]
    if len(words) > 1:
        yield words[0][0] + words[-1][0]
    letters = name.replace("-", "") or "x"
    yield from (letters[0] + other for other in letters[1:] + LETTERS)
    yield from (one + other for one in LETTERS for other in LETTERS)


def draw(report: HttpReport, width: int, *, whole: bool = False) -> Iterator[Text]:
    """The lines of the matrix and its legend; *whole* folds nothing."""
    rows = matrix(report)
    shown = attacks(report)
    short = codes(shown, width - NARROWEST)
    step = max(map(len, short.values())) + 1
    folded, quiet = (rows, []) if whole else _fold(rows)
    rest = f"… {number(len(quiet), 'operation')} held"
    longest = max(map(cell_len, [*folded, rest if quiet else ""])) + 1
    room = max(NARROWEST // 2, min(longest, width - step * len(shown)))
    yield Text(" " * room + "".join(f"{short[name]:>{step}}" for name in shown), "dim")
    for at, cells in folded.items():
        label = Text(_shortened(at, room), _style(cells))
        yield _line(label, [cells.get(name) for name in shown], room, step)
    if quiet:
        worst = [_worst([rows[at].get(name) for at in quiet]) for name in shown]
        yield _line(Text(rest, "dim"), worst, room, step)
    yield Text()
    yield from _legend(short, width)


def _fold(rows: Mapping[str, Cells]) -> tuple[Mapping[str, Cells], list[str]]:
    quiet = [at for at, cells in rows.items() if set(cells.values()) <= {"held", "closed"}]
    if len(rows) <= READABLE or len(quiet) == 1:
        return rows, []
    return {at: cells for at, cells in rows.items() if at not in set(quiet)}, quiet


def _worst(states: Sequence[State | None]) -> State | None:
    return max(filter(None, states), key=WORST.index, default=None)


def _shortened(at: str, room: int) -> str:
    """An operation without the beginning of its path: its end tells it from others."""
    method, _, path = at.partition(" ")
    fits = room - cell_len(method) - 3
    return at if cell_len(at) < room else f"{method} …{path[-fits:]}"


def _line(label: Text, states: Sequence[State | None], room: int, step: int) -> Text:
    label.truncate(room, overflow="ellipsis", pad=True)
    for state in states:
        label.append(" " * (step - 1))
        label.append_text(sign(state) if state else Text(" "))
    label.rstrip()
    return label


def _style(cells: Cells) -> str:
    return "bold red" if "breached" in cells.values() else ""


def _legend(short: Mapping[str, str], width: int) -> Iterator[Text]:
    """``oi others-id``, as many in a line as there is room for."""
    line = Text()
    for name, code in short.items():
        entry = Text.assemble((code, "bold"), " ", (name, "dim"))
        if line and line.cell_len + 2 + entry.cell_len > width:
            yield line
            line = Text()
        line = Text("  ").join([line, entry]) if line else entry
    yield line
