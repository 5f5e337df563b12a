"""Requests that name no tenant, another's, or two: rejected before anything is opened."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.examples.invoices.pairs import NOT_FOUND, Pair
from tests.examples.invoices.wire import raw

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


@pytest.mark.parametrize("place", ["X-Tenant", "Host"])
def test_another_company_is_as_unknown_as_none(pair: Pair, place: str) -> None:
    a, b = pair.a.company, pair.b.company
    end = ".invoices.test" if place == "Host" else ""
    for path in PATHS:
        there, nowhere, home = (
            raw(a.client.build_request("GET", path, headers={**a.headers, place: slug + end}))
            for slug in (b.slug, f"{b.slug}x", a.slug)
        )
        assert there.startswith(NOT_FOUND)
        assert there == nowhere
        assert home.startswith(b"HTTP/1.1 200 OK\r\n")


def test_header_address_and_membership(house: House, pair: Pair) -> None:
    """Every combination: where a company is named, twice perhaps, and who asks."""
    one, other = house.companies(2)
    word = {one.slug: one.word, other.slug: other.word}
    for company in (one, other):
        company.made("/customers", {"name": company.word, "email": "x@example.com"})
    names = (None, one.slug, other.slug, "nobody")
    callers = {
        "nobody": ({}, None),
        "who has chosen none": (house.logged_in(one.owner), None),
        "the owner in one": (one.headers, one.slug),
        "the owner in the other": (other.headers, other.slug),
        "a stranger": (pair.a.company.headers, pair.a.company.slug),
    }
    seen = set()
    for header, address, caller in itertools.product(names, names, callers):
        credentials, home = callers[caller]
        said = credentials | ({"X-Tenant": header} if header else {})
        said |= {"Host": f"{address}.invoices.test"} if address else {}
        answer = house.client.get("/customers", headers=said)
        named = {name for name in (header, address) if name}
        status = admitted(caller, home, named)
        assert answer.status_code == status, (header, address, caller)
        found = {slug for slug in word if word[slug] in answer.text}
        assert found == ({home} & word.keys() if status == 200 else set())
        seen.add((status, len(named)))
    assert len(seen) == 10


def admitted(caller: str, home: str | None, named: set[str]) -> int:
    """What the rules say: a token opens one company, which a request may name, and no other."""
    if home is None:
        return 401 if caller == "nobody" else 403
    if len(named) > 1:
        return 400
    return 200 if named <= {home} else 404


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
