"""PW241: SET ROLE to a role that is not behind the wall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import acting, carries_context, look, stolen, victims
from partywall.survey.mending.privileges import parted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.rights import Role
    from partywall.survey.attack import Judgement, Outcome, Scene

MOST_ROLES = 24


@attack("PW241", effect="read", level="sql")
def switch_role(scene: Scene) -> Iterator[Attempt]:
    """Take every role that the login is a member of, and read and write rows of B with it.

    Membership with NOINHERIT gives nothing until SET ROLE, which every injected statement can
    run: a role for exports with BYPASSRLS, the owner of the tables, another tenant's role.
    Roles that the application itself takes to enter a tenant are its context, not a way around
    it; they are attacked only where the attacker may change the context.

    Affected:
        Applications whose login was made a member of an owner, an administrator or a worker.

    Breaches:
        CREATE ROLE boss NOLOGIN BYPASSRLS;
        GRANT USAGE ON SCHEMA shop TO boss;
        GRANT SELECT ON shop.invoices TO boss;
        GRANT boss TO app;

    Holds:
        CREATE ROLE boss NOLOGIN BYPASSRLS;
        GRANT USAGE ON SCHEMA shop TO boss;
        GRANT SELECT ON shop.invoices TO boss;

    Fix:
        Take the membership from the login; give jobs and administrators logins of their own.

    Source:
        https://www.postgresql.org/docs/current/sql-set-role.html
        https://www.postgresql.org/docs/current/role-membership.html
    """
    for role in _candidates(scene):
        yield _attempt(scene, role)


def _candidates(scene: Scene) -> list[Role]:
    """Roles that A's login can become and does not act as anyway, the mightiest first."""
    login = scene.snapshot.roles.get(scene.identities["A"].login)
    if login is None:
        return []
    besides = {scene.identities["A"].role, scene.identities["A"].login}
    owners = {relation.owner for relation, _ in victims(scene)}
    theirs = {scene.identities["B"].role, scene.identities["B"].login}
    found = [
        scene.snapshot.roles[name]
        for name in sorted(login.can_become - besides)
        if name in scene.snapshot.roles
    ]

    def might(role: Role) -> tuple[bool, bool, bool]:
        return (
            not (role.superuser or role.bypasses_rls),
            not role.acts_as & owners,
            role.name not in theirs,
        )

    mightiest = sorted(found, key=might)
    return mightiest[: 1 if acting(scene).superuser else MOST_ROLES]


def _attempt(scene: Scene, role: Role) -> Attempt:
    take = Step("A", f"SET ROLE {sql.identifier(role.name)}")
    reads = [look(scene, relation, held) for relation, held in victims(scene)]
    spare = [
        Step("A", held.insert())
        for relation, _ in victims(scene)
        if (held := scene.world.spare.get((relation.qualified, "B"))) is not None
    ]
    steps = (take, *reads, *spare)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if not outcomes[0].ok:
            return None
        because = f"the login may take the role {role.name}{_why(role)}"
        if read := stolen(scene, steps, outcomes[: 1 + len(reads)], 1, because):
            return read
        for number, outcome in enumerate(outcomes[1 + len(reads) :], 1 + len(reads)):
            if outcome.ok and outcome.count > 0:
                return Breach(f"{because}: it writes rows of another tenant", "write", (0, number))
        return None

    return Attempt(
        at=f"role {role.name}",
        attacker="A",
        steps=steps,
        judge=judge,
        level="context" if carries_context(scene, role.name) else None,
        fix=f"let no login that an application uses become {role.name}",
        repair=lambda: () if carries_context(scene, role.name) else parted(scene, role.name),
    )


def _why(role: Role) -> str:
    if role.superuser:
        return ", a superuser"
    return ", which bypasses row security" if role.bypasses_rls else ""
