"""Attack: another tenant's object, by a GraphQL mutation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW314",
    effect="write",
    fix="look up each id among a mutation's arguments, also those inside inputs and lists, among "
    "the caller's own before anything is changed or referred to",
)
def graphql_mutation(sight: Sight) -> Iterator[Attempt]:
    """Change, remove or refer to another tenant's object by each mutation that takes its id.

    Inputs nest, and an id three levels deep is easily taken as it comes. A mutation that refers to
    a foreign object shows it in its own answer; one that answers nothing may have changed it.

    Affected:
        GraphQL schemas whose queries are checked and whose mutations were forgotten.

    Breaches:
        faults/graphql_mutation: POST /graphql
        globex renames its own shift: renamed
        acme renames globex's shift: globex reads the new name

    Holds:
        sound/graphql_walled: POST /graphql
        globex changes its own: changed
        acme changes globex's: an error, and globex's is as it was

    Source: OWASP Cheat Sheet Series, GraphQL
    (https://cheatsheetseries.owasp.org/cheatsheets/GraphQL_Cheat_Sheet.html).
    """
    del sight  # its operations are those of the schema, not of the path: `graphql` makes these
    return iter(())
