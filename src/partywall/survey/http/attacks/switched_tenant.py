"""Attack: say another tenant in a header, a parameter, a cookie, a field or the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.attempt import Attempt, Extra, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.attempt import Side
    from partywall.survey.http.operations import Place

HEADERS = (
    "X-Tenant", "X-Tenant-Id", "X-Tenant-ID", "X-Organization-Id", "X-Org-Id", "X-Workspace-Id",
    "X-Account-Id", "X-User-Id", "X-Company-Id", "X-Team-Id", "X-Project-Id", "X-Customer-Id",
    "X-Forwarded-User", "X-Remote-User",
)  # fmt: skip
PARAMETERS = (
    "tenant", "tenant_id", "org", "org_id", "organization_id", "workspace", "workspace_id",
    "account_id", "user_id", "owner_id", "company_id", "team_id",
)  # fmt: skip


@attack(
    "PW307",
    effect="read",
    fix="take the tenant from the credential, or check that the credential belongs to the tenant "
    "that the request names, in one place, for every request",
)
def switched_tenant(sight: Sight) -> Iterator[Attempt]:
    """Keep one's own credential, and say another tenant beside it.

    What tells the tenant is sent by the client: a header, a subdomain, a parameter. It must be
    checked against the credential each time. Headers that an application trusts because a proxy
    in front of it sets them, reach it from anybody where the proxy doesn't take them away.

    Affected:
        APIs that are told the tenant by a header, a cookie or a subdomain beside the credential.

    Breaches:
        faults/org_header_trusted: GET /assets
        globex lists its assets: 200, its own assets
        acme sends globex's tenant header with its own token: 200, with globex's assets

    Holds:
        sound/header_checked: GET /orgs/{org_id}/cars
        globex lists its own cars: 200, its own cars
        acme sends globex's tenant header with its own token: refused

    Source: CWE-807, Reliance on Untrusted Inputs in a Security Decision
    (https://cwe.mitre.org/data/definitions/807.html).
    """
    yield from _selected(sight)
    if sight.bases:
        yield Attempt("address: victim", elsewhere=True)
    told: list[Mapping[Side, Any]] = []
    for identity in sight.identities:
        sides = sight.sides(identity.values)
        if sides not in told:  # it may be the same value under another name
            told.append(sides)
            yield from _guessed(sight, identity.name, sides)


def _selected(sight: Sight) -> Iterator[Attempt]:
    """What the tenants really send to say which of them is meant."""
    for name, values in sight.selectors.items():
        place: Place = "cookie" if name in sight.cookies else "header"
        extra = Extra(place, name, sight.sides(values))
        yield Attempt(f"{place} {name}: victim", extras=(extra,))


def _guessed(sight: Sight, name: str, sides: Mapping[Side, Any]) -> Iterator[Attempt]:
    """Headers and parameters that no description has, and that a framework may read."""
    headers = [Extra("header", one, sides) for one in HEADERS if one not in sight.selectors]
    yield Attempt(f"guessed headers: victim's {name}", extras=tuple(headers))
    known = {one.name for one in sight.operation.parameters}
    names = [one for one in dict.fromkeys((name, *PARAMETERS)) if one not in known]
    parameters = tuple(Extra("query", one, sides) for one in names)
    yield Attempt(f"guessed parameters: victim's {name}", extras=parameters)
    if str(sides["victim"]).replace("-", "").isalnum():
        hosts = {side: f"{value}.example.com" for side, value in sides.items()}
        forged = Extra("header", "X-Forwarded-Host", hosts)
        yield Attempt(f"X-Forwarded-Host: victim's {name}", extras=(forged,))
