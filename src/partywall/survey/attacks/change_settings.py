"""PW255: A decides what settings B's next session begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import acting, neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement, Outcome, Scene


@attack("PW255", effect="escalate", level="sql")
def change_settings(scene: Scene) -> Iterator[Attempt]:
    """Set the search_path that a log-in of B, or any log-in to the database, starts with.

    ALTER DATABASE … SET is its owner's, ALTER ROLE … SET of another login takes CREATEROLE. A
    path that leads with a schema of A's hands it every name that B looks up. What a role sets for
    itself is not counted where tenants share the login: that much every injected statement may
    do, and from PostgreSQL 15 on no more than a superuser sets a custom setting that way.

    Affected:
        A login for each tenant, where one of them may alter roles or owns the database.

    Applications:
        a login each, a login each

    Breaches:
        ALTER ROLE acme CREATEROLE;

    Holds:
        ALTER ROLE keeper CREATEROLE;

    Fix:
        Let a role own the database and alter other roles that no application logs in as.

    Source:
        https://www.postgresql.org/docs/current/sql-alterrole.html
        https://www.postgresql.org/docs/current/sql-alterdatabase.html
    """
    if acting(scene).superuser or not neighbours(scene):
        return
    a, b = scene.identities["A"], scene.identities["B"]
    database = scene.snapshot.databases.get(a.database)
    if database is not None and database.owner in acting(scene).acts_as:
        quoted = sql.identifier(a.database)
        yield _attempt(
            f"database {a.database}", f"ALTER DATABASE {quoted} SET search_path = public"
        )
    if a.login != b.login and a.role != b.role:
        quoted = sql.identifier(b.login)
        yield _attempt(f"role {b.login}", f"ALTER ROLE {quoted} SET search_path = public")


def _attempt(at: str, statement: str) -> Attempt:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].ok:
            return Breach(f"A sets what the next session of {at} begins with")
        return None

    return Attempt(
        at=at,
        attacker="A",
        steps=(Step("A", statement),),
        judge=judge,
        fix=f"make {at} belong to, and be administered by, a role that no application logs in as",
    )
