"""SQLite through the standard library and through aiosqlite."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from partywall.runtime.dialects.walled import Walled


class WalledSqlite(Walled, SQLiteDialect_pysqlite):
    """SQLite through the standard library."""

    supports_statement_cache = True
    check_in: tuple[str, ...] = ()  # SQL that would leave something in the session is refused

    def send(
        self, connection: Any, statements: tuple[str, ...], *, valued: bool = False
    ) -> str | None:
        """Statement by statement; there is no wire to save a trip on."""
        del valued
        for statement in statements:
            connection.execute(statement)
        return None

    def in_transaction(self, connection: Any) -> bool:
        """As SQLite says."""
        return bool(connection.in_transaction)


class WalledAsyncSqlite(Walled, SQLiteDialect_aiosqlite):
    """SQLite through aiosqlite, which keeps a thread for each connection."""

    supports_statement_cache = True
    check_in: tuple[str, ...] = ()  # SQL that would leave something in the session is refused

    def send(
        self, connection: Any, statements: tuple[str, ...], *, valued: bool = False
    ) -> str | None:
        """Statement by statement, awaited."""
        del valued

        async def sent(driver: Any) -> None:
            for statement in statements:
                await (await driver.execute(statement)).close()

        connection.run_async(sent)
        return None

    def in_transaction(self, connection: Any) -> bool:
        """As SQLite says."""
        return bool(connection.driver_connection.in_transaction)
