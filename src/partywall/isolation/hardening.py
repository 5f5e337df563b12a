"""What a database shows every login by default, and a tenant's injected SQL could read.

Where one login serves all tenants, PostgreSQL takes their sessions for the same user's and shows
each the statements of the others. An administrator closes that once for each database.
"""

from __future__ import annotations

WATCHING = (
    # Who is connected, with the text of what runs.
    "pg_stat_get_activity(integer)",
    "pg_stat_get_backend_activity(integer)",
    # What this session has prepared: names and texts, of the tenants before.
    "pg_prepared_statement()",
    "pg_cursor()",
    "pg_lock_status()",
    # What another session of the same login could be stopped by.
    "pg_cancel_backend(integer)",
    "pg_terminate_backend(integer, bigint)",
)

VIEWS = ("pg_stat_activity", "pg_prepared_statements", "pg_cursors", "pg_locks")


def hardening(database: str) -> tuple[str, ...]:
    """The statements an administrator runs in *database*, once.

    They take away from everyone what the server's own monitoring needs: give it the role
    `pg_monitor`, whose members are granted these again.
    """
    from partywall.isolation.naming import identifier  # noqa: PLC0415

    functions = [f"pg_catalog.{name}" for name in WATCHING]
    views = [f"pg_catalog.{name}" for name in VIEWS]
    return (
        *(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC" for name in functions),
        *(f"REVOKE SELECT ON {name} FROM PUBLIC" for name in views),
        *(f"GRANT EXECUTE ON FUNCTION {name} TO pg_monitor" for name in functions),
        *(f"GRANT SELECT ON {name} TO pg_monitor" for name in views),
        f"REVOKE TEMPORARY ON DATABASE {identifier(database)} FROM PUBLIC",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
