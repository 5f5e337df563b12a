"""The control plane's endpoints of a tenant and of administrators, over HTTP."""

import datetime as dt
import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from partywall.control import administration, roles
from partywall.control.audit import verify_export
from partywall.control.database import now
from partywall.control.quotas import set_limit
from tests.adapters.fastapi.office import Waiting, logged, newcomer, staffed, until
from tests.adapters.fastapi.town import BASE, TENANTS, TOKENS, Town


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


def test_members(client: httpx.Client, town: Town, pat: str) -> None:
    owner, admin = town.bearer("ann", "acme"), town.bearer("both", "acme")
    plain = town.bearer("al", "acme")
    emails = {each["email"] for each in client.get("/members", headers=plain).json()}
    assert emails == {"ann@example.com", "al@example.com", "both@example.com"}
    made = client.post(
        "/invitations", json={"email": "pat@example.com", "role": "admin"}, headers=admin
    )
    assert made.status_code == 201, made.text
    shown = client.get("/invitations", headers=plain).json()
    assert [each["email"] for each in shown] == ["pat@example.com"]
    token = made.json()["token"]
    assert token not in json.dumps(shown)
    pats = {"Authorization": f"Bearer {TOKENS.issue(pat, '', 0)}"}
    said = {"token": token}
    assert client.post("/invitations/accept", json=said, headers=plain).status_code == 404
    seat = client.post("/invitations/accept", json=said, headers=pats)
    assert (seat.json()["slug"], seat.json()["role"]) == ("acme", "admin")
    assert client.post("/invitations/accept", json=said, headers=pats).status_code == 404
    entered = client.post("/switch-tenant", json={"tenant": "acme"}, headers=pats).json()
    inside = {"Authorization": f"Bearer {entered['access_token']}"}
    assert client.get("/members", headers=inside).status_code == 200

    change = client.patch(f"/members/{pat}", json={"role": "member"}, headers=owner)
    assert change.status_code == 204
    until(client, "/members", inside, 401)  # the token was of the role before
    assert client.delete(f"/members/{pat}", headers=plain).status_code == 403
    assert client.delete(f"/members/{pat}", headers=admin).status_code == 204
    until(client, "/members", inside, 404)
    assert client.delete(f"/members/{pat}", headers=admin).status_code == 404
    seen = {"invitation.made", "invitation.accepted", "member.role_changed", "member.removed"}
    assert seen <= logged(town, "acme")


def test_nobody_gives_or_takes_more_than_he_has(client: httpx.Client, town: Town) -> None:
    admin, ann, al = town.bearer("both", "acme"), town.ids["ann"], town.ids["al"]
    refused = [
        client.patch(f"/members/{al}", json={"role": "owner"}, headers=admin),
        client.patch(f"/members/{ann}", json={"role": "member"}, headers=admin),
        client.delete(f"/members/{ann}", headers=admin),
        client.post(
            "/invitations", json={"email": "x@example.com", "role": "owner"}, headers=admin
        ),
        client.post(
            "/api-keys", json={"name": "k", "permissions": ["secrets:read"]}, headers=admin
        ),
    ]
    assert [each.status_code for each in refused] == [403] * 5
    owner = town.bearer("ann", "acme")
    last = client.patch(f"/members/{ann}", json={"role": "member"}, headers=owner)
    assert last.status_code == 409
    assert client.delete(f"/members/{ann}", headers=owner).status_code == 409


def test_an_owner_s_key_gives_no_more_than_it_may(client: httpx.Client, town: Town) -> None:
    owner = town.bearer("ann", "acme")
    may = ["invitations:write", "members:write", "api_keys:write", "members:read"]
    made = client.post("/api-keys", json={"name": "hr", "permissions": may}, headers=owner).json()
    key = {"Authorization": f"Bearer {made['secret']}"}
    assert client.get("/members", headers=key).status_code == 200
    refused = [
        client.post("/invitations", json={"email": "x@example.com", "role": "owner"}, headers=key),
        client.post("/invitations", json={"email": "x@example.com", "role": "admin"}, headers=key),
        client.post("/api-keys", json={"name": "k", "permissions": ["audit:read"]}, headers=key),
        client.patch(f"/members/{town.ids['al']}", json={"role": "owner"}, headers=key),
    ]
    assert [each.status_code for each in refused] == [403] * 4
    shown = client.get("/api-keys", headers=owner).json()
    assert made["secret"] not in json.dumps(shown)
    assert {each["name"] for each in shown} == {"ci", "hr"}
    assert client.delete(f"/api-keys/{made['id']}", headers=owner).status_code == 204
    until(client, "/members", key, 401)
    assert client.delete(f"/api-keys/{made['id']}", headers=owner).status_code == 404
    assert {"api_key.made", "api_key.revoked"} <= logged(town, "acme")


def test_leaving(client: httpx.Client, town: Town) -> None:
    bob = town.bearer("bob", "globex")
    assert client.delete(f"/members/{town.ids['bob']}", headers=bob).status_code == 409
    with town.plane.database.begin() as connection:
        roles.define(connection, TENANTS["globex"][0], "guest", [])
    both = town.ids["both"]
    assert client.patch(f"/members/{both}", json={"role": "guest"}, headers=bob).status_code == 204
    guest = town.bearer("both", "globex", 2)
    until(client, "/members", guest, 403)
    assert client.delete(f"/members/{town.ids['bob']}", headers=guest).status_code == 403
    assert client.delete(f"/members/{both}", headers=guest).status_code == 204
    assert "member.left" in logged(town, "globex")


def test_what_is_another_tenant_s_is_not_there(client: httpx.Client, town: Town) -> None:
    ann, bob = town.bearer("ann", "acme"), town.bearer("bob", "globex")
    invited = client.post("/invitations", json={"email": "i@example.com"}, headers=ann).json()
    key = client.post("/api-keys", json={"name": "k", "permissions": ["a:b"]}, headers=ann).json()
    assert client.post("/domains", json={"name": "acme-shop.com"}, headers=ann).status_code == 201
    elsewhere = [
        client.delete(f"/invitations/{invited['id']}", headers=bob),
        client.delete(f"/api-keys/{key['id']}", headers=bob),
        client.delete(f"/members/{town.ids['al']}", headers=bob),
        client.patch(f"/members/{town.ids['al']}", json={"role": "admin"}, headers=bob),
        client.delete("/domains/acme-shop.com", headers=bob),
        client.post("/domains/acme-shop.com/verify", headers=bob),
        client.delete(f"/invitations/{uuid4()}", headers=bob),
        client.delete("/domains/nobodys-shop.com", headers=bob),
    ]
    assert {each.status_code for each in elsewhere} == {404}
    assert len({each.content for each in elsewhere}) == 1
    assert client.delete(f"/invitations/{invited['id']}", headers=ann).status_code == 204
    assert client.delete(f"/api-keys/{key['id']}", headers=ann).status_code == 204


def test_domains(client: httpx.Client, town: Town) -> None:
    admin, plain = town.bearer("both", "acme"), town.bearer("al", "acme")
    told = client.post("/domains", json={"name": "Bücher-acme.com"}, headers=admin).json()
    assert told["name"] == "xn--bcher-acme-9db.com"
    assert told["verified_at"] is None
    assert told["record_name"].endswith(told["name"])
    for own in (BASE, f"shop.{BASE}"):
        refused = client.post("/domains", json={"name": own}, headers=admin)
        assert refused.status_code == 422, own
    assert client.post("/domains", json={"name": "x.com"}, headers=plain).status_code == 403
    assert client.get("/domains", headers=plain).status_code == 403
    names = {each["name"] for each in client.get("/domains", headers=admin).json()}
    assert told["name"] in names
    assert client.delete(f"/domains/{told['name']}", headers=admin).status_code == 204
    assert {"domain.claimed", "domain.removed"} <= logged(town, "acme")


def test_the_tenant_itself(client: httpx.Client, town: Town) -> None:
    admin, plain = town.bearer("both", "acme"), town.bearer("al", "acme")
    change = {"name": "Acme Ltd", "settings": {"colour": "red"}}
    assert client.patch("/tenant", json=change, headers=plain).status_code == 403
    assert client.patch("/tenant", json=change, headers=admin).json()["name"] == "Acme Ltd"
    assert client.get("/tenant", headers=plain).json()["settings"] == {"colour": "red"}
    assert client.patch("/tenant", json={"status": "x"}, headers=admin).status_code == 422
    with town.plane.database.begin() as connection:
        set_limit(connection, TENANTS["acme"][0], "rows", 10)
    rows = [each for each in client.get("/quotas", headers=admin).json() if each["kind"] == "rows"]
    assert rows == [{"kind": "rows", "limit": 10, "used": 0}]
    assert client.get("/quotas", headers=plain).status_code == 403


def test_the_audit_log(client: httpx.Client, town: Town) -> None:
    admin = town.bearer("both", "acme")
    for _ in range(2):
        assert client.patch("/tenant", json={"name": "Acme"}, headers=admin).status_code == 200
    first = client.get("/log?limit=1", headers=admin).json()
    assert [entry["number"] for entry in first] == [1]
    assert client.get("/log?after=1&limit=1", headers=admin).json()[0]["number"] == 2
    exported = client.get("/log/export", headers=admin).text.splitlines()
    assert verify_export(exported).broken_at is None
    assert len(exported) == len(town.logged("acme"))
    assert client.get("/log", headers=town.bearer("al", "acme")).status_code == 403


def test_administrators(client: httpx.Client, town: Town, pat: str, engine: Waiting) -> None:
    pats = {"Authorization": f"Bearer {TOKENS.issue(pat, '', 0)}"}
    acme, because = TENANTS["acme"][0], {"reason": "ticket 7: can't print"}
    paths = [f"/admin/tenants/{acme}/{what}" for what in ("enter", "suspend", "resume")]
    paths += [f"/admin/tenants/{uuid4()}/enter"]
    strangers = [client.post(path, json=because, headers=pats) for path in paths]
    strangers += [client.get("/admin/tenants", headers=pats)]
    strangers += [client.post(f"/admin/tenants/{acme}/remove", headers=pats)]
    assert {each.status_code for each in strangers} == {403}

    with town.plane.database.begin() as connection:
        administration.appoint(connection, pat, ["10.0.0.0/8"])
    assert client.post(paths[0], json=because, headers=pats).status_code == 403
    with town.plane.database.begin() as connection:
        assert administration.granted(connection, user_id=pat) == []
        administration.appoint(connection, pat, ["127.0.0.0/8"])
    assert client.post(paths[1], json=because, headers=pats).status_code == 403  # not entered yet
    assert client.post(paths[0], json={"reason": " "}, headers=pats).status_code == 422
    entered = client.post(paths[0], json=because, headers=pats)
    assert entered.status_code == 201, entered.text
    inside = {"Authorization": f"Bearer {entered.json()['access_token']}"}
    assert client.get("/members", headers=inside).status_code == 200
    key = {"name": "k", "permissions": ["a:b"]}
    assert client.post("/api-keys", json=key, headers=inside).status_code == 403

    assert client.post(paths[1], json=because, headers=pats).json()["status"] == "suspended"
    until(client, "/tenant", town.bearer("al", "acme"), 403)
    assert client.post(paths[2], json=because, headers=pats).json()["status"] == "active"
    until(client, "/tenant", town.bearer("al", "acme"), 200)
    work = client.post(f"/admin/tenants/{acme}/remove", headers=pats)
    assert (work.status_code, work.json()["work_id"]) == (202, engine.works[-1])
    until(client, "/tenant", town.bearer("al", "acme"), 403)
    assert client.post(f"/admin/tenants/{acme}/keep", headers=pats).json()["status"] == "active"
    assert client.post(f"/admin/tenants/{acme}/retry", headers=pats).status_code == 409
    assert client.get("/admin/tenants", headers=pats).status_code == 403  # that needs a wider grant
    with town.plane.database.begin() as connection:
        administration.grant(
            connection, pat, None, reason="all", until=now() + dt.timedelta(minutes=1)
        )
    assert acme in {each["id"] for each in client.get("/admin/tenants", headers=pats).json()}
    seen = {"administration.granted", "administration.used", "tenant.suspended", "tenant.resumed"}
    assert seen <= logged(town, "acme")


def test_no_endpoint_is_open_by_accident(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    open_to_all = {
        ("/sign-up", "post"), ("/invitations/join", "post"), ("/log-in", "post"),
        ("/.well-known/jwks.json", "get"),
    }  # fmt: skip
    for path, methods in schema["paths"].items():
        for method in methods:
            where = path.replace("{", "").replace("}", "")
            where = where.replace("user_id", str(uuid4())).replace("tenant_id", str(uuid4()))
            for name in ("work_id", "key_id", "invitation_id"):
                where = where.replace(name, str(uuid4()))
            told = client.request(method, where)
            wanted = (path, method) in open_to_all
            assert (told.status_code in {200, 422}) == wanted, (method, path)
            assert wanted or told.status_code == 401, (method, path)


def test_a_client_s_own_text_is_no_sql(client: httpx.Client, town: Town) -> None:
    headers = town.bearer("ann", "acme")
    text_of = "x'; DROP TABLE partywall.tenants; --"
    client.patch("/tenant", json={"name": text_of}, headers=headers)
    assert client.get("/tenant", headers=headers).json()["name"] == text_of
    with town.plane.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM partywall.tenants")).scalar_one() > 4
