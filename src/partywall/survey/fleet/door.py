"""One administrator's connection that becomes one tenant after the other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from partywall.errors import TargetError
from partywall.survey.entering import lodgings
from partywall.survey.fleet.turn import Turn
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.survey.fleet.roster import Lodger

RESET = "ROLLBACK; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"
BOUND_MS = 30_000
DENIED = "42501"


class Refused(Exception):  # noqa: N818 - no error of ours: the wall's answer
    """The server refused a statement; `state` is its SQLSTATE."""

    def __init__(self, error: psycopg.Error) -> None:
        """Keep the server's words without what it says of data."""
        super().__init__(error.diag.message_primary or str(error).partition("\n")[0])
        self.state = error.sqlstate or ""


class Door:
    """Enters as any tenant; whatever is done inside is rolled back.

    *connection* is a superuser's in autocommit mode: it takes the login's own session identity,
    with the settings that a log-in gets (ALTER ROLE … SET, ALTER DATABASE … SET). `role` is the one
    that acts once entered.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        connection.prepare_threshold = None  # psycopg's own would take ours away with them
        self._lodgings = lodgings(connection)
        self._prepared: dict[tuple[str, str], str] = {}
        self.role = ""

    def turn(self, one: Lodger, look: Callable[[Lodger], Turn]) -> Turn:
        """Let *one* look, entered; where it can't be, the turn says why."""
        try:
            with self.entered(one):
                return look(one)
        except Refused as refused:
            return Turn(one.id, failed={"": f"{one.name} could not be entered: {refused}"})

    @contextmanager
    def entered(self, one: Lodger) -> Iterator[None]:
        """Be *one* for as long as the block lasts.

        Raises:
            Refused: it can't be entered.
            TargetError: the connection can't be given back as it was.
        """
        settings = {**self._lodgings.get("", {}), **self._lodgings.get(one.login, {})}
        lodging = [
            f"SELECT set_config({literal(n)}, {literal(v)}, false)" for n, v in settings.items()
        ]
        bound = f"SET LOCAL statement_timeout = {BOUND_MS}"
        login = f"SET SESSION AUTHORIZATION {identifier(one.login)}"
        try:
            entry = ["BEGIN", *lodging, bound, login, *one.enter, "SELECT current_user::text"]
            self.role = str(self._send("; ".join(entry))[0][0])
            yield
        finally:
            try:
                self._connection.execute(RESET.encode())
            except psycopg.Error as error:
                raise TargetError(f"the server could not go on: {error}") from error

    def ask(self, sql: str, id_: str | None = None) -> list[tuple[Any, ...]]:
        """What a statement returns; a refusal leaves the transaction as it was.

        Where *id_* is given it stands for ``$1``, a text, and the plan is kept for the role: the
        next tenant's turn needs no new one.

        Raises:
            Refused: the server's answer.
        """
        try:
            return self._send(f"SAVEPOINT partywall_ask; {self._planned(sql, id_)}")
        except Refused:
            self._connection.execute("ROLLBACK TO SAVEPOINT partywall_ask")
            raise

    def count(self, sql: str, id_: str) -> int:
        """How many rows a statement touched; they are as before at once.

        Raises:
            Refused: the server's answer.
        """
        try:
            return self._run(f"SAVEPOINT partywall_ask; {self._planned(sql, id_)}").rowcount
        finally:
            self._connection.execute("ROLLBACK TO SAVEPOINT partywall_ask")

    def _planned(self, sql: str, id_: str | None) -> str:
        if id_ is None:
            return sql
        name = self._prepared.get((self.role, sql))
        execute = f"({literal(id_)})"
        if name is not None:
            return f"EXECUTE {name}{execute}"
        name = f"partywall_{len(self._prepared)}"
        self._send(f"PREPARE {name}(text) AS {sql}")
        self._prepared[self.role, sql] = name
        return f"EXECUTE {name}{execute}"

    def _send(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self._run(sql)
        return cursor.fetchall() if cursor.description else []

    def _run(self, sql: str) -> psycopg.Cursor[Any]:
        """Send statements in one message, and stand on the last one's result."""
        try:
            cursor = self._connection.execute(sql.encode())
        except psycopg.Error as error:
            raise Refused(error) from error
        while cursor.nextset():
            pass
        return cursor
