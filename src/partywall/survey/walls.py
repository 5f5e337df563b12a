"""What the walls of a database are built of, as sentences that two surveys can be compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.arguments import executable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.catalog.facts import Function, Policy, Relation
    from partywall.catalog.rights import Role
    from partywall.survey.attack import Scene
    from partywall.survey.identity import Who

OPTIONS = ("security_invoker", "security_barrier", "check_option")
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


def walls(scene: Scene) -> Mapping[str, tuple[str, ...]]:
    """Surface -> facts that hold its rows apart, or let them through; all from the catalog.

    Relations with a wall or a grant, functions with rights beyond the caller's, the roles that act.
    """
    found = {
        r.qualified: tuple(_relation(scene, r))
        for r in scene.snapshot.relations.values()
        if r.extension is None
    }
    found |= {f.signature: tuple(_function(scene, f)) for f in scene.snapshot.functions.values()}
    for name in sorted({identity.role for identity in scene.identities.values()}):
        if role := scene.snapshot.roles.get(name):
            found[f"role {name}"] = tuple(_role(role))
    return {at: facts for at, facts in found.items() if facts}


def _relation(scene: Scene, relation: Relation) -> Iterator[str]:
    if relation.rls:
        yield "row security" + (", also for its owner" if relation.forced else "")
    for policy in sorted(relation.policies, key=lambda p: p.name):
        yield _policy(policy)
    for option in OPTIONS:
        if option in relation.options:
            yield f"{option} = {relation.options[option]}"
    for who in _acting(scene):
        grants, role = scene.grants(who), scene.identities[who].role
        held = []
        for privilege in PRIVILEGES:
            if not grants.may(privilege, relation.oid):
                continue
            columns = [c.quoted for c in grants.columns_for(privilege, relation)]
            whole = len(columns) == len(relation.columns) or privilege in {"DELETE", "TRUNCATE"}
            held.append(privilege if whole else f"{privilege} ({', '.join(columns)})")
        if held and scene.usable(who, relation):
            yield f"{role} may {', '.join(held)}"


def _policy(policy: Policy) -> str:
    kind = "" if policy.permissive else " restrictive"
    told = f"policy {policy.name}:{kind} {policy.command} to {', '.join(sorted(policy.roles))}"
    using = f" using ({policy.using})" if policy.using else ""
    check = f" with check ({policy.check})" if policy.check else ""
    return " ".join(f"{told}{using}{check}".split())


def _function(scene: Scene, function: Function) -> Iterator[str]:
    if function.definer:
        roles = [scene.identities[w].role for w in _acting(scene) if executable(scene, w, function)]
        if roles:
            yield f"runs as {function.owner}, called by {', '.join(roles)}"


def _role(role: Role) -> Iterator[str]:
    if role.superuser:
        yield "superuser"
    if role.bypasses_rls:
        yield "passes by row security"
    if others := sorted(role.can_become - {role.name}):
        yield f"may become {', '.join(others)}"


def _acting(scene: Scene) -> tuple[Who, ...]:
    """One identity for each role that acts."""
    return tuple({i.role: who for who, i in sorted(scene.identities.items())}.values())
