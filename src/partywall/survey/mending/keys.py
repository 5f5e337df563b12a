"""Keys that a tenant leads, so that they neither collide with another's rows nor point at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.surfaces import tenant_column

if TYPE_CHECKING:
    from partywall.catalog.facts import Column, Constraint, Index, Relation
    from partywall.survey.attack import Scene

COLUMN_LISTS_FROM = 150000
"""The first version that knows ON DELETE SET NULL (columns)."""


def led_by_tenant(scene: Scene, relation: Relation, index: Index) -> tuple[str, ...]:
    """Put the tenant column before the columns of a unique key that nothing points at."""
    column = _leader(scene, relation)
    schema = scene.snapshot.schemas[relation.schema].quoted
    same = next(
        (
            c
            for c in relation.constraints
            if index.name in {f"{schema}.{c.name}", f"{schema}.{sql.identifier(c.name)}"}
        ),
        None,
    )
    if column is None or relation.parent is not None:
        return ()
    if same is None:
        return _led_index(index, column)
    if same.kind not in {"primary", "unique"}:
        return ()
    if same.kind == "primary" and column.base == "citext":
        return ()
    pointing = scene.snapshot.referencing.get(relation.oid, ())
    if any(set(key.target_columns) == set(same.columns) for key in pointing):
        return ()
    definition = same.definition.replace("(", f"({column.quoted}, ", 1)
    name = sql.identifier(same.name)
    change = f"DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}"
    return (f"ALTER TABLE {relation.qualified} {change}",)


def _led_index(index: Index, column: Column) -> tuple[str, ...]:
    head, using, rest = index.definition.partition(" USING btree (")
    if not using:
        return ()
    return (f"DROP INDEX {index.name}", f"{head}{using}{column.quoted}, {rest}")


def tied_to_tenant(
    scene: Scene, relation: Relation, key: Constraint, parent: Relation
) -> tuple[str, ...]:
    """Let a foreign key carry the tenant, so that it can't point at another's row."""
    own, theirs = _leader(scene, relation), _leader(scene, parent)
    if own is None or theirs is None or own.base != theirs.base:
        return ()
    if own.name in key.columns or theirs.name in key.target_columns or relation.parent is not None:
        return ()
    columns = [relation.by_name[name].quoted for name in key.columns]
    targets = [parent.by_name[name].quoted for name in key.target_columns]
    listed, target = ", ".join((own.quoted, *columns)), ", ".join((theirs.quoted, *targets))
    actions = _actions(scene, key, ", ".join(columns))
    if actions is None:
        return ()
    wanted = {theirs.name, *key.target_columns}
    there = any(
        c.kind in {"primary", "unique"} and set(c.columns) == wanted for c in parent.constraints
    )
    name = sql.identifier(key.name)
    unique = () if there else (f"ALTER TABLE {parent.qualified} ADD UNIQUE ({target})",)
    reference = f"FOREIGN KEY ({listed}) REFERENCES {parent.qualified} ({target}){actions}"
    # rows that point across already are left as they are: from now on they are nobody's
    later = "" if relation.kind == "partitioned" else " NOT VALID"
    change = f"DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {reference}{later}"
    return (*unique, f"ALTER TABLE {relation.qualified} {change}")


def _leader(scene: Scene, relation: Relation) -> Column | None:
    """The tenant column of a table, none of a list of tenants: there every row is a tenant."""
    owner = scene.model.owned.get(relation.qualified)
    if owner is None or owner.kind != "column":
        return None
    return tenant_column(scene, relation)


def _actions(scene: Scene, key: Constraint, columns: str) -> str | None:
    """The clauses after REFERENCES; None where this version can't spare the tenant column."""
    told = ""
    if key.on_delete != "NO ACTION":
        told = f" ON DELETE {key.on_delete}"
        if key.on_delete.startswith("SET "):
            if scene.snapshot.version < COLUMN_LISTS_FROM:
                return None
            told += f" ({columns})"
    if key.on_update.startswith("SET "):
        return None
    if key.on_update != "NO ACTION":
        told += f" ON UPDATE {key.on_update}"
    return told + (" DEFERRABLE" if key.deferrable else "")
