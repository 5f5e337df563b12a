"""PW106: a session begins as a tenant before anyone has said which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.capability import neighbours
from partywall.survey.check import Hit, check
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.attack import Scene


@check("PW106")
def lodged_tenant(scene: Scene) -> Iterator[Hit]:
    """Find settings of shared logins and of the database that name a tenant.

    ALTER ROLE … SET or ALTER DATABASE … SET of the tenant's setting, left from debugging: a
    session whose application forgets the context works in that tenant. Fine where each tenant
    has a login, or a database, of its own.

    Affected:
        Databases somebody has debugged in, with one login for all tenants.

    Fires:
        ALTER ROLE app SET app.tenant = 'globex'
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.tenant = %L', current_database(), 'acme'); END $$

    Silent:
        ALTER ROLE app SET app.tenant = ''
        ALTER ROLE staff SET app.tenant = 'globex'
        ALTER ROLE app SET statement_timeout = '5s'

    Fix:
        RESET the setting; set it in the application's transactions only.

    Source:
        https://www.postgresql.org/docs/current/sql-alterrole.html
        https://www.postgresql.org/docs/current/sql-alterdatabase.html
    """  # noqa: E501 - an example is one line
    if not neighbours(scene):
        return
    a, b = scene.identities["A"], scene.identities["B"]
    database = scene.originals.get(a.database, a.database)
    yield from _hits(scene, scene.snapshot.settings, f"database {database}", "DATABASE")
    if a.login == b.login and a.login in scene.snapshot.roles:
        settings = scene.snapshot.roles[a.login].settings
        yield from _hits(scene, settings, f"role {a.login}", "ROLE")


def _hits(scene: Scene, settings: Mapping[str, str], at: str, kind: str) -> Iterator[Hit]:
    tenants = [scene.identities[who] for who in ("A", "B")]
    values = {value for tenant in tenants for _, value in tenant.settings if value}
    values |= {tenant.tenant for tenant in tenants if tenant.tenant}
    for name, value in settings.items():
        carried = name in scene.model.settings and value in values
        schemas = {part.strip().strip('"') for part in value.split(",")}
        placed = name == "search_path" and schemas & set(scene.model.schemas.values())
        if carried or placed:
            setting = ".".join(identifier(part) for part in name.split("."))
            yield Hit(
                at,
                f"its setting {name} names a tenant: a session without a context of its own "
                "works in it",
                repair=(f"ALTER {kind} {identifier(at.partition(' ')[2])} RESET {setting}",),
            )
