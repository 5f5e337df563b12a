"""PW111: a privilege that no policy lets anyone use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.mending.privileges import revoked
from partywall.survey.policies import guarded
from partywall.survey.surfaces import permits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene

COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@check("PW111", hygiene=True)
def closed_command(scene: Scene) -> Iterator[Hit]:
    """Find granted commands that row security closes for every row.

    Row security without a policy for a command denies it, silently for reads. Either the policy
    is missing, or the grant is one too many.

    Affected:
        Tables with a policy for some commands only.

    Fires:
        DROP POLICY own ON invoice
        DROP POLICY own ON invoice; CREATE POLICY own ON invoice FOR SELECT USING (tenant = current_setting('app.tenant', true))

    Silent:
        REVOKE ALL ON invoice FROM app; GRANT SELECT ON invoice TO app; DROP POLICY own ON invoice; CREATE POLICY own ON invoice FOR SELECT USING (tenant = current_setting('app.tenant', true))
        ALTER TABLE invoice DISABLE ROW LEVEL SECURITY

    Fix:
        Add the policy that is missing, or take the privilege back.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """  # noqa: E501 - an example is one line
    for table, _ in guarded(scene):
        granted = scene.grants("A").tables.get(table.oid, frozenset())
        closed = [c for c in COMMANDS if c in granted and not permits(scene, "A", table, c)]
        if closed:
            role = scene.identities["A"].role
            yield Hit(
                table.qualified,
                f"{role} holds {', '.join(closed)}, and no policy lets it through",
                f"revoke {', '.join(closed)} on {table.qualified} from {role}",
                repair=revoked(scene, closed, table),
            )
