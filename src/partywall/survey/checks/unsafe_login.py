"""PW125: a login that partywall's own runtime would refuse to start with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.isolation.login import LoginFacts, RoleFacts, dangers
from partywall.survey.check import Hit, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.catalog.facts import Snapshot
    from partywall.catalog.rights import Role
    from partywall.survey.attack import Scene


@check("PW125", hygiene=True)
def unsafe_login(scene: Scene) -> Iterator[Hit]:
    """Find what the application's logins are allowed and no application needs.

    Superuser, BYPASSRLS, CREATEROLE, REPLICATION, and membership in the server's own powerful
    roles, held or to be taken by SET ROLE. What an attack can do with them is attacked; this says
    which statement takes them away. The runtime asks the same of its own login, and refuses it.

    Affected:
        Applications whose login was made by hand.

    Fires:
        ALTER ROLE app CREATEROLE
        GRANT pg_read_all_data TO app
        GRANT pg_monitor TO app

    Silent:
        ALTER ROLE app CREATEDB

    Fix:
        Take the attribute or the membership from the login.

    Source:
        https://www.postgresql.org/docs/current/predefined-roles.html
    """
    for login in sorted({identity.login for identity in scene.identities.values()}):
        found = scene.snapshot.roles.get(login)
        if found is None:
            continue
        members = [scene.snapshot.roles.get(name) for name in sorted(found.can_become)]
        roles = tuple(facts(scene.snapshot, login, role) for role in members if role is not None)
        for danger in dangers(LoginFacts(login, roles)):
            yield Hit(f"role {login}", danger.what, repair=(danger.mend,))


def facts(snapshot: Snapshot, login: str, role: Role) -> RoleFacts:
    """What the judgement asks of a role that *login* is, or may become."""
    attributes = {
        "superuser": role.superuser,
        "bypassrls": role.bypasses_rls,
        "createrole": role.creates_roles,
        "replication": role.replicates,
    }
    granted = {m.role for m in snapshot.memberships if m.member == login}
    through = sorted(
        name
        for name in granted
        if name in snapshot.roles and role.name in snapshot.roles[name].can_become
    )
    return RoleFacts(
        role.name, frozenset(name for name, on in attributes.items() if on), tuple(through)
    )
