"""Look, as the administrator, whether code that may write has touched a tenant's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.surfaces import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Scene
    from partywall.survey.bodies import Reach

WATCHED = 12


def watched(scene: Scene, reach: Reach) -> list[Relation]:
    """Tables whose rows of B it may write; all of them when its statements are made at run time."""
    unknown = reach.opaque or (reach.dynamic and not reach.relations)
    tables = scene.snapshot.tables if unknown else reach.relations
    held = [t for t in tables if t.qualified in scene.model.owned and row(scene, t, "B")]
    return [t for t in held if t.stores_rows][:WATCHED]


def state(scene: Scene, tables: Sequence[Relation]) -> str:
    """A query for B's row, and how many rows B has, in each of *tables*."""
    parts = []
    for table in tables:
        held = scene.world.planted[table.qualified, "B"]
        owner = scene.model.owned[table.qualified]
        column = table.by_name.get(owner.column)
        mine = ""
        if column is not None:
            mine = sql.conditions({column.quoted: held.values.get(column.quoted)})
        counted = mine or owner.kind in {"schema", "database"}
        count = sql.select(table.qualified, ["count(*)"], mine) if counted else "SELECT 0"
        found = sql.select(
            f"{table.qualified} AS partywall_row", ["partywall_row::text"], held.where
        )
        parts.append(f"SELECT {sql.literal(table.qualified)}, ({found} LIMIT 1), ({count})")
    return " UNION ALL ".join(parts)
