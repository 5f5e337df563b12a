"""PW704: a job is made in another tenant's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach
from partywall.survey.jobs.on_tables import hit
from partywall.survey.jobs.tables import Sql
from partywall.survey.trying import CLOSED, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.jobs.on_tables import TableScene
    from partywall.survey.trying import Outcome


@attack(
    "PW704",
    effect="write",
    fix="give row security of the engine's tables a WITH CHECK on the column that says whose a "
    "job is, so that nobody makes one for another",
)
def jobs_forged(scene: TableScene) -> Iterator[Attempt[Sql]]:
    """Make a job in another tenant's name, which its worker would run as that tenant.

    A worker takes the tenant from the job. Whoever may write one into the queue, with a tenant of
    its choice, acts as that tenant without ever logging in.

    Affected:
        Whoever lets tenants' code write into the engine's tables, and tells whose a job is by a
        column of it.

    Breaches:
        GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA dbos TO acme

    Holds:
        REVOKE INSERT ON ALL TABLES IN SCHEMA dbos FROM acme

    Source:
        https://cwe.mitre.org/data/definitions/639.html
    """
    victim, attacker = scene.victim, scene.attacker
    if not victim.login.row and victim.login.schema == attacker.login.schema:
        return
    main = victim.shape.main
    forged = f"{victim.id}-forged" if victim.shape.key in victim.shape.pointing else ""
    call = Sql((victim.inserted(main, forged),))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if hit(outcomes[0], "INSERT"):
            return Breach(f"a job was made in the name of {victim.owner}")
        return None

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if outcomes[0].refused:
            return CLOSED
        made = hit(outcomes[0], "INSERT")
        return "" if made else f"the rightful tenant could not make one: {outcomes[0].told}"

    at = f"jobs {victim.login.schema}.{main}"
    steps = (Step(attacker.owner, call),)
    control = (Step(victim.owner, call),)
    yield Attempt(at, attacker.owner, victim.owner, steps, judge, control, controlled)
