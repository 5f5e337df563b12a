"""Attack: another tenant's object, by a GraphQL query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW313",
    effect="read",
    fix="check the tenant where an object is loaded, so that every field, edge and `node(id:)` "
    "that leads to it passes by the same check",
)
def graphql_object(sight: Sight) -> Iterator[Attempt]:
    """Ask for another tenant's object by each query and edge of the schema that takes its id.

    One object is reached by many fields, and each resolver has its own check, or none: `node(id:)`
    most often. Aliases and batches put several ids into one request, of which a check may see the
    first. Ids go in as they are, as global ids (base64 of the type and the id) and out of them.

    Affected:
        GraphQL schemas: each field that takes an id, and each edge, needs a check of its own.

    Breaches:
        faults/graphql_node: POST /graphql
        globex asks note(id:) for its own: the note
        acme asks node(id:) for globex's note: the note

    Holds:
        sound/graphql_walled: POST /graphql
        globex asks for its own: the object
        acme asks for globex's by every field: null and an error

    Source: OWASP Cheat Sheet Series, GraphQL
    (https://cheatsheetseries.owasp.org/cheatsheets/GraphQL_Cheat_Sheet.html).
    """
    del sight  # its operations are those of the schema, not of the path: `graphql` makes these
    return iter(())
