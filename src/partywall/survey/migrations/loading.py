"""Run the scripts of a migration tool on a disposable database, and mend what only production has.

A role that no migration makes is created, an extension that this machine lacks is replaced or left
out: what was mended is said, and the unit it stopped is run again. Anything else that fails is the
migration's own fault, and ends the run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import psycopg
from pglast import ast
from psycopg import errors

from partywall.errors import MigrationError
from partywall.survey.migrations.statements import Statement, statements, units
from partywall.survey.migrations.tool import shown
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.migrations.tool import Script

    Connection = psycopg.Connection[Any]

STUBS = files("partywall.survey.migrations") / "stubs"
KEEP = "SELECT set_config('partywall.path', current_setting('search_path'), false)"
BACK = "SELECT set_config('search_path', current_setting('partywall.path'), false)"
NO_ROLE = re.compile(r'^role "(?P<name>.*)" does not exist$')
NO_EXTENSION = re.compile(r'^extension "(?P<name>.*)" (is not available|does not exist)$')
NO_METHOD = re.compile(r'^access method "(?P<name>.*)" does not exist$')
MENDABLE = (errors.UndefinedObject, errors.FeatureNotSupported, errors.UndefinedFile)
ALONE = (errors.ActiveSqlTransaction, errors.UnsafeNewEnumValueUsage)
"""What says that a statement has to run outside of the transaction that the tool would open."""


@dataclass
class Loading:
    """The scripts that are run on one database, and what had to be mended for them.

    Attributes:
        connection: autocommits; of the role that is to own what the migrations make.
        notes: what was mended or left out, each once, in its order.
        lacking: extensions that were left out.
    """

    connection: Connection
    notes: dict[str, None] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)

    def note(self, words: str) -> None:
        """Remember what the report has to say."""
        self.notes[words] = None

    def run(self, script: Script) -> None:
        """Run a script as its tool does it.

        Raises:
            MigrationError: a statement failed; the message has file, line and the server's words.
        """
        for setting in ("RESET ALL", "RESET ROLE"):  # what the last one set was its own
            self.connection.execute(setting.encode())
        try:
            for unit in units(script, statements(script)):
                self._unit(script, unit)
        except MigrationError as error:
            if not script.rows:
                raise
            self.note(f"rows for a start were not all inserted: {error}")

    def make_role(self, name: str) -> None:
        """Make a role that only production has."""
        self.connection.execute(f"CREATE ROLE {identifier(name)} NOLOGIN".encode())
        self.note(f"no migration makes the role {name}: it was made, without a login")

    def _unit(self, script: Script, unit: Sequence[Statement]) -> None:
        """Run statements in one transaction, again after each mend, or alone where they must be."""
        left = list(unit)
        while left:
            failed = self._transaction(left)
            if failed is None:
                return
            statement, error = failed
            if isinstance(error, ALONE) and len(left) > 1:
                self.note(f"{script.file.name} is run outside of a transaction: {statement.short}")
                for one in left:
                    self._unit(script, [one])
                return
            if not self._mended(statement, error, left):
                raise _error(script, statement, error) from error

    def _transaction(self, unit: Sequence[Statement]) -> tuple[Statement, psycopg.Error] | None:
        """Run *unit*, all or nothing; return what failed first, and how."""
        one = unit[0]
        try:
            if len(unit) == 1:
                self.connection.execute(one.text.encode())
                return None
            with self.connection.transaction():
                for one in unit:
                    self.connection.execute(one.text.encode())
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            return one, error
        return None

    def _mended(self, statement: Statement, error: psycopg.Error, unit: list[Statement]) -> bool:
        """Whether something of the server was lacking that is there now, or left out."""
        words = error.diag.message_primary or ""
        if not isinstance(error, MENDABLE):
            return False
        if (role := NO_ROLE.match(words)) and not isinstance(statement.node, ast.DropRoleStmt):
            self.make_role(role["name"])
            return True
        if extension := NO_EXTENSION.match(words):
            return self._without_extension(extension["name"], statement, unit)
        if (method := NO_METHOD.match(words)) and isinstance(statement.node, ast.IndexStmt):
            self.note(f"indexes by {method['name']} are left out: an extension that is not here")
            unit.remove(statement)
            return not statement.node.unique
        return False

    def _without_extension(self, name: str, statement: Statement, unit: list[Statement]) -> bool:
        """Put a stand-in where a missing extension is created; leave out what else names it."""
        node, stand_in = statement.node, STUBS / f"{name}.sql"
        place = unit.index(statement)
        if name in self.lacking:
            del unit[place]
            return True
        if not isinstance(node, ast.CreateExtensionStmt):
            return False
        self.lacking.add(name)
        if not stand_in.is_file():
            self.note(f"the extension {name} is not on this machine: it is left out")
            del unit[place]
            return True
        self.note(f"the extension {name} is not on this machine: its functions are stand-ins")
        options = {option.defname: option.arg for option in node.options or ()}
        text = stand_in.read_text(encoding="utf-8")
        if schema := getattr(options.get("schema"), "sval", ""):
            text = f"{KEEP}; SET search_path = {identifier(schema)};\n{text}\n{BACK}"
        unit[place] = Statement(text, statement.line)
        return True


def _error(script: Script, statement: Statement, error: psycopg.Error) -> MigrationError:
    """One line: the file, the line the server points at, its words, and the statement."""
    words = error.diag.message_primary or str(error)
    position = int(error.diag.statement_position or 0)
    line = statement.line + statement.text.count("\n", 0, max(position - 1, 0))
    hint = f"; {error.diag.message_hint}" if error.diag.message_hint else ""
    return MigrationError(f"{shown(script.file)}:{line}: {words}{hint} ({statement.short})")
