"""Drivers' placeholders as those of PostgreSQL: the text as the server gets it.

psycopg and asyncpg send their text with `$1`, `$2`, …: what is parsed is what is sent. SQLite reads
its text itself, so that whatever it reads otherwise than the parser is refused.
https://www.sqlite.org/lang_expr.html#varparam
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from partywall.isolation.naming import LONGEST
from partywall.runtime.scoping.requirement import Untied

PERCENT = re.compile(r"%(?:%|\((?P<name>[^)]+)\)[sbt]|[sbt]|)")
"""What psycopg replaces, also between quotes; what is left over it refuses."""

SQLITE = re.compile(
    r"""
      (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*'?)
    | (?P<number>[0-9][\w.]*)
    | (?P<mark>\?[0-9]*)
    | (?P<plain>[ \t\n]+|[-+*/<>=!|&~%(),.;])
    """,
    re.VERBOSE | re.DOTALL,
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with numbered placeholders.

    Attributes:
        text: the statement.
        places: where the value of each number stands, by position; empty where `$1` is the first.
    """

    text: str
    places: tuple[str | int, ...] = field(default=())

    def place(self, number: int) -> str | int:
        """Where the value of `$number` stands in the parameters.

        Raises:
            Untied: when there is no such parameter.
        """
        if not self.places:
            return number - 1
        if number > len(self.places):
            raise Untied(f"${number} has no value among the parameters")
        return self.places[number - 1]


def prepared(statement: str, paramstyle: str) -> Prepared:
    """*statement* as it reaches the parser of the database.

    Args:
        statement: as SQLAlchemy hands it to the driver.
        paramstyle: of the dialect.

    Raises:
        Untied: when the driver or the database would read it otherwise.
    """
    if "\0" in statement:
        raise Untied("a statement can't contain a NUL")
    match paramstyle:
        case "pyformat" | "format":
            return from_percent(statement)
        case "numeric_dollar":
            return Prepared(statement)
        case "qmark":
            return from_marks(statement)
        case _:
            raise Untied(f"placeholders of the style {paramstyle} are not supported")


def from_percent(statement: str) -> Prepared:
    """As psycopg does it: a name that comes again gets its number again."""
    places: list[str | int] = []

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if found[0] == "%":
            raise Untied("a lone % is no placeholder: write %%")
        place = found["name"] or len(places)
        if found["name"] is None or place not in places:
            places.append(place)
        return f"${places.index(place) + 1}"

    return Prepared(PERCENT.sub(number, statement), tuple(places))


def from_marks(statement: str) -> Prepared:
    """Of SQLite's placeholders only `?`, and only text that SQLite reads as PostgreSQL does.

    Not so: backslashes after E, nested comments, a comment that a carriage return ends, names in
    brackets or backticks, names that PostgreSQL would cut, `:name`, `@name` and `$name`.
    """
    if CONTROL.search(statement):
        raise Untied("a statement for SQLite can't contain control characters")
    parts: list[str] = []
    position = marks = 0
    while position < len(statement):
        found = SQLITE.match(statement, position)
        if found is None:
            raise Untied(f"{statement[position]!r} is read differently by databases: leave it out")
        piece, kind = found[0], found.lastgroup
        position = found.end()
        if kind == "mark":
            if piece != "?":
                raise Untied("a numbered placeholder is not supported: write ?")
            marks += 1
            piece = f" ${marks} "
        elif kind == "comment":
            if "/*" in piece[2:]:
                raise Untied("a comment in a comment is read differently by databases")
            piece = " \n"
        elif kind == "word" and piece.endswith("'"):
            raise Untied(f"{piece}…' is read differently by databases: write a plain '…'")
        if kind in {"word", "name"} and len(piece.strip('"').encode()) > LONGEST:
            raise Untied(f"a name of more than {LONGEST} bytes is not supported")
        parts.append(piece)
    return Prepared("".join(parts), tuple(range(marks)))
