"""Whether a server and a connection to it are such that a survey can work there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.survey.connecting import BOUNDED, LOCK_TIMEOUT_MS

if TYPE_CHECKING:
    import psycopg

OLDEST, NEWEST = 14, 18
PER_MAJOR = 10_000
ASKED = """
SELECT r.rolsuper, pg_is_in_recovery(), s.setting
FROM pg_roles r, pg_settings s WHERE r.rolname = current_user AND s.name = 'lock_timeout'
"""


def serve(version: int, there: str) -> None:
    """See that a survey knows servers of *version*, as `server_version_num` has it.

    Newer ones than were tested are let in: what changed in them shows as undecided.

    Raises:
        ConfigurationError: it is older.
    """
    if version < OLDEST * PER_MAJOR:
        major = version // PER_MAJOR
        raise ConfigurationError(
            f"{there} is PostgreSQL {major}: {OLDEST} to {NEWEST} are served; load its structure "
            "into a newer server (docs/how-to/managed-server.md) and survey that"
        )


def is_superuser(admin: psycopg.Connection[Any]) -> bool:
    """Whether the session has a superuser's rights."""
    return bool(_asked(admin)[0])


def administer(admin: psycopg.Connection[Any], there: str) -> None:
    """See that *admin* can take the identity of the application's logins.

    Raises:
        ConfigurationError: it is no superuser's, it leads through a pooler, or the server is too
            old; the message says what mends it.
    """
    serve(admin.info.server_version, there)
    superuser, _, bound = _asked(admin)
    if bound != BOUNDED["lock_timeout"]:
        raise ConfigurationError(
            f"{there} dropped what a session asks of it (lock_timeout is {bound} ms, not "
            f"{LOCK_TIMEOUT_MS}): it is a connection pooler; name the PostgreSQL server itself"
        )
    if not superuser:
        role = admin.info.user
        raise ConfigurationError(
            f"{role} is no superuser of {there}: a survey takes the session identity of the "
            "application's logins (SET SESSION AUTHORIZATION), which no GRANT allows and "
            f'PostgreSQL leaves to superusers. Where you can: ALTER ROLE "{role}" SUPERUSER; on a '
            "managed server: docs/how-to/managed-server.md"
        )


def write(admin: psycopg.Connection[Any], there: str) -> None:
    """See that something can be made on the server: a copy, or planted rows.

    Raises:
        ConfigurationError: it is a standby.
    """
    _, standby, _ = _asked(admin)
    if standby:
        raise ConfigurationError(
            f"{there} is a standby, where nothing can be created: survey the primary, or read what "
            "rows there are with --read-only"
        )


def _asked(admin: psycopg.Connection[Any]) -> tuple[Any, ...]:
    row = admin.execute(ASKED).fetchone()
    return row if row is not None else (False, False, "")
