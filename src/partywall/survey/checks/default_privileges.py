"""PW101: the next table is open to every tenant before anyone has put a wall around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.model import Isolation
from partywall.survey.check import Hit, check
from partywall.survey.policies import acting_roles
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.catalog.rights import DefaultPrivilege
    from partywall.survey.attack import Scene

ON_ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}


@check("PW101")
def default_privileges(scene: Scene) -> Iterator[Hit]:
    """Find default privileges that grant tables yet to come across tenants.

    Row security is a property of each table and off in a new one: where ALTER DEFAULT PRIVILEGES
    grants new tables to the application, every tenant reads them until someone remembers. An
    event trigger that enables row security closes the door. In schema per tenant the same grant
    in one tenant's schema must not reach another tenant's role.

    Affected:
        Databases that grant tables yet to come to the application.

    Fires:
        ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA public GRANT SELECT ON TABLES TO app
        ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT INSERT, UPDATE ON TABLES TO PUBLIC

    Silent:
        ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA public GRANT SELECT ON TABLES TO staff
        ALTER DEFAULT PRIVILEGES FOR ROLE staff GRANT SELECT ON TABLES TO app
        ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT USAGE ON SEQUENCES TO app
        GRANT SELECT ON invoice TO app

    Fix:
        Take the default privilege back, and grant each table where its row security is made.

    Source:
        https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    if scene.model.isolation is Isolation.ROW_SECURITY and _walled_at_birth(scene):
        return
    for default in scene.snapshot.default_privileges:
        if default.kind != "tables":
            continue
        for grantee in sorted({g for g, privilege in default.grants if privilege in ON_ROWS}):
            if _crosses(scene, default, grantee):
                schema = scene.snapshot.schemas.get(default.schema)
                place = f" IN SCHEMA {schema.quoted}" if schema else ""
                to = "PUBLIC" if grantee == "public" else grantee
                named = to if to == "PUBLIC" else identifier(to)
                creator = identifier(default.creator)
                change = f"ALTER DEFAULT PRIVILEGES FOR ROLE {creator}{place}"
                yield Hit(
                    f"default privileges of {default.creator}{place}",
                    f"tables that {default.creator} creates{place.lower()} are granted to {to} "
                    "at once, without row security or for the wrong tenant",
                    repair=(f"{change} REVOKE ALL ON TABLES FROM {named}",),
                )


def _walled_at_birth(scene: Scene) -> bool:
    """Whether an event trigger's function speaks of enabling row security."""
    return bool(scene.snapshot.event_triggers) and any(
        function.is_trigger and "row level security" in function.source.lower()
        for function in scene.snapshot.functions.values()
    )


def _crosses(scene: Scene, default: DefaultPrivilege, grantee: str) -> bool:
    owned = [scene.snapshot.by_qualified[t] for t in scene.model.owned
             if t in scene.snapshot.by_qualified]  # fmt: skip
    makes = any(
        t.owner == default.creator and (not default.schema or t.schema == default.schema)
        for t in owned
    )
    if not makes or grantee == default.creator:
        return False
    if scene.model.isolation is Isolation.ROW_SECURITY:
        return grantee == "public" or grantee in acting_roles(scene)
    if scene.model.isolation is not Isolation.SCHEMA:
        return False
    for owner, other in (("A", "B"), ("B", "A")):
        schema = scene.model.schemas.get(owner)
        mine, theirs = acting_roles(scene, owner), acting_roles(scene, other)  # type: ignore[arg-type] # both literals of Who
        if schema is None or default.schema not in {"", schema} or mine == theirs:
            continue
        reached = scene.identities[other].role in scene.snapshot.schemas[schema].usage  # type: ignore[index] # as above
        if reached and (grantee == "public" or grantee in theirs):
            return True
    return False
