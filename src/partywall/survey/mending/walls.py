"""Walls around rows: row security for tables, and views that don't look over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.bodies import of_text
from partywall.survey.mending.context import TENANTS, belongs, context
from partywall.survey.mending.privileges import unbound
from partywall.survey.policies import applying
from partywall.survey.surfaces import base_table, tenant_column

if TYPE_CHECKING:
    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Scene

INVOKERS_FROM = 150000


def walled(scene: Scene, relation: Relation) -> tuple[str, ...]:
    """Keep the rows of *relation* to their tenant: a view asks as its caller, a table has a policy.

    The policy of a table that has others is restrictive: it is ANDed to whatever they let through.
    """
    if relation.kind == "view":
        below = base_table(scene, relation)
        if below is not None and relation.options.get("security_invoker") in {"true", "on", "1"}:
            return walled(scene, below)
        return asking_as_invoker(scene, relation) or narrowed(scene, relation)
    if loose := unbound(scene, relation):
        return loose
    condition = belongs(scene, relation)
    if not condition:
        return ()
    roles = ", ".join(_bound(scene))
    begin = [] if relation.rls else ["ENABLE ROW LEVEL SECURITY"]
    if not relation.forced:
        begin.append("FORCE ROW LEVEL SECURITY")
    first = not relation.policies
    name = "partywall_tenant" if first else "partywall_wall"
    if any(policy.name.startswith(name) for policy in relation.policies):
        return ()  # it stands already, and whatever got through did not come this way
    policies = [
        f"CREATE POLICY {name}{suffix} ON {relation.qualified}"
        f"{'' if first else ' AS RESTRICTIVE'} FOR {command} TO {roles} {clauses}"
        for suffix, command, clauses in _commands(condition, scene.public.get(relation.qualified))
    ]
    enabled = [f"ALTER TABLE {relation.qualified} {', '.join(begin)}"] if begin else []
    return (*policies, *enabled)


def checked(scene: Scene, view: Relation) -> tuple[str, ...]:
    """Let a view that asks for the tenant itself take in no row that it would not show."""
    column = tenant_column(scene, view)
    own = " WHERE " in " ".join((view.definition or "").split()).upper()
    invoker = "security_invoker" in view.options
    if (
        view.kind != "view"
        or column is None
        or not own
        or invoker
        or "check_option" in view.options
    ):
        return ()
    return (f"ALTER VIEW {view.qualified} SET (check_option = cascaded)",)


def enforced(scene: Scene, relation: Relation) -> tuple[str, ...]:
    """Row security for a table that has policies or needs one; its owner is bound as well."""
    if loose := unbound(scene, relation):
        return loose
    if relation.rls and not relation.forced and _owns(scene, relation):
        return (f"ALTER TABLE {relation.qualified} FORCE ROW LEVEL SECURITY",)
    if not relation.rls and any(applying(scene, relation, *TENANTS)):
        both = "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        return (f"ALTER TABLE {relation.qualified} {both}",)
    return walled(scene, relation)


def asking_as_invoker(scene: Scene, view: Relation) -> tuple[str, ...]:
    """Let a view read as its caller, where both tenants may read what is beneath it."""
    if view.kind != "view" or scene.snapshot.version < INVOKERS_FROM:
        return ()
    below = [r for r in of_text(scene.snapshot, view.definition or "").direct if r.oid != view.oid]
    readable = all(
        scene.usable(who, relation) and scene.grants(who).columns_for("SELECT", relation)
        for relation in below
        for who in TENANTS
    )
    guarded = any(r.rls or r.kind == "view" or r.qualified in scene.model.owned for r in below)
    if not below or not readable or not guarded or "security_invoker" in view.options:
        return ()
    return (f"ALTER VIEW {view.qualified} SET (security_invoker = true)",)


def narrowed(scene: Scene, view: Relation) -> tuple[str, ...]:
    """Let a view that nobody writes through show the rows of the context's tenant alone."""
    column = tenant_column(scene, view)
    if view.kind != "view" or view.updatable or column is None or not view.definition:
        return ()
    said = next(
        (
            found
            for relation in of_text(scene.snapshot, view.definition).relations
            if (owner := scene.model.owned.get(relation.qualified)) and owner.column == column.name
            and (found := context(scene, relation, relation.by_name[column.name]))
        ),
        "",
    )  # fmt: skip
    if not said:
        return ()
    options = {**view.options, "security_barrier": "true"}
    told = ", ".join(f"{name} = {value}" for name, value in sorted(options.items()))
    query = view.definition.strip().rstrip(";")
    own = f"SELECT shown.* FROM ({query}) AS shown WHERE shown.{column.quoted} = (SELECT {said})"
    return (f"CREATE OR REPLACE VIEW {view.qualified} WITH ({told}) AS {own}",)


def _commands(condition: str, public: str | None) -> tuple[tuple[str, str, str], ...]:
    """(suffix of the name, command, clauses); rows that are public by design stay readable."""
    whole = f"USING ({condition}) WITH CHECK ({condition})"
    if public is None:
        return (("", "ALL", whole),)
    return (
        ("_read", "SELECT", f"USING (({condition}) OR ({public}))"),
        ("_insert", "INSERT", f"WITH CHECK ({condition})"),
        ("_update", "UPDATE", whole),
        ("_delete", "DELETE", f"USING ({condition})"),
    )


def _bound(scene: Scene) -> list[str]:
    """To whom a new policy applies: the roles of both tenants, by a group of theirs if they differ.

    Roles of workers and reports, which stand beside them, are left as they are.
    """
    strangers = {i.role for who, i in scene.identities.items() if who not in (*TENANTS, "admin")}
    a, b = (scene.identities[who].role for who in TENANTS)
    roles = scene.snapshot.roles
    if a == b:
        return [sql.identifier(role) for role in dict.fromkeys((a, *sorted(strangers)))]
    shared = roles[a].acts_as & roles[b].acts_as if a in roles and b in roles else frozenset()
    groups = sorted(g for g in shared if not g.startswith("pg_") and not roles[g].login)
    if not groups:
        return ["PUBLIC"]
    outside = sorted(s for s in strangers if s in roles and groups[0] not in roles[s].acts_as)
    return [sql.identifier(role) for role in (groups[0], *outside)]


def _owns(scene: Scene, relation: Relation) -> bool:
    return any(
        relation.owner in role.acts_as
        for who in TENANTS
        if (role := scene.snapshot.roles.get(scene.identities[who].role))
    )
