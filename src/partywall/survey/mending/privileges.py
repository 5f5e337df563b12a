"""Privileges and memberships taken back, from whoever they were granted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.catalog.facts import Function, Sequence
from partywall.catalog.rights import Schema
from partywall.survey import sql
from partywall.survey.surfaces import rests_on_tenants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.catalog.facts import Relation
    from partywall.catalog.rights import Holding
    from partywall.survey.attack import Scene
    from partywall.survey.identity import Who

ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
EVERYTHING = frozenset({"pg_read_all_data", "pg_write_all_data"})
"""Built-in roles that need no grant."""
INHERIT_BY_GRANT_FROM = 160000
"""The first version in which a membership says whether it inherits; before, the member does."""


def revoked(
    scene: Scene, privileges: Iterable[str], thing: Relation | Sequence | Schema, who: Who = "A"
) -> tuple[str, ...]:
    """Take *privileges* on *thing* from the role of *who*, wherever it has them from.

    () where it owns the thing, or is a superuser: a grant taken back would change nothing.
    """
    kind, key, named = _named(thing)
    role = scene.snapshot.roles.get(scene.identities[who].role)
    if role is None or role.superuser or thing.owner in role.acts_as:
        return ()
    return _taken(scene, privileges, kind, key, named, role.acts_as)


def kept_apart(scene: Scene, relation: Relation, who: Who) -> tuple[str, ...]:
    """Take all privileges on a table in a tenant's schema from *who*; the tenant keeps its own."""
    owners = [
        i for i in scene.identities.values() if scene.model.schemas.get(i.who) == relation.schema
    ]
    if not owners or owners[0].who == who:
        return ()
    a, b = scene.identities[who].role, owners[0].role
    if a == b or a not in scene.snapshot.roles:
        return ()
    if b in scene.snapshot.roles[a].acts_as:  # what is revoked there, the tenant itself would lose
        return _uninherited(scene, b, a)
    given = scene.snapshot.given.get(("relation", str(relation.oid)), frozenset())
    privileges = sorted({privilege for privilege, _ in given})
    taken = revoked(scene, privileges, relation, who)
    if not taken:
        return ()
    held = scene.snapshot.grants[b].tables.get(relation.oid, frozenset())
    direct = {privilege for privilege, grantee in given if grantee == b}
    owner = relation.owner in scene.snapshot.roles[b].acts_as
    rest = [] if owner else sorted(held - direct)
    grants = (
        (f"GRANT {', '.join(rest)} ON {relation.qualified} TO {sql.identifier(b)}",) if rest else ()
    )
    return (*grants, *taken)


def _uninherited(scene: Scene, role: str, heir: str) -> tuple[str, ...]:
    """Let *heir* hold nothing of *role* before it becomes it, by SET ROLE as until now."""
    if not any((m.role, m.member) == (role, heir) for m in scene.snapshot.memberships):
        return ()
    if scene.snapshot.version >= INHERIT_BY_GRANT_FROM:
        return (f"GRANT {sql.identifier(role)} TO {sql.identifier(heir)} WITH INHERIT FALSE",)
    if heir in {scene.identities[who].role for who in ("A", "B")}:
        return ()  # it would lose its own as well
    return (f"ALTER ROLE {sql.identifier(heir)} NOINHERIT",)


def uncreatable(scene: Scene, schema: str, who: Who = "A") -> tuple[str, ...]:
    """Take the right to create in *schema*, a quoted name, from the role of *who*.

    Where there is no such schema yet, it is the right to create one.
    """
    there = next((s for s in scene.snapshot.schemas.values() if s.quoted == schema), None)
    if there is None:
        return _without_database(scene, ("CREATE",))
    return revoked(scene, ("CREATE",), there, who)


def unset(scene: Scene, sequence: Sequence, who: Who = "A") -> tuple[str, ...]:
    """Leave the role of *who* the next number of a sequence, and no way to set it."""
    taken = revoked(scene, ("UPDATE",), sequence, who)
    role = sql.identifier(scene.identities[who].role)
    return (f"GRANT USAGE ON SEQUENCE {sequence.qualified} TO {role}", *taken) if taken else ()


def _without_database(scene: Scene, privileges: Iterable[str]) -> tuple[str, ...]:
    """Take *privileges* on the database from the role of A."""
    identity = scene.identities["A"]
    role = scene.snapshot.roles.get(identity.role)
    database = scene.snapshot.databases.get(identity.database)
    if role is None or database is None or role.superuser or database.owner in role.acts_as:
        return ()
    named = f"DATABASE {sql.identifier(identity.database)}"
    return _taken(scene, privileges, "database", identity.database, named, role.acts_as)


def parted(scene: Scene, role: str, who: Who = "A") -> tuple[str, ...]:
    """End every membership by which the login of *who* comes to hold or become *role*."""
    identity = scene.identities[who]
    login = scene.snapshot.roles.get(identity.login)
    if login is None or login.superuser:
        return ()
    reach = login.acts_as | login.can_become
    edges = [m for m in scene.snapshot.memberships if m.role == role and m.member in reach]
    taken = tuple(f"REVOKE {sql.identifier(role)} FROM {sql.identifier(m.member)}" for m in edges)
    return (*retained(scene, {role}), *taken) if taken else ()


def demoted(scene: Scene, role: str, *attributes: str) -> tuple[str, ...]:
    """Take *attributes* from *role*, as in NOSUPERUSER; it keeps its work on the tenants' rows."""
    found = scene.snapshot.roles.get(role)
    if found is None or not attributes:
        return ()
    keeps = retained(scene, None) if found.superuser else ()
    return (*keeps, f"ALTER ROLE {sql.identifier(role)} {' '.join(attributes)}")


def disowned(scene: Scene, thing: Relation | Function) -> tuple[str, ...]:
    """Part the role of A from what it owns: whoever runs this owns it then, or the role is left.

    () for a function with its owner's rights: it would be given those of an administrator.
    """
    identity = scene.identities["A"]
    role = scene.snapshot.roles.get(identity.role)
    if role is None or role.superuser or thing.owner not in role.acts_as:
        return ()
    if thing.owner not in {identity.role, identity.login}:
        return parted(scene, thing.owner)
    if isinstance(thing, Function):
        if thing.definer:
            return ()
        kind = "PROCEDURE" if thing.kind == "procedure" else "FUNCTION"
        return (f"ALTER {kind} {thing.signature} OWNER TO CURRENT_USER",)
    keeps = f"GRANT {', '.join(ROWS)} ON {thing.qualified} TO {sql.identifier(thing.owner)}"
    draws = tuple(
        f"GRANT USAGE ON SEQUENCE {sequence.qualified} TO {sql.identifier(thing.owner)}"
        for sequence in scene.snapshot.sequences.values()
        if any(oid == thing.oid for oid, _ in sequence.users)
    )
    return (f"ALTER TABLE {thing.qualified} OWNER TO CURRENT_USER", keeps, *draws)


def unbound(scene: Scene, relation: Relation, who: Who = "A") -> tuple[str, ...]:
    """Take from *who* what no policy of a table binds: attributes of its role, built-in roles."""
    name = scene.identities[who].role
    role = scene.snapshot.roles.get(name)
    if role is None:
        return ()
    if role.superuser or role.bypasses_rls:
        owned = relation.owner == name and relation.stores_rows and not relation.forced
        force = (f"ALTER TABLE {relation.qualified} FORCE ROW LEVEL SECURITY",) if owned else ()
        without = {"NOSUPERUSER": role.superuser, "NOBYPASSRLS": role.bypasses_rls}
        return (*demoted(scene, name, *(a for a, held in without.items() if held)), *force)
    everything = sorted(EVERYTHING & role.acts_as)
    if relation.rls or not everything or granted(scene, relation, who):
        return ()
    return tuple(statement for each in everything for statement in parted(scene, each, who))


def granted(scene: Scene, relation: Relation, who: Who) -> bool:
    """Whether *who* has something on *relation* by a grant or as its owner, not by being mighty."""
    role = scene.snapshot.roles.get(scene.identities[who].role)
    if role is None or not (role.superuser or EVERYTHING & role.acts_as):
        return role is not None
    given = scene.snapshot.given.get(("relation", str(relation.oid)), frozenset())
    own = {role.name, ""} if role.superuser else role.acts_as - EVERYTHING | {""}
    return relation.owner in own or any(grantee in own for _, grantee in given)


def retained(scene: Scene, lost: set[str] | None) -> tuple[str, ...]:
    """Grants of the ordinary rights on rows that the acting roles have by *lost* roles alone.

    None stands for what a superuser may do without a grant.
    """
    statements: dict[str, None] = {}
    for name in sorted({scene.identities[who].role for who in ("A", "B")}):
        role = scene.snapshot.roles[name]
        sources = {name, ""} if lost is None else role.acts_as - lost | {name, ""}
        schemas: set[str] = set()
        for table in scene.snapshot.relations.values():
            if not _guarded(scene, table, views=lost is not None):
                continue
            held = scene.grants("A" if scene.identities["A"].role == name else "B").tables
            given = scene.snapshot.given.get(("relation", str(table.oid)), frozenset())
            direct = {privilege for privilege, grantee in given if grantee in sources}
            owns = table.owner in sources
            rest = [
                p for p in ROWS if p in held.get(table.oid, ()) and p not in direct and not owns
            ]
            schemas.add(table.schema)
            if rest:
                grant = f"GRANT {', '.join(rest)} ON {table.qualified} TO {sql.identifier(name)}"
                statements[grant] = None
        for schema in sorted(schemas):
            given = scene.snapshot.given.get(("schema", schema), frozenset())
            there = scene.snapshot.schemas[schema]
            if there.owner not in sources and not any(("USAGE", s) in given for s in sources):
                use = f"GRANT USAGE ON SCHEMA {there.quoted} TO {sql.identifier(name)}"
                statements[use] = None
    return tuple(statements)


def _guarded(scene: Scene, relation: Relation, *, views: bool) -> bool:
    """Whether a wall stands before the rows of *relation*, so that a grant opens a tenant's."""
    if relation.extension is not None:
        return False
    if relation.kind == "view":
        return views and rests_on_tenants(scene, relation)
    return relation.rls and relation.qualified in scene.model.owned


def _named(thing: Relation | Sequence | Schema) -> tuple[Holding, str, str]:
    """The kind of *thing*, its key among the grants, and how a GRANT names it."""
    if isinstance(thing, Schema):
        return "schema", thing.name, f"SCHEMA {thing.quoted}"
    if isinstance(thing, Sequence):
        return "sequence", str(thing.oid), f"SEQUENCE {thing.qualified}"
    return "relation", str(thing.oid), thing.qualified


def _taken(
    scene: Scene,
    privileges: Iterable[str],
    kind: Holding,
    key: str,
    named: str,
    holders: frozenset[str],
) -> tuple[str, ...]:
    given = scene.snapshot.given.get((kind, key), frozenset())
    wanted = set(privileges)
    found: dict[str, list[str]] = {}
    for privilege, grantee in sorted(given):
        if privilege in wanted and (not grantee or grantee in holders):
            found.setdefault(grantee, []).append(privilege)
    return tuple(
        f"REVOKE {', '.join(taken)} ON {named} FROM "
        f"{sql.identifier(grantee) if grantee else 'PUBLIC'}"
        for grantee, taken in found.items()
    )
