"""Functions that act as their caller, keep no answer, and find the names they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.bodies import of_function, words
from partywall.survey.mending.context import TENANTS
from partywall.survey.policies import texts

if TYPE_CHECKING:
    from partywall.catalog.facts import Function
    from partywall.survey.attack import Scene


def altered(function: Function, how: str) -> str:
    """An ALTER of *function*, whichever kind of routine it is."""
    kind = "PROCEDURE" if function.kind == "procedure" else "FUNCTION"
    return f"ALTER {kind} {function.signature} {how}"


def acting_as_invoker(scene: Scene, function: Function) -> tuple[str, ...]:
    """Take the owner's rights from a function that needs none beyond those of both tenants.

    () where its body can't be read for certain, or names what a tenant may not read or write, and
    where policies call it: they would ask themselves.
    """
    reach = of_function(scene.snapshot, function)
    if not function.definer or reach.opaque or reach.dynamic or not reach.relations:
        return ()
    if function.is_trigger or _in_policies(scene, function):
        return ()
    needed = "UPDATE" if reach.writes else "SELECT"
    for relation in reach.relations:
        guarded = relation.rls or relation.qualified not in scene.model.owned
        allowed = all(
            scene.usable(who, relation)
            and {"SELECT", needed} <= scene.grants(who).tables.get(relation.oid, frozenset())
            for who in TENANTS
        )
        if not guarded or not allowed:
            return ()
    return (altered(function, "SECURITY INVOKER"),)


def pinned(scene: Scene, function: Function) -> tuple[str, ...]:
    """Fix where a function looks names up: the system's schema, then those its body means.

    () where a tenant could still create in one of them.
    """
    reach = of_function(scene.snapshot, function)
    if reach.opaque:
        return ()
    means = {relation.schema for relation in reach.direct}
    named = words(function.source)
    means |= {
        other.schema
        for name, found in scene.snapshot.functions_by_name.items()
        if name in named
        for other in found
        if other.oid != function.oid
    }
    schemas = [scene.snapshot.schemas[name] for name in sorted(means)]
    roles = {scene.identities[who].role for who in TENANTS}
    if any(schema.create & roles for schema in schemas):
        return ()
    path = ", ".join(("pg_catalog", *(schema.quoted for schema in schemas), "pg_temp"))
    return (altered(function, f"SET search_path = {path}"),)


def _in_policies(scene: Scene, function: Function) -> bool:
    return any(
        function.name in words(text)
        for table in scene.snapshot.tables
        for policy in table.policies
        for text in texts(policy)
    )
