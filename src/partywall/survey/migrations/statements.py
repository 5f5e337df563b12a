"""Scripts cut into statements by PostgreSQL's own parser, each with its line in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pglast import ast, parse_sql
from pglast import split as parsed
from pglast.parser import ParseError

from partywall.errors import MigrationError
from partywall.survey.migrations.tool import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.migrations.tool import Script

META = re.compile(r"\\(?P<name>[a-z!?;]+)(?P<words>[^\n]*)")
HARMLESS = {
    "restrict", "unrestrict", "echo", "qecho", "warn", "timing", "pset", "x", "conninfo",
}  # fmt: skip
SETTINGS = re.compile(r"^\s*(ON_ERROR_STOP|ON_ERROR_ROLLBACK|VERBOSITY|QUIET|ECHO)\b")
ROWS = re.compile(r"\bcopy\b[^;]*\bfrom\s+stdin\b[^;]*;\s*$", re.IGNORECASE)
NOT_ASCII = re.compile(r"[^\x00-\x7f]")
SHOWN = 60


@dataclass(frozen=True)
class Statement:
    """One statement of a script."""

    text: str
    line: int

    @cached_property
    def node(self) -> Any:  # noqa: ANN401 - a node of the parser's, of any class
        """What the parser makes of it."""
        return parse_sql(self.text)[0].stmt

    def says(self, *words: str) -> bool:
        """Whether it starts with one of *words*, in small letters: to parse only what matters."""
        return self.text[:10].lower().startswith(words)

    @property
    def begins(self) -> bool:
        """Whether it opens a transaction."""
        return self._transaction in {"TRANS_STMT_BEGIN", "TRANS_STMT_START"}

    @property
    def ends(self) -> bool:
        """Whether it ends the transaction it stands in."""
        return self._transaction in {"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"}

    @property
    def short(self) -> str:
        """Its beginning, for messages."""
        words = " ".join(self.text.split())
        return words if len(words) <= SHOWN else f"{words[:SHOWN].rstrip()} …"

    @cached_property
    def _transaction(self) -> str:
        if not self.says("begin", "start", "commit", "end", "rollback", "abort"):
            return ""
        return str(self.node.kind.name) if isinstance(self.node, ast.TransactionStmt) else ""


def statements(script: Script) -> list[Statement]:
    """The statements of *script*.

    Raises:
        MigrationError: what stands there is no SQL; the message names file and line.
    """
    text = script.text
    while True:
        # the parser counts bytes in some answers and characters in others: here they are the same
        plain = NOT_ASCII.sub("x", text)
        try:
            slices = parsed(plain, only_slices=True)
        except ParseError as error:
            text = _without(script, text, error)
            continue
        return [Statement(text[one], text.count("\n", 0, one.start) + 1) for one in slices]


def units(script: Script, found: Sequence[Statement]) -> Iterator[list[Statement]]:
    """What runs in a transaction together: the whole script, or what BEGIN and COMMIT embrace."""
    if script.whole:
        yield [one for one in found if not (one.begins or one.ends)]
        return
    inside: list[Statement] | None = None
    for one in found:
        if one.begins:
            inside = [] if inside is None else inside
        elif one.ends:
            yield inside or []
            inside = None
        elif inside is None:
            yield [one]
        else:
            inside.append(one)
    yield inside or []


def _without(script: Script, text: str, error: ParseError) -> str:
    """*text* without the harmless command of psql that the parser stopped at.

    Raises:
        MigrationError: it stopped at something else.
    """
    at = error.args[1] if len(error.args) > 1 and error.args[1] is not None else len(text)
    where = f"{shown(script.file)}:{text.count(chr(10), 0, at) + 1}"
    if ROWS.search(text[:at]):
        raise MigrationError(
            f"{where}: the rows of COPY … FROM stdin stand in the file itself, which only psql "
            "understands: write them as INSERT (pg_dump --inserts), or leave the file out"
        ) from error
    found = META.match(text, at)
    if not found:
        hint = " (a variable of psql?)" if text[at : at + 1] == ":" else ""
        raise MigrationError(f"{where}: {error.args[0]}{hint}") from error
    setting = found["name"] == "set" and SETTINGS.match(found["words"])
    if found["name"] in HARMLESS or setting:
        return text[:at] + " " * len(found[0]) + text[found.end() :]
    raise MigrationError(
        f"{where}: \\{found['name']} is a command of psql, no SQL: a survey reads each file by "
        f"itself and runs it in one database; {_instead(found['name'])}"
    ) from error


def _instead(name: str) -> str:
    if name in {"i", "ir", "include", "include_relative"}:
        return "put the included file into the folder as a migration of its own"
    if name in {"c", "connect"}:
        return "give the folder of one database, without \\connect"
    return "leave it out, or migrate a database yourself and survey that (--url)"
