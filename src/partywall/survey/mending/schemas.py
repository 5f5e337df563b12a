"""What a tenant's schema took along when it was cloned from another's, pointed home again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.mending.functions import altered

if TYPE_CHECKING:
    from partywall.catalog.facts import Constraint, Function, Relation, Sequence
    from partywall.survey.attack import Scene


def drawing_at_home(
    scene: Scene, relation: Relation, column: str, sequence: Sequence
) -> tuple[str, ...]:
    """Let a column draw from the sequence of the same name in its own schema."""
    own = next(
        (
            s
            for s in scene.snapshot.sequences.values()
            if s.schema == relation.schema and s.name == sequence.name and s.oid != sequence.oid
        ),
        None,
    )
    if own is None:
        return ()
    default = f"nextval({sql.literal(own.qualified)}::regclass)"
    return (f"ALTER TABLE {relation.qualified} ALTER COLUMN {column} SET DEFAULT {default}",)


def pointing_at_home(
    scene: Scene, relation: Relation, key: Constraint, parent: Relation
) -> tuple[str, ...]:
    """Let a foreign key reference the table of the same name in its own schema."""
    own = next(
        (
            t
            for t in scene.snapshot.tables
            if t.schema == relation.schema and t.name == parent.name and t.oid != parent.oid
        ),
        None,
    )
    head, references, tail = key.definition.partition(f"REFERENCES {parent.qualified}")
    if own is None or not references:
        return ()
    name = sql.identifier(key.name)
    definition = f"{head}REFERENCES {own.qualified}{tail}"
    change = f"DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}"
    return (f"ALTER TABLE {relation.qualified} {change}",)


def looking_at_home(scene: Scene, function: Function) -> tuple[str, ...]:
    """Let a function of A's own schema look names up there."""
    home = scene.model.schemas["A"]
    if function.schema != home or "search_path" not in function.settings:
        return ()
    path = f"{scene.snapshot.schemas[home].quoted}, pg_temp"
    return (altered(function, f"SET search_path = {path}"),)
