"""The control plane's own migrations, and what brings a database to the newest of them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from partywall.control.tables import SCHEMA
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.control.database import Database

LOCK = 7_203_921_448_115_001
"""PostgreSQL's advisory lock of whoever migrates: of two at once one waits."""

_alone = threading.Lock()  # Alembic's context is one for the whole process


def script() -> Config:
    """Alembic's configuration; there is no file of it."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The newest revision that this version of partywall knows."""
    head = ScriptDirectory.from_config(script()).get_current_head()
    assert head is not None  # noqa: S101 - there are migrations
    return head


def revision(connection: Connection) -> str | None:
    """The revision of a database, None before the first."""
    options = {} if connection.dialect.name == "sqlite" else {"version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def migrate(database: Database, to: str = "head") -> None:
    """Bring *database* to the revision *to*, in one transaction.

    Raises:
        ConfigurationError: when the database was migrated by a newer partywall.
    """
    with _alone, database.begin() as connection:
        if not database.sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        current = revision(connection)
        known = {each.revision for each in ScriptDirectory.from_config(script()).walk_revisions()}
        if current is not None and current not in known:
            raise ConfigurationError(
                f"the control plane's database is at revision {current}, which this version of "
                "partywall does not know: install the version that migrated it, or a newer one"
            )
        config = script()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
