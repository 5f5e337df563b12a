"""PW122: every query of a tenant reads the rows of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.policies import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW122", hygiene=True)
def unindexed_tenant(scene: Scene) -> Iterator[Hit]:
    """Find tables with row security on a tenant column that no index begins with.

    Row security ANDs the tenant to every condition: without such an index each query of a tenant
    reads the rows of all.

    Affected:
        Large tables behind row security.

    Fires:
        DROP INDEX invoice_tenant
        DROP INDEX invoice_tenant; CREATE INDEX ON invoice (note, tenant)

    Silent:
        DROP INDEX invoice_tenant; CREATE INDEX ON invoice (tenant, note)
        DROP INDEX invoice_tenant; ALTER TABLE invoice DISABLE ROW LEVEL SECURITY

    Fix:
        Make an index that begins with the tenant column.

    Source:
        https://www.postgresql.org/docs/current/indexes-multicolumn.html
    """
    for table, column in guarded(scene):
        led = any(i.columns[:1] == (column.name,) and not i.predicate for i in table.indexes)
        if not led:
            yield Hit(
                table.qualified,
                f"no index begins with {column.quoted}: a tenant's query reads every tenant's rows",
                repair=(f"CREATE INDEX ON {table.qualified} ({column.quoted})",),
            )
