"""What talks to an engine's tables: a connection for each actor, a transaction for each call."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.addresses import without_secret
from partywall.survey.trying import Outcome
from partywall.survey.verdict import WitnessStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.survey.jobs.tables import Sql

DENIED = "42501"
LIMIT_MS = 10_000
ENTERED = "-- after its `enter` statements of partywall.toml"


class SqlHand:
    """Runs statements as tenants do, and as the administrator.

    Args:
        urls: actor's name -> address.
        enter: actor's name -> what begins each of its transactions.
    """

    def __init__(self, urls: Mapping[str, str], enter: Mapping[str, Sequence[str]]) -> None:
        self._urls, self._enter = urls, enter
        self._open: dict[str, psycopg.Connection[Any]] = {}

    def do(self, who: str, call: Sql) -> Outcome:
        """One transaction; what the last statement returned, and its tag: ``UPDATE 1``.

        Raises:
            ConfigurationError: a tenant can't be entered as it is declared.
            TargetError: the server can't be reached.
        """
        connection = self._connection(who)
        try:
            with connection.transaction(force_rollback=not call.kept):
                cursor = connection.cursor()
                self._entered(who, cursor)
                for statement in call.statements:
                    cursor.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
                told = ["\t".join(map(str, row)) for row in rows]
                return Outcome("\n".join([*told, cursor.statusmessage or ""]).strip())
        except psycopg.Error as error:
            if connection.closed:
                self._open.pop(who, None)
            words = (error.diag.message_primary or str(error)).strip()
            return Outcome(error=words, refused=error.sqlstate == DENIED)

    def rows(self, who: str, query: str, *values: str) -> list[tuple[Any, ...]]:
        """What a query of ours returns.

        Raises:
            TargetError: the server refused it, or can't be reached.
        """
        connection = self._connection(who)
        try:
            with connection.transaction():
                return connection.execute(query.encode(), values).fetchall()
        except psycopg.Error as error:
            raise TargetError(f"{without_secret(self._urls[who])}, as {who}: {error}") from error

    def told(self, who: str, call: Sql, returned: str) -> WitnessStep:
        """The statements; how they are entered, the configuration says: it may hold a secret."""
        entered = [ENTERED] if self._enter.get(who) else []
        return WitnessStep(who, "\n".join([*entered, ";\n".join(call.statements)]), returned)

    def close(self) -> None:
        """End all connections."""
        for connection in self._open.values():
            with suppress(psycopg.Error):
                connection.close()
        self._open.clear()

    def _entered(self, who: str, cursor: psycopg.Cursor[Any]) -> None:
        try:
            for statement in self._enter.get(who, ()):
                cursor.execute(statement.encode())
        except psycopg.Error as error:
            words = (error.diag.message_primary or str(error)).strip()
            raise ConfigurationError(
                f"[tenants.{who}.jobs] could not be entered: {words}; look at its url and enter"
            ) from error

    def _connection(self, who: str) -> psycopg.Connection[Any]:
        if who not in self._open:
            try:
                self._open[who] = psycopg.connect(
                    self._urls[who], autocommit=True, options=f"-c statement_timeout={LIMIT_MS}"
                )
            except psycopg.Error as error:
                target = without_secret(self._urls[who])
                raise TargetError(f"{target}, as {who}: {error}") from error
        return self._open[who]
