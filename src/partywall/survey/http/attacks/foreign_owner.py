"""Attack: a field of the body that says whose the object is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Extra, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW308",
    effect="write",
    fix="take the tenant and the owner from the caller's credential; refuse or ignore them in a "
    "body",
)
def foreign_owner(sight: Sight) -> Iterator[Attempt]:
    """Write with another tenant's id in a field that says whose the object is (mass assignment).

    A body that is copied into the object as it comes sets fields that no form shows: ``tenant_id``,
    ``owner_id``, ``workspace_id``. The object appears at, or moves to, another tenant.

    Affected:
        APIs that fill objects from a body, field by field.

    Breaches:
        faults/owner_on_create: POST /leads
        globex makes a lead of its own: 201
        acme makes one with globex's id in it: 201, and globex finds it among its own

    Holds:
        sound/header_checked: POST /orgs/{org_id}/cars
        globex makes a car of its own: 201
        acme makes one with globex's id in it: it is acme's, and globex has no more than before

    Source: OWASP API Security Top 10 2023, API3 Broken Object Property Level Authorization
    (https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/).
    """
    if sight.operation.method not in {"POST", "PUT", "PATCH"} or not sight.operation.payloads:
        return
    taken = {slot.path for slot in sight.at("body")}
    for identity in sight.identities:
        if (identity.name,) not in taken:
            extra = Extra("body", identity.name, sight.sides(identity.values))
            yield Attempt(f"body {identity.name}: victim", extras=(extra,))
