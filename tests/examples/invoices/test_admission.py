"""Requests that name no tenant, another's, or two: rejected before anything is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.invoices.pairs import Pair, answer

if TYPE_CHECKING:
    from tests.examples.invoices.houses import House

PATHS = ("/customers", "/invoices", "/export", "/search?q=w", "/quotas", "/members")
SOMEBODY = {"Authorization": "Bearer e30.e30.e30"}


@pytest.mark.parametrize("headers", [{}, SOMEBODY, {"Authorization": "Basic YTpi"}])
def test_without_a_credential_nothing_is_opened(pair: Pair, headers: dict[str, str]) -> None:
    for name in ({}, {"X-Tenant": pair.b.company.slug}, {"X-Tenant": "nobody"}):
        for path in PATHS:
            refused = pair.b.company.client.get(path, headers={**headers, **name})
            assert refused.status_code == 401
            assert pair.b.word not in refused.text


def test_a_user_who_names_no_company_of_several_is_rejected(house: House) -> None:
    company = house.companies(1)[0]  # the second one of its owner
    user = house.logged_in(company.owner)
    for path in PATHS:
        assert house.client.get(path, headers=user).status_code == 403


def test_another_company_is_as_unknown_as_none(pair: Pair) -> None:
    a, b = pair.a.company, pair.b.company
    for path in PATHS:
        there, nowhere = (
            a.client.get(path, headers={**a.headers, "X-Tenant": slug})
            for slug in (b.slug, f"{b.slug}x")
        )
        assert there.status_code == nowhere.status_code == 404
        assert answer(there) == answer(nowhere)
        assert a.client.get(path, headers={**a.headers, "X-Tenant": a.slug}).status_code == 200


def test_another_company_s_own_address_is_too(pair: Pair) -> None:
    a, b = pair.a.company, pair.b.company
    for path in PATHS:
        there, nowhere, home = (
            a.client.get(path, headers={**a.headers, "Host": f"{slug}.invoices.test"})
            for slug in (b.slug, f"{b.slug}x", a.slug)
        )
        assert there.status_code == nowhere.status_code == 404
        assert answer(there) == answer(nowhere)
        assert home.status_code == 200


def test_two_places_that_disagree_are_refused(pair: Pair) -> None:
    a, b = pair.a.company, pair.b.company
    for other in (b.slug, "nobody"):
        said = {**a.headers, "X-Tenant": other, "Host": f"{a.slug}.invoices.test"}
        assert a.client.get("/customers", headers=said).status_code == 400


@pytest.mark.parametrize("house", ["files"], indirect=True)
def test_a_member_may_write_and_a_key_no_more_than_it_was_given(house: House) -> None:
    company, guest = house.company(), house.company()
    said = {"email": f"{guest.owner}@example.com"}
    invited = company.made("/invitations", said)
    accepted = guest.send("POST", "/invitations/accept", {"token": invited["token"]})
    assert accepted.status_code == 200, accepted.text
    switched = guest.send("POST", "/switch-tenant", {"tenant": company.slug}).json()
    customer = {"name": "Ann", "email": "ann@example.com"}
    member = {"Authorization": f"Bearer {switched['access_token']}"}
    assert house.client.post("/customers", json=customer, headers=member).status_code == 201

    made = company.made("/api-keys", {"name": "reader", "permissions": ["tenant:read"]})
    key = {"Authorization": f"Bearer {made['secret']}"}
    assert len(house.client.get("/customers", headers=key).json()) == 1
    assert house.client.post("/customers", json=customer, headers=key).status_code == 403
    elsewhere = {**key, "X-Tenant": guest.slug}
    assert house.client.get("/customers", headers=elsewhere).status_code == 404
