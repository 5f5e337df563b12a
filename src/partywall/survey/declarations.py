"""What a configuration says about tables, held against the tables that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from partywall.errors import ConfigurationError
from partywall.survey.declared import meant

if TYPE_CHECKING:
    from partywall.catalog.facts import Snapshot
    from partywall.survey.configuration import Configuration


def confirm(configuration: Configuration, facts: Snapshot, target: psycopg.Connection[Any]) -> None:
    """See that every table, column and condition that was declared is one of the database.

    A declaration about a table that is not there protects nothing, and would go unnoticed.

    Raises:
        ConfigurationError: one is not; the message names the place, and what may have been meant.
    """
    tables = {relation.qualified for relation in facts.relations.values()}
    named = meant(tables)
    places = [
        *(("[model.tenant_columns]", table) for table in configuration.tables),
        *(("[model] shared", table) for table in configuration.shared),
        *(("[[public]]", public.table) for public in configuration.public),
    ]
    for where, table in places:
        if table not in tables:
            raise ConfigurationError(f"{where}: there is no table {named(table)}")
    for table, column in configuration.tables.items():
        columns = facts.by_qualified[table].by_name
        if column not in columns:
            raise ConfigurationError(
                f"[model.tenant_columns]: {table} has no column {meant(columns)(column)}"
            )
    for public in configuration.public:
        question = f"EXPLAIN SELECT FROM {public.table} WHERE ({public.when}\n)"
        try:
            target.execute(question.encode(), prepare=True)  # one statement, and only planned
        except psycopg.Error as error:
            words = error.diag.message_primary or error
            raise ConfigurationError(
                f"[[public]] when of {public.table} is no condition on its rows: {words}"
            ) from error
