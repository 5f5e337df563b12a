"""PW243: CREATEROLE or ADMIN makes the login a member of a role that is not behind the wall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import BUILT, acting, look, neighbours, stolen, victims
from partywall.survey.mending.privileges import demoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.rights import Role
    from partywall.survey.attack import Judgement, Outcome, Scene

OPTIONS_FROM_16 = 160000
READING = "pg_read_all_data"


@attack("PW243", effect="escalate", level="sql")
def make_roles(scene: Scene) -> Iterator[Attempt]:
    """Grant the own role membership in owners, in BYPASSRLS roles and in the roles of others.

    Until PostgreSQL 15 CREATEROLE may grant every role that is no superuser, to anyone; from 16
    on it takes the ADMIN option on that role. The memberships are made in a transaction that is
    rolled back. Another tenant's password is in reach the same way.

    Affected:
        Applications that make database roles themselves, by the login that serves requests.

    Breaches:
        CREATE ROLE boss NOLOGIN BYPASSRLS;
        GRANT USAGE ON SCHEMA shop TO boss;
        GRANT SELECT ON shop.invoices TO boss;
        ALTER ROLE app CREATEROLE;

    Holds:
        CREATE ROLE boss NOLOGIN BYPASSRLS;
        GRANT USAGE ON SCHEMA shop TO boss;
        GRANT SELECT ON shop.invoices TO boss;

    Fix:
        Take CREATEROLE and every ADMIN OPTION from the login.

    Source:
        https://www.postgresql.org/docs/current/role-attributes.html
        https://www.postgresql.org/docs/15/sql-createrole.html
    """
    role = acting(scene)
    for target in _targets(scene, role):
        yield _grant(scene, role, target)
    theirs = scene.identities["B"].login
    if theirs != scene.identities["A"].login and (
        role.creates_roles or _administers(scene, role, theirs)
    ):
        yield _password(scene, theirs)


def _administers(scene: Scene, role: Role, target: str) -> bool:
    return any(
        m.role == target and m.admin and m.member in role.acts_as
        for m in scene.snapshot.memberships
    )


def _targets(scene: Scene, role: Role) -> list[str]:
    """Roles worth being a member of, which *role* may hand out and is not behind already."""
    owners = {relation.owner for relation, _ in victims(scene)}
    bypassing = {r.name for r in scene.snapshot.roles.values() if r.bypasses_rls}
    theirs = {scene.identities["B"].role} if neighbours(scene) else set()
    wanted = (owners | bypassing | theirs | {READING}) - role.acts_as
    superusers = {r.name for r in scene.snapshot.roles.values() if r.superuser}
    return sorted(
        target
        for target in wanted - superusers
        if (role.creates_roles and scene.snapshot.version < OPTIONS_FROM_16)
        or _administers(scene, role, target)
    )


def _grant(scene: Scene, role: Role, target: str) -> Attempt:
    options = " WITH SET TRUE" if scene.snapshot.version >= OPTIONS_FROM_16 else ""
    owned = [(relation, held) for relation, held in victims(scene) if relation.owner == target]
    undo = [
        Step("A", f"ALTER TABLE {relation.qualified} DISABLE ROW LEVEL SECURITY")
        for relation, _ in owned
        if relation.rls and scene.place == "copy"
    ]
    prelude = (
        Step("A", f"GRANT {sql.identifier(target)} TO {sql.identifier(role.name)}{options}"),
        Step("A", f"SET ROLE {sql.identifier(target)}"),
        *undo[:1],
    )
    steps = (*prelude, *(look(scene, relation, held) for relation, held in victims(scene)))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if not (outcomes[0].ok and outcomes[1].ok):
            return None
        because = f"{role.name} may make itself a member of {target}"
        read = stolen(scene, steps, outcomes, len(prelude), because)
        if read is None and target == READING:
            return None  # row security holds it back, and every table has that
        return read or Breach(because, "read" if owned else None, (0, 1))

    mine = sql.identifier(role.name)
    return Attempt(
        at=f"role {role.name}",
        attacker="A",
        steps=steps,
        judge=judge,
        repair=lambda: (
            demoted(scene, role.name, "NOCREATEROLE")
            if role.creates_roles
            else (f"REVOKE ADMIN OPTION FOR {sql.identifier(target)} FROM {mine}",)
        ),
    )


def _password(scene: Scene, theirs: str) -> Attempt:
    role = acting(scene)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].ok:
            return Breach(f"{role.name} may set the password of {theirs} and log in as it")
        return None

    return Attempt(
        at=f"role {theirs}",
        attacker="A",
        steps=(Step("A", f"ALTER ROLE {sql.identifier(theirs)} PASSWORD {sql.literal(BUILT)}"),),
        judge=judge,
        repair=lambda: demoted(scene, role.name, "NOCREATEROLE"),
    )
