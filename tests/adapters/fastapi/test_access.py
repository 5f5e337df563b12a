"""Who gets in, and what everybody else is told, over HTTP."""

import datetime as dt
import statistics
import time
from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket
from sqlalchemy import text

from partywall import AsyncTenantSession, TenantContext
from partywall.adapters.fastapi import (
    CustomDomain,
    Header,
    OnlyMembership,
    PathParam,
    Principal,
    Subdomain,
    TenantAccess,
    public,
)
from partywall.adapters.fastapi.authenticating import ADMINISTRATOR
from partywall.control import administration
from partywall.control.database import announce, now
from partywall.control.tokens import SigningKey, Tokens
from partywall.errors import ConfigurationError
from tests.adapters.fastapi.town import BASE, TENANTS, TOKENS, Town, serving

ONE = text("SELECT body FROM notes WHERE id = :id")


def application(town: Town) -> tuple[FastAPI, TenantAccess]:
    """Notes of tenants, behind every source."""
    access = TenantAccess(
        town.tenancy,
        town.plane,
        resolve=[Subdomain(BASE), CustomDomain(), Header(), PathParam(), OnlyMembership()],
    )
    app = FastAPI()
    given = Annotated[TenantContext, Depends(access)]
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]

    @app.get("/here")
    async def here(context: given) -> dict[str, object]:
        return {"tenant": context.tenant_id, "roles": context.roles, "may": context.permissions}

    @app.get("/t/{tenant}/here")
    async def there(tenant: str, context: given) -> str:
        del tenant
        return context.tenant_id

    @app.get("/notes/{id}")
    async def note(id: int, session: aio) -> str:  # noqa: A002 - the parameter's name
        found = await session.scalar(ONE, {"id": id})
        if found is None:
            raise HTTPException(404, f"there is no note {id} in your list")
        return str(found)

    @app.get("/secret", dependencies=[Depends(access.requires("notes:read", "secrets:read"))])
    async def secret() -> str:
        return "secret"

    @app.get("/notes", dependencies=[Depends(access.requires("notes:read"))])
    async def notes() -> str:
        return "notes"

    @app.get("/who")
    @public
    async def who(user: Annotated[Principal, Depends(access.user)]) -> str:
        return user.user_id

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, context: given) -> None:
        await websocket.accept()
        await websocket.send_text(context.tenant_id)

    access.protect(app)
    return app, access


@pytest.fixture(scope="module")
def served(town: Town) -> Iterator[tuple[httpx.Client, TenantAccess]]:
    app, access = application(town)
    with serving(app) as client:
        yield client, access


@pytest.fixture
def client(served: tuple[httpx.Client, TenantAccess]) -> httpx.Client:
    return served[0]


def bare(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """An answer to the byte, without the date that the server adds."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    return answer.status_code, answer.content, headers


def test_what_the_context_says(client: httpx.Client, town: Town) -> None:
    answer = client.get("/here", headers=town.bearer("both", "globex"))
    tenant = TENANTS["globex"][0]
    assert answer.json() == {"tenant": tenant, "roles": ["member"], "may": answer.json()["may"]}


def test_every_stranger_gets_the_same_404(client: httpx.Client, town: Town) -> None:
    ann = town.bearer("ann", "acme")
    asked = {
        "another tenant's header": ("/here", ann | {"X-Tenant": "globex"}),
        "an unknown header": ("/here", ann | {"X-Tenant": "unknown"}),
        "a header that is no slug": ("/here", ann | {"X-Tenant": "%%"}),
        "another tenant's path": ("/t/globex/here", ann),
        "an unknown path": ("/t/unknown/here", ann),
        "another tenant's subdomain": ("/here", ann | {"Host": f"globex.{BASE}"}),
        "an unknown subdomain": ("/here", ann | {"Host": f"unknown.{BASE}"}),
        "another tenant's domain": ("/here", ann | {"Host": "globex.test"}),
        "a suspended tenant": ("/here", ann | {"X-Tenant": "sleepy"}),
        "a new tenant": ("/here", ann | {"X-Tenant": "fresh"}),
        "another tenant's, of which one is a member": (
            "/here",
            town.bearer("both", "acme") | {"X-Tenant": "globex"},
        ),
        "an ended membership": ("/here", town.bearer("nobody", "acme")),
        "no such note": ("/notes/77", ann),
        "another tenant's note": ("/notes/88", ann),
        "no such route": ("/elsewhere", ann),
        "an API key of another tenant": (
            "/here",
            {"Authorization": f"Bearer {town.secret}", "X-Tenant": "globex"},
        ),
    }
    town.database.execute(f"INSERT INTO notes VALUES ('{TENANTS['globex'][0]}', 88, 'globex''s')")
    answers = {
        what: bare(client.get(path, headers=headers)) for what, (path, headers) in asked.items()
    }
    first = answers["no such route"]
    assert first[0] == 404
    assert first[1] == b'{"type":"about:blank","title":"Not Found","status":404}'
    assert {what for what, answer in answers.items() if answer != first} == set()


def spread_s(client: httpx.Client, headers: dict[str, str]) -> float:
    """By how much the time that each 404 takes differs; the lower quartile of each."""
    spent: dict[str, list[float]] = {"globex": [], "unknown": [], "sleepy": []}
    for _ in range(80):
        for slug, times in spent.items():
            begun = time.perf_counter()
            assert client.get("/here", headers=headers | {"X-Tenant": slug}).status_code == 404
            times.append(time.perf_counter() - begun)
    quartiles = [statistics.quantiles(times)[0] for times in spent.values()]
    return max(quartiles) - min(quartiles)


def test_a_stranger_can_t_tell_by_the_clock(client: httpx.Client, town: Town) -> None:
    ann = town.bearer("ann", "acme")
    # What is systematic is there each time, what others do on this machine is not.
    assert any(spread_s(client, ann) < 0.001 for _ in range(5))


@pytest.mark.parametrize(
    ("slug", "status", "again"), [("sleepy", 403, None), ("fresh", 503, "5"), ("broken", 503, "5")]
)
def test_members_are_told_why(
    client: httpx.Client, town: Town, slug: str, status: int, again: str | None
) -> None:
    answer = client.get("/here", headers=town.bearer("sue", slug) | {"X-Tenant": slug})
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == again
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


OTHERS = Tokens([SigningKey.generate("first")], issuer="https://example.com", audience="test")
BAD = {
    "none": "",
    "basic": "Basic YTpi",
    "no token": "Bearer",
    "no token at all": "Bearer x.y.z",
    "signed by another key": f"Bearer {OTHERS.issue('u', 't', 1)}",
    "an unknown API key": "Bearer pw_" + "z" * 43,
    "not ASCII": "Bearer \u00e9",
}


@pytest.mark.parametrize("what", BAD)
def test_who_is_not_authenticated(client: httpx.Client, what: str) -> None:
    given = [(b"Authorization", BAD[what].encode("latin-1"))] if BAD[what] else []
    for tenant in (b"acme", b"unknown"):
        answer = client.get("/here", headers=[*given, (b"X-Tenant", tenant)])
        assert answer.status_code == 401
        error = ' error="invalid_token"' if given else ""
        assert answer.headers["www-authenticate"] == f"Bearer{error}"
        assert answer.json()["title"] == "Unauthorized"


def test_two_credentials_are_none(client: httpx.Client, town: Town) -> None:
    headers = [*town.bearer("ann", "acme").items(), *town.bearer("bob", "globex").items()]
    assert client.get("/here", headers=headers).status_code == 401


def test_a_token_of_an_earlier_membership(client: httpx.Client, town: Town) -> None:
    assert client.get("/here", headers=town.bearer("al", "acme", 1)).status_code == 200
    for version in (2, 3):
        assert client.get("/here", headers=town.bearer("al", "acme", version)).status_code == 401


def test_a_membership_that_ends_ends_at_once(client: httpx.Client, town: Town) -> None:
    headers = town.bearer("both", "acme")
    assert client.get("/here", headers=headers).status_code == 200
    row = f"tenant_id = '{TENANTS['acme'][0]}' AND user_id = '{town.ids['both']}'"
    for ended, status in (("now()", 404), ("NULL", 200)):
        with town.plane.database.begin() as connection:
            change = f"UPDATE partywall.memberships SET ended_at = {ended} WHERE {row}"
            connection.execute(text(change))
            announce(connection, f"user:{town.ids['both']}")
        end = time.monotonic() + 2
        while client.get("/here", headers=headers).status_code != status:
            assert time.monotonic() < end
            time.sleep(0.005)


def test_a_token_that_only_says_who_somebody_is(client: httpx.Client, town: Town) -> None:
    headers = town.bearer("ann")
    assert client.get("/who", headers=headers).json() == town.ids["ann"]
    for tenant in ("acme", "globex", "unknown"):
        answer = client.get("/here", headers=headers | {"X-Tenant": tenant})
        assert answer.status_code == 403, tenant


def test_an_api_key_acts_in_its_tenant_alone(client: httpx.Client, town: Town) -> None:
    headers = {"Authorization": f"Bearer {town.secret}"}
    said = client.get("/here", headers=headers).json()
    assert said == {"tenant": TENANTS["acme"][0], "roles": ["owner"], "may": ["notes:read"]}
    assert client.get("/notes", headers=headers).status_code == 200
    assert client.get("/secret", headers=headers).status_code == 403
    assert client.get("/who", headers=headers).status_code == 403


def test_permissions(client: httpx.Client, town: Town) -> None:
    owner, admin = town.bearer("ann", "acme"), town.bearer("both", "acme")
    assert client.get("/secret", headers=owner).json() == "secret"
    answer = client.get("/secret", headers=admin)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "this needs the permission notes:read, secrets:read"
    assert client.get("/secret", headers=admin | {"X-Tenant": "globex"}).status_code == 404


def test_requires_wants_a_permission(served: tuple[httpx.Client, TenantAccess]) -> None:
    for names in ((), ("",), ("a:b", "")):
        with pytest.raises(ConfigurationError, match="permission"):
            served[1].requires(*names)


def test_denied_attempts_are_in_both_logs(town: Town) -> None:
    app, _ = application(town)
    ann = town.ids["ann"]
    with serving(app) as client:
        headers = town.bearer("ann", "acme")
        before = {slug: len(town.logged(slug)) for slug in ("acme", "globex")}
        for slug in ("globex", "unknown", "globex"):
            client.get("/here", headers=headers | {"X-Tenant": slug})
        end = time.monotonic() + 5
        while len(town.logged("globex")) == before["globex"] and time.monotonic() < end:
            time.sleep(0.01)
    home, tried = (town.logged(slug)[before[slug] :] for slug in ("acme", "globex"))
    assert {(actor, action) for actor, action, _ in home + tried} == {(ann, "access.denied")}
    assert sum(int(str(detail["times"])) for *_, detail in home) == 3
    assert sum(int(str(detail["times"])) for *_, detail in tried) == 2
    assert {str(detail["by"]) for *_, detail in home + tried} == {"header"}
    assert "asked" not in tried[0][2]
    acme = TENANTS["acme"][0]
    assert acme not in str(tried)
    assert len(tried) <= 2


def test_what_a_home_log_says_does_not_depend_on_who_exists(town: Town) -> None:
    said = []
    for slug in ("globex", "unknown"):
        app, _ = application(town)
        before = len(town.logged("acme"))
        with serving(app) as client:
            client.get("/here", headers=town.bearer("al", "acme") | {"X-Tenant": slug})
        said.append([
            (actor, action, detail | {"asked": ""})
            for actor, action, detail in town.logged("acme")[before:]
        ])  # fmt: skip
    assert said[0] == said[1]
    assert len(said[0]) == 1


def test_a_flood_of_attempts_is_counted(town: Town) -> None:
    app, _ = application(town)
    before = len(town.logged("globex"))
    with serving(app) as client:
        headers = town.bearer("al", "acme") | {"X-Tenant": "globex"}
        for _ in range(200):
            client.get("/here", headers=headers)
    entries = town.logged("globex")[before:]
    assert len(entries) <= 2
    assert sum(int(str(detail["times"])) for *_, detail in entries) == 200


def test_an_administrator_enters_under_a_grant(client: httpx.Client, town: Town) -> None:
    user, acme = town.ids["nobody"], TENANTS["acme"][0]
    headers = {"Authorization": f"Bearer {TOKENS.issue(user, acme, ADMINISTRATOR)}"}
    assert client.get("/here", headers=headers).status_code == 404
    with town.plane.database.begin() as connection:
        administration.appoint(connection, user, ["127.0.0.0/8"])
        until = now() + dt.timedelta(minutes=5)
        granted = administration.grant(connection, user, acme, reason="ticket 7", until=until)
    assert client.get("/here", headers=headers).json()["roles"] == ["administrator"]
    other = {"X-Tenant": "globex"}
    assert client.get("/here", headers=headers | other).status_code == 404
    uses = [actor for actor, action, _ in town.logged("acme") if action == "administration.used"]
    assert uses == [user]
    with town.plane.database.begin() as connection:
        administration.appoint(connection, user, ["10.0.0.0/8"])
    assert client.get("/here", headers=headers).status_code == 404
    with town.plane.database.begin() as connection:
        administration.appoint(connection, user, ["127.0.0.0/8"])
        administration.revoke(connection, granted.id)
    assert client.get("/here", headers=headers).status_code == 404


def test_an_application_that_knows_its_users(town: Town) -> None:
    for kind in ("async", "sync"):

        async def async_authenticate(request: Request) -> Principal | None:
            return sync_authenticate(request)

        def sync_authenticate(request: Request) -> Principal | None:
            name = request.headers.get("x-user")
            return Principal(town.ids[name], permissions=frozenset({"a:b"})) if name else None

        authenticate = async_authenticate if kind == "async" else sync_authenticate
        access = TenantAccess(
            town.tenancy,
            town.plane,
            authenticate=authenticate,  # type: ignore[arg-type]  # of a request alone
            resolve=[Header(), OnlyMembership()],
        )
        app = FastAPI()

        @app.get("/here")
        def here(context: Annotated[TenantContext, Depends(access)]) -> list[str]:
            return sorted(context.permissions)

        access.protect(app)
        with serving(app) as client:
            assert client.get("/here").status_code == 401
            assert client.get("/here", headers={"X-User": "ann"}).json() == ["a:b"]
            assert client.get("/here", headers={"X-User": "al"}).json() == []
            answer = client.get("/here", headers={"X-User": "ann", "X-Tenant": "globex"})
            assert answer.status_code == 404
