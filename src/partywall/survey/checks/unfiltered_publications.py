"""PW107: a publication sends every tenant's rows to whoever subscribes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW107", hygiene=True)
def unfiltered_publications(scene: Scene) -> Iterator[Hit]:
    """Find publications of tenant-owned tables without a row filter.

    Logical replication asks no policy. It takes REPLICATION to subscribe, which the attack
    replicate-rows asks for; whoever reads the subscriber's copy reads all tenants.

    Affected:
        Databases that are replicated to where tenants, or their analysts, read.

    Fires:
        CREATE PUBLICATION feed FOR TABLE invoice
        CREATE PUBLICATION feed FOR ALL TABLES

    Silent:
        CREATE PUBLICATION feed FOR TABLE invoice WHERE (tenant = 'acme')
        CREATE PUBLICATION feed FOR TABLE currency

    Fix:
        Give each table a row filter on the tenant, or guard the subscriber as well.

    Source:
        https://www.postgresql.org/docs/current/logical-replication-row-filter.html
    """
    for publication in scene.snapshot.publications:
        sent = [table for table in publication.tables if table in scene.model.owned]
        if sent and not publication.filtered:
            yield Hit(
                f"publication {publication.name}",
                f"it sends the rows of all tenants in {', '.join(sent[:3])}"
                + (f" and {len(sent) - 3} more tables" if len(sent) > 3 else ""),  # noqa: PLR2004 - a line
                "give each table a row filter on the tenant, or guard the subscriber as well",
            )
