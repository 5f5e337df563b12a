"""A database for each tenant: each asks which others' it may connect to, and tries the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.survey.connecting import log_on
from partywall.survey.fleet.turn import Reached, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from partywall.survey.fleet.roster import Lodger

OPEN = """
SELECT d.datname::text FROM pg_database d
WHERE d.datname = ANY(%s) AND d.datname <> %s AND has_database_privilege(%s, d.oid, 'CONNECT')
"""
LISTED = (
    "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1 LIMIT 3"
)
TRIED = 1
"""So many of the open doors are really gone through in a turn."""


@dataclass
class Databases:
    """The turns of one worker."""

    admin: psycopg.Connection[Any]
    lodgers: Sequence[Lodger]
    logins: int

    def turn(self, one: Lodger) -> Turn:
        """Log in at home, then where the server would let this login in as well."""
        try:
            log_on(one.url).close()
        except ConfigurationError as error:
            return Turn(one.id, failed={"": f"{one.name} could not be entered: {error}"})
        own = frozenset({("database", "read")})
        if self.logins == 1:  # the database that it connects to is the context
            return Turn(one.id, own)
        asked = [[other.database for other in self.lodgers], one.database, one.login]
        beyond = [row[0] for row in self.admin.execute(OPEN, asked)]
        reached = [found for name in beyond[:TRIED] for found in self._through(one, name)]
        return Turn(one.id, own, reached=tuple(reached))

    def _through(self, one: Lodger, database: str) -> list[Reached]:
        """What is told behind an open door; pg_hba.conf may still keep it shut."""
        try:
            connection: psycopg.Connection[Any] = log_on(one.url, database)
        except ConfigurationError:
            return []
        with connection:
            names = [row[0] for row in connection.execute(LISTED)]
        told = ", ".join(names) or "no table"
        return [Reached("database", "cross-database", "detect", database, LISTED, told)]
