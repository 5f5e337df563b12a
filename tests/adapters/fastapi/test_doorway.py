"""From the sign-up to the first request, over HTTP, and what can go wrong on the way."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from partywall.control import memberships, tenants, users
from tests.adapters.fastapi.office import PASSWORD, Waiting, newcomer, staffed, until
from tests.adapters.fastapi.town import PEOPLE, TENANTS, TOKENS, Town


@pytest.fixture(scope="module")
def engine(town: Town) -> Waiting:
    engine = Waiting()
    town.plane.works = engine
    return engine


@pytest.fixture(scope="module")
def client(town: Town, engine: Waiting) -> Iterator[httpx.Client]:
    del engine
    with staffed(town) as client:
        yield client


@pytest.fixture(scope="module")
def pat(town: Town) -> str:
    return newcomer(town)


def test_from_the_sign_up_to_the_first_request(
    client: httpx.Client, town: Town, engine: Waiting
) -> None:
    company = {
        "slug": "hooli", "name": "Hooli", "email": "gavin@example.com", "password": PASSWORD,
    }  # fmt: skip
    made = client.post("/sign-up", json=company)
    assert made.status_code == 202, made.text
    assert made.json()["tenant"]["status"] == "provisioning"
    work = made.json()["work_id"]
    assert engine.works[-1] == work
    who = {"email": "gavin@example.com", "password": PASSWORD}
    first = client.post("/log-in", json=who).json()
    assert first["tenant"] is None
    assert [seat["status"] for seat in first["tenants"]] == ["provisioning"]
    only_who = {"Authorization": f"Bearer {first['access_token']}"}
    assert client.get(f"/works/{work}", headers=only_who).json()["state"] == "begun"
    assert client.get(f"/works/{work}", headers=town.bearer("ann", "acme")).status_code == 404
    assert client.get(f"/works/{uuid4()}", headers=only_who).status_code == 404
    assert client.get("/tenant", headers=only_who).status_code == 403
    early = client.post("/switch-tenant", json={"tenant": "hooli"}, headers=only_who)
    assert (early.status_code, early.headers["retry-after"]) == (503, "5")
    with town.plane.database.begin() as connection:
        tenants.set_status(connection, made.json()["tenant"]["id"], "active")
    second = client.post("/log-in", json=who).json()
    assert second["tenant"] == "hooli"
    assert 0 < second["expires_in"] <= 900
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert until(client, "/tenant", headers, 200).json()["slug"] == "hooli"
    again = client.post("/sign-up", json=company | {"email": "other@example.com"})
    assert again.status_code == 409
    with town.plane.database.reading() as connection:
        assert users.by_email(connection, "other@example.com") is None


def test_a_sign_up_whose_work_can_t_start_leaves_nothing(
    client: httpx.Client, town: Town, engine: Waiting
) -> None:
    engine.broken = True
    company = {"slug": "nothing", "name": "N", "email": "none@example.com", "password": PASSWORD}
    told = client.post("/sign-up", json=company)
    engine.broken = False
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "10.0.0.7" not in told.text
    with town.plane.database.reading() as connection:
        assert users.by_email(connection, "none@example.com") is None
        assert tenants.by_slug(connection, "nothing") is None


@pytest.mark.parametrize(
    "wrong",
    [{"slug": "www"}, {"slug": "Not A Slug"}, {"email": "x@y"}, {"password": ""}, {"more": 1}],
)
def test_a_sign_up_that_can_t_be(
    client: httpx.Client, town: Town, wrong: dict[str, object]
) -> None:
    town.database.execute("DELETE FROM partywall.attempts")
    company = {"slug": "wrong-one", "name": "N", "email": "w@example.com", "password": PASSWORD}
    told = client.post("/sign-up", json=company | wrong)
    assert told.status_code == 422, told.text
    assert PASSWORD not in told.text


def test_sign_ups_are_limited(client: httpx.Client, town: Town) -> None:
    town.database.execute("DELETE FROM partywall.attempts")
    company = {"slug": "www", "name": "N", "email": "w@example.com", "password": PASSWORD}
    answers = [client.post("/sign-up", json=company) for _ in range(8)]
    assert [told.status_code for told in answers][-1] == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3600
    town.database.execute("DELETE FROM partywall.attempts")


def test_logging_in(client: httpx.Client, town: Town, pat: str) -> None:
    who = {"email": "pat@example.com", "password": PASSWORD}
    told = client.post("/log-in", json=who)
    assert told.json()["tenant"] is None
    assert TOKENS.verified(told.json()["access_token"]).user_id == pat
    elsewhere = [client.post("/log-in", json=who | {"tenant": t}) for t in ("acme", "unknown")]
    assert [each.status_code for each in elsewhere] == [404, 404]
    assert elsewhere[0].content == elsewhere[1].content
    wrong = [
        client.post("/log-in", json=who | change)
        for change in ({"password": "wrong"}, {"email": "nobody@else.com"}, {"email": "?" * 9})
    ]
    assert {each.status_code for each in wrong} == {401}
    assert len({each.content for each in wrong}) == 1
    town.database.execute(f"UPDATE partywall.users SET disabled_at = now() WHERE id = '{pat}'")
    assert client.post("/log-in", json=who).status_code == 401
    headers = {"Authorization": f"Bearer {told.json()['access_token']}"}
    assert client.get("/me", headers=headers).status_code == 401
    town.database.execute(f"UPDATE partywall.users SET disabled_at = NULL WHERE id = '{pat}'")


def test_another_tenant_of_one_s_own(client: httpx.Client, town: Town) -> None:
    headers = town.bearer("both", "acme")
    told = client.post("/switch-tenant", json={"tenant": "globex"}, headers=headers).json()
    assert told["tenant"] == "globex"
    other = {"Authorization": f"Bearer {told['access_token']}"}
    assert client.get("/tenant", headers=other).json()["slug"] == "globex"
    for slug in ("sleepy", "unknown"):
        answer = client.post("/switch-tenant", json={"tenant": slug}, headers=headers)
        assert answer.status_code == 404
    me = client.get("/me", headers=headers).json()
    assert [seat["slug"] for seat in me["tenants"]] == sorted(PEOPLE["both"])
    key = {"Authorization": f"Bearer {town.secret}"}
    assert client.post("/switch-tenant", json={"tenant": "acme"}, headers=key).status_code == 403
    sue = client.post("/switch-tenant", json={"tenant": "sleepy"}, headers=town.bearer("sue"))
    assert sue.status_code == 403


def test_who_is_invited_and_no_user_yet(client: httpx.Client, town: Town, pat: str) -> None:
    town.database.execute("DELETE FROM partywall.attempts")
    ann = town.bearer("ann", "acme")
    invited = {}
    for name in ("new", "pat"):
        given = {"email": f"{name}@example.com"}
        invited[name] = client.post("/invitations", json=given, headers=ann).json()
    said = {"token": invited["new"]["token"], "password": PASSWORD, "name": "New"}
    assert client.post("/invitations/join", json=said | {"token": "x"}).status_code == 404
    assert client.post("/invitations/join", json=said | {"password": "x"}).status_code == 422
    assert client.post("/invitations/join", json=said | {"role": "owner"}).status_code == 422
    known = client.post("/invitations/join", json=said | {"token": invited["pat"]["token"]})
    assert known.status_code == 409  # who has an account logs in with it
    with town.plane.database.reading() as connection:
        assert memberships.get(connection, TENANTS["acme"][0], pat) is None
    seat = client.post("/invitations/join", json=said)
    assert (seat.status_code, seat.json()["slug"], seat.json()["role"]) == (201, "acme", "member")
    assert client.post("/invitations/join", json=said).status_code == 404
    who = {"email": "new@example.com", "password": PASSWORD}
    assert client.post("/log-in", json=who).json()["tenant"] == "acme"
    last = [client.post("/invitations/join", json=said).status_code for _ in range(2)]
    assert last == [404, 429]
    town.database.execute("DELETE FROM partywall.attempts")


def test_the_keys_of_tokens(client: httpx.Client) -> None:
    told = client.get("/.well-known/jwks.json").json()
    assert told == TOKENS.jwks()
    assert "d" not in told["keys"][0]
