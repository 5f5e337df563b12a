"""Read a whole database into one `Snapshot`, in a fixed number of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from partywall.catalog import authority, relations, routines
from partywall.catalog.facts import Snapshot
from partywall.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

DATABASE_SETTINGS = """
SELECT unnest(s.setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
WHERE s.setrole = 0 AND d.datname = current_database()
"""


def snapshot(connection: psycopg.Connection[Any], *, acting: Sequence[str]) -> Snapshot:
    """Read the database of *connection* as it stands in one repeatable-read transaction.

    *acting* names the roles that attacks will run as: grants are read for these alone.

    Raises:
        TargetError: a name in the database can't be told in UTF-8.
    """
    try:
        return _snapshot(connection, acting)
    except (UnicodeDecodeError, psycopg.DataError) as error:
        message = (
            f"{connection.info.dbname} holds names that are no UTF-8 and can't be told: rename "
            f"them, or survey a database with its true encoding ({error})"
        )
        raise TargetError(message) from error


def _snapshot(connection: psycopg.Connection[Any], acting: Sequence[str]) -> Snapshot:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET LOCAL search_path = pg_catalog")  # so that names come qualified
        entries = [row[0] for row in connection.execute(DATABASE_SETTINGS)]
        return Snapshot(
            version=connection.info.server_version,
            database=connection.info.dbname,
            settings={name: value for name, _, value in (e.partition("=") for e in entries)},
            acting=tuple(acting),
            relations=relations.read_relations(connection),
            functions=routines.read_functions(connection),
            sequences=routines.read_sequences(connection),
            schemas=authority.read_schemas(connection, acting),
            roles=authority.read_roles(connection),
            memberships=authority.read_memberships(connection),
            grants=authority.read_grants(connection, acting),
            executable=authority.read_executable(connection, acting),
            sequence_grants=authority.read_sequence_grants(connection, acting),
            large_objects=authority.read_large_objects(connection, acting),
            default_privileges=authority.read_default_privileges(connection),
            databases=authority.read_databases(connection, acting),
            servers=authority.read_servers(connection, acting),
            publications=authority.read_publications(connection),
            event_triggers=_names(connection, "SELECT evtname FROM pg_event_trigger ORDER BY 1"),
            extensions=dict(connection.execute("SELECT extname, extversion FROM pg_extension")),
            statistics=_names(
                connection,
                "SELECT format('%s.%I', stxnamespace::regnamespace, stxname) "
                "FROM pg_statistic_ext ORDER BY 1",
            ),
            catalog_grants=authority.read_catalog_grants(connection, acting),
            given=authority.read_given(connection),
        )


def _names(connection: psycopg.Connection[Any], query: str) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(query.encode()))
