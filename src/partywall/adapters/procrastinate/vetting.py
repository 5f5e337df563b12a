"""Whether a login of the tenants' sessions could read or write jobs: asked once in a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.adapters.procrastinate.schema import REACHABLE
from partywall.errors import ConfigurationError, UnsafeLogin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from procrastinate import App

    from partywall.runtime.tenancy import Tenancy


class Vetting:
    """Asks the server of an application's jobs.

    Args:
        app: procrastinate's.
        logins: who may reach none of its tables.
    """

    def __init__(self, app: App, logins: Iterable[str]) -> None:
        self._app = app
        self._logins = [*logins]
        self._done = False

    def check(self) -> None:
        """Ask, unless it has answered.

        Raises:
            UnsafeLogin: naming who can, and the statement that closes it.
            ConfigurationError: where the tables are missing.
        """
        if not self._done:
            connector: Any = self._app.connector.get_sync_connector()
            judged(connector.execute_query_all(REACHABLE, logins=self._logins))
            self._done = True

    async def async_check(self) -> None:
        """As `check`, for async code."""
        if not self._done:
            connector = self._app.connector
            judged(await connector.execute_query_all_async(REACHABLE, logins=self._logins))
            self._done = True


def logins_of(tenancy: Tenancy) -> list[str]:
    """The logins of a tenancy's sessions."""
    grounds = tenancy.grounds
    urls = [grounds.url, *grounds.servers.values()]
    urls += [grounds.replica] if grounds.replica is not None else []
    return [url.username for url in urls if url.username]


def judged(rows: list[dict[str, Any]]) -> None:
    """Say who could read or write jobs.

    Raises:
        UnsafeLogin: when somebody could.
        ConfigurationError: where tables are missing.
    """
    if any(not row["role"] for row in rows):
        raise ConfigurationError(
            "procrastinate's tables are not all there: run app.schema_manager.apply_schema() and "
            "then tasks.apply_schema(), with search_path set to their schema"
        )
    if rows:
        reach = ", ".join(sorted({f"{row['role']} ({row['name']})" for row in rows}))
        raise UnsafeLogin(
            f"logins of the tenants' sessions could read or write other tenants' jobs: {reach}. "
            "Give procrastinate a schema and a login of its own, which owns its tables, and "
            "REVOKE ALL ON ALL TABLES IN SCHEMA … FROM PUBLIC and those logins"
        )
