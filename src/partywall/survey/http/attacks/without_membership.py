"""Attack: a valid credential of somebody who is a member of no tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import VICTIM, Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW321",
    effect="read",
    fix="refuse a caller without a tenant; never run a query whose tenant is none",
)
def without_membership(sight: Sight) -> Iterator[Attempt]:
    """Ask with a valid token that belongs to no tenant.

    A filter on the caller's tenant may fall away where there is none, and leave all rows. The
    credential is declared in ``[stranger]``.

    Affected:
        APIs where an account may be a member of no tenant: just signed up, or thrown out of the
        last one.

    Breaches:
        faults/stranger_sees_all: GET /surveys
        globex lists its surveys: 200, its own surveys
        a stranger lists: 200, everybody's surveys

    Holds:
        faults/stranger_sees_all: GET /surveys/{survey_id}
        globex asks for its own survey: 200, with the survey
        a stranger asks for globex's survey: refused

    Source: CWE-636, Not Failing Securely ('Failing Open')
    (https://cwe.mitre.org/data/definitions/636.html).
    """
    if sight.stranger and sight.operation.safe:
        choices = dict.fromkeys(sight.at("path"), VICTIM)
        yield Attempt("as a stranger", choices, asker="stranger")
