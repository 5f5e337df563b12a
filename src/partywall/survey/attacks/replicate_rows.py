"""PW254: replication carries every tenant's rows past row security."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import taking, victims
from partywall.survey.mending.privileges import parted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement, Outcome, Scene

REPLICATES = "SELECT rolreplication FROM pg_roles WHERE rolname = current_user"
LOGIN = "SELECT rolreplication FROM pg_roles WHERE rolname = session_user"


@attack("PW254", effect="read", level="sql")
def replicate_rows(scene: Scene) -> Iterator[Attempt]:
    """Ask whether the login may read the write-ahead log, or be sent rows by a subscription.

    REPLICATION decodes a logical slot or takes a base backup: rows of all tenants, no policy
    asked. A slot can't be rolled back, so the server is asked. Options of user mappings, with
    passwords to other servers, show to the mapped user and to the owner of the server.

    Affected:
        Applications that stream changes, by the login that also serves requests.

    Breaches:
        ALTER ROLE app REPLICATION;

    Holds:
        ALTER ROLE keeper REPLICATION;

    Fix:
        Take REPLICATION and pg_create_subscription from the login.

    Source:
        https://www.postgresql.org/docs/current/logical-replication-security.html
        https://www.postgresql.org/docs/current/view-pg-user-mappings.html
    """
    role, login = (
        scene.snapshot.roles.get(name)
        for name in (scene.identities["A"].role, scene.identities["A"].login)
    )
    if (role and role.superuser) or (login and login.superuser):
        return
    if role is not None and role.replicates:
        yield _slots(scene, role.name, REPLICATES)
    elif login is not None and login.replicates:
        yield _slots(scene, login.name, LOGIN)
    take = taking(scene, "pg_create_subscription")
    if take is not None:
        yield _subscription(scene, take)
    yield from _mappings(scene)


def _slots(scene: Scene, name: str, question: str) -> Attempt:
    at = next((relation.qualified for relation, _ in victims(scene)), "the database")

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].scalar == "t":
            return Breach(
                f"{name} has REPLICATION: a slot or a base backup gives it the rows of all "
                f"tenants, those of {at} among them"
            )
        return None

    return Attempt(
        at=f"role {name}",
        attacker="A",
        steps=(Step("A", question),),
        judge=judge,
        repair=lambda: (f"ALTER ROLE {sql.identifier(name)} NOREPLICATION",),
    )


def _subscription(scene: Scene, take: tuple[Step, ...]) -> Attempt:
    question = "SELECT pg_has_role('pg_create_subscription', 'USAGE')"

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-1].scalar == "t":
            return Breach("the role may create subscriptions, which write what a server sends")
        return None

    return Attempt(
        at="role pg_create_subscription",
        attacker="A",
        steps=(*take, Step("A", question)),
        judge=judge,
        effect="write",
        repair=lambda: parted(scene, "pg_create_subscription"),
    )


def _mappings(scene: Scene) -> Iterator[Attempt]:
    """User mappings of other roles whose options A sees."""
    me = scene.identities["A"].role
    for server in scene.snapshot.servers.values():
        if not set(server.mapped) - {me, "public"}:
            continue
        question = (
            "SELECT usename FROM pg_user_mappings WHERE srvname = "
            f"{sql.literal(server.name)} AND usename NOT IN (current_user, 'public') "
            "AND array_to_string(umoptions, ',') LIKE '%password=%'"
        )

        def judge(outcomes: Sequence[Outcome], at: str = server.name) -> Judgement:
            if outcomes[0].rows:
                return Breach(f"the passwords of other roles' mappings of {at} show to this one")
            return None

        yield Attempt(
            at=f"server {server.name}",
            attacker="A",
            steps=(Step("A", question),),
            judge=judge,
            effect="escalate",
            fix=f"ALTER SERVER {sql.identifier(server.name)} OWNER TO a role that no application "
            "logs in as",
        )
