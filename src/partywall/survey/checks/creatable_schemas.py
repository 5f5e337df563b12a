"""PW110: the application's role may create objects where names are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.mending.privileges import uncreatable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW110", level="sql", hygiene=True)
def creatable_schemas(scene: Scene) -> Iterator[Hit]:
    """Find schemas of the search_path in which an application's role may create.

    Whoever injects SQL can plant tables and functions there that other sessions then use: the
    attack plant-in-path does it where the survey's attacker may. An application that runs its
    own migrations needs CREATE; one that doesn't is better without.

    Affected:
        Databases whose public schema dates from before PostgreSQL 15, and logins that may
        migrate.

    Fires:
        GRANT CREATE ON SCHEMA public TO app
        GRANT CREATE ON SCHEMA public TO PUBLIC

    Silent:
        GRANT CREATE ON SCHEMA public TO staff
        CREATE SCHEMA side; GRANT CREATE ON SCHEMA side TO app

    Fix:
        Take CREATE on the schema from the login and from PUBLIC.

    Source:
        https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATTERNS
    """
    role = scene.identities["A"].role
    for name in scene.identities["B"].search_path:
        schema = scene.snapshot.schemas.get(name)
        if schema is not None and role in schema.create and schema.owner != role:
            yield Hit(
                f"schema {name}",
                f"{role} may create in it, and the other tenants' sessions look names up there",
                f"let {role} create nothing in the schema {name}",
                repair=uncreatable(scene, schema.quoted),
            )
