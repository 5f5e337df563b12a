"""PW124: the owner of a table is exempt from its policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.policies import acting_roles, guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW124", hygiene=True)
def unforced_owner(scene: Scene) -> Iterator[Hit]:
    """Find tables without FORCE whose owner is no role of the application.

    Nobody of the application gets around the policies today. Views and definer functions of the
    owner do, and so would an application that one day logs in as it.

    Affected:
        Databases where jobs, migrations or SECURITY DEFINER functions run as the owner of tables.

    Fires:
        ALTER TABLE invoice NO FORCE ROW LEVEL SECURITY

    Silent:
        ALTER TABLE invoice FORCE ROW LEVEL SECURITY
        ALTER TABLE invoice NO FORCE ROW LEVEL SECURITY, OWNER TO app

    Fix:
        FORCE row security: it binds the owner as well.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    roles = acting_roles(scene)
    for table, _ in guarded(scene):
        owner = scene.snapshot.roles.get(table.owner)
        bound = owner is not None and not (owner.superuser or owner.bypasses_rls)
        if bound and not table.forced and table.owner not in roles:
            yield Hit(
                table.qualified,
                f"{table.owner} owns it and is exempt from its policies",
                repair=(f"ALTER TABLE {table.qualified} FORCE ROW LEVEL SECURITY",),
            )
