"""PW123: a row may belong to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.policies import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW123", hygiene=True)
def nullable_tenant(scene: Scene) -> Iterator[Hit]:
    """Find tenant columns that may be NULL.

    A row without a tenant is lost to all of them, or shown to all of them by the next policy
    that means to show shared rows.

    Affected:
        Tables that had rows before they had tenants.

    Fires:
        ALTER TABLE invoice ALTER tenant DROP NOT NULL

    Silent:
        ALTER TABLE invoice ALTER tenant DROP NOT NULL; ALTER TABLE invoice DISABLE ROW LEVEL SECURITY
        ALTER TABLE invoice ALTER note DROP NOT NULL

    Fix:
        Make the column NOT NULL.

    Source:
        https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-NOT-NULL
    """  # noqa: E501 - an example is one line
    for table, column in guarded(scene):
        if not column.not_null:
            yield Hit(
                f"{table.qualified}.{column.quoted}",
                "a row may belong to no tenant at all",
                repair=(f"ALTER TABLE {table.qualified} ALTER {column.quoted} SET NOT NULL",),
            )
