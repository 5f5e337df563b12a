"""PW216: the text of another tenant's running statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement, Outcome, Scene

LOGGED_IN = "08"
VIEW = "pg_catalog.pg_stat_activity"


@attack("PW216", effect="read", level="sql")
def watch_activity(scene: Scene) -> Iterator[Attempt]:
    """Read the statements of B's sessions, as A, from the server's activity.

    A role sees the full text of all sessions of its own login, and with `pg_read_all_stats` or
    `pg_monitor` of every login: each literal that the application writes into its SQL. Values
    sent as parameters do not show there. Nothing is written; both log in as they really do.

    Affected:
        Whoever lets one login serve all tenants and writes values into statements: an injection
        reads along.

    Applications:
        one login, a login each

    Breaches:
        -- the application as it is: every tenant's sessions are those of one login

    Holds:
        -- the application as it is: a session sees the statements of its own login

    Fix:
        Give each tenant a login of its own without pg_read_all_stats, or send values as
        parameters only.

    Source:
        https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
    """
    canary = scene.world.canaries["B"]
    halves = len(canary) // 2
    sought = f"{literal(canary[:halves])} || {literal(canary[halves:])}"
    said = Step("B", f"SELECT {literal(canary)}")
    query = f"SELECT query FROM {VIEW} WHERE strpos(query, {sought}) > 0"

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        refused = [outcome for outcome in outcomes if outcome.sqlstate.startswith(LOGGED_IN)]
        if refused:
            return Unclear(f"it takes a log-in of each tenant's own: {refused[0].message[:200]}")
        if outcomes[1].shows([canary]):
            return Breach("statements of another tenant's session can be read, literals and all")
        return None

    yield Attempt(
        at=VIEW,
        attacker="A",
        steps=(said, Step("A", query)),
        judge=judge,
        control=(said, Step("admin", query)),
        commits=True,
        fix="give each tenant a login of its own, without pg_read_all_stats, "
        "or send values as parameters only",
    )
