"""Ways in that somebody has tried, and what strangers could do to others from outside."""

import contextlib
import datetime as dt
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import event
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from partywall import TenantContext
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
from partywall.control import administration, limits, memberships, roles, users
from partywall.control.database import now
from partywall.errors import ConfigurationError, RecordConflict, TooManyAttempts
from tests.adapters.fastapi.office import PASSWORD, Waiting, newcomer, staffed, until
from tests.adapters.fastapi.town import BASE, TENANTS, TOKENS, Town, serving, started

ACME, GLOBEX = TENANTS["acme"][0], TENANTS["globex"][0]
OF_THE_USER = "SELECT partywall.users.version"
"""Asked of each user who was forgotten, whatever tenant they name."""


@pytest.fixture(scope="module")
def pat(town: Town) -> str:
    town.plane.works = Waiting()
    pat = newcomer(town)
    with town.plane.database.begin() as connection:
        administration.appoint(connection, pat, ["127.0.0.0/8"])
        end = now() + dt.timedelta(minutes=9)
        administration.grant(connection, pat, None, reason="all", until=end)
    return pat


@pytest.fixture(scope="module")
def client(town: Town, pat: str) -> Iterator[httpx.Client]:
    del pat
    with staffed(town) as client:
        yield client


@pytest.fixture(scope="module")
def notes(town: Town) -> Iterator[httpx.Client]:
    """An application with every source, and others inside it."""
    access = TenantAccess(
        town.tenancy,
        town.plane,
        resolve=[
            Subdomain(BASE), CustomDomain(), Header(), Header("X-Id", by="id"), PathParam(),
            OnlyMembership(),
        ],
    )  # fmt: skip
    app, inner = FastAPI(), FastAPI(openapi_url=None)
    app.add_middleware(CORSMiddleware, allow_origins=["https://elsewhere.test"])
    given = Annotated[TenantContext, Depends(access)]

    async def here(context: given) -> str:
        return context.tenant_id

    for each in (app, inner):
        each.api_route("/here", methods=["GET", "HEAD", "OPTIONS", "POST"])(here)
    app.get("/t/{tenant}/here")(here)
    app.mount("/m/{tenant}", inner)

    @app.get("/who")
    @public
    async def who(user: Annotated[Principal, Depends(access.user)]) -> str:
        return user.user_id

    access.protect(app)
    with serving(app) as client:
        yield client


def raw(client: httpx.Client, lines: str) -> int:
    """The status that is answered to lines which no client library would send."""
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, timeout=5) as sent:
        sent.sendall(lines.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
        return int(sent.recv(100).split()[1])


HOST = "HTTP/1.1\nHost: x\nConnection: close\n"
REQUESTS = {
    "HTTP/1.0 without a host": ("GET /here HTTP/1.0\n{auth}", 200),
    "HTTP/1.0 and a header": ("GET /here HTTP/1.0\n{auth}\nX-Tenant: globex", 404),
    "a target with a host": (f"GET http://globex.{BASE}/here {HOST}{{auth}}", 404),
    "a target with a host and a path": (f"GET http://globex.test/t/acme/here {HOST}{{auth}}", 404),
    "small and capital letters": (f"GET /here {HOST}{{auth}}\nx-TENANT: globex", 404),
    "the same twice": (f"GET /here {HOST}{{auth}}\nX-Tenant: acme\nx-tenant: acme", 400),
    "another header": (f"GET /here {HOST}{{auth}}\nX_Tenant: globex", 200),
    "a folded header": (f"GET /here {HOST}{{auth}}\nX-Tenant: acme\n globex", 404),
    "NUL": (f"GET /here {HOST}{{auth}}\nX-Tenant: acme\0", 400),
    "another byte": (f"GET /here {HOST}{{auth}}\nX-Tenant: acm\xe9", 404),
    "what proxies say": (f"GET /here {HOST}{{auth}}\nForwarded: host=globex.{BASE}", 200),
    "two tokens in one header": (f"GET /here {HOST}{{auth}}, Bearer x", 401),
    "tokens in the query": (f"GET /here?access_token={{token}}&api_key={{secret}} {HOST}", 401),
    "a token in a cookie": (f"GET /here {HOST}Cookie: access_token={{token}}", 401),
    "a token too long": (f"GET /here {HOST}Authorization: Bearer {'a' * 30000}.b.c", 401),
    "HEAD": (f"HEAD /here {HOST}{{auth}}\nX-Tenant: globex", 404),
    "OPTIONS": (f"OPTIONS /here {HOST}", 401),
    "a WebSocket that is none": (
        f"GET /here {HOST}Upgrade: websocket\n{{auth}}\nX-Tenant: globex", 404,
    ),
    "a mounted application": (f"GET /m/acme/here {HOST}{{auth}}", 200),
    "another tenant's": (f"GET /m/globex/here {HOST}{{auth}}", 404),
    "another tenant's, behind a slash": (f"GET /m/acme%2F..%2Fglobex/here {HOST}{{auth}}", 404),
    "two tenants": (f"GET /m/globex/here {HOST}{{auth}}\nX-Tenant: acme", 400),
    "dots": (f"GET /t/globex/../acme/here {HOST}{{auth}}", 404),
    "who lets a user in": (f"GET http://a:b@globex.{BASE}/here {HOST}{{auth}}", 404),
}  # fmt: skip


@pytest.mark.parametrize("what", REQUESTS)
def test_what_no_library_sends(notes: httpx.Client, town: Town, what: str) -> None:
    lines, status = REQUESTS[what]
    token = town.token("ann", "acme")
    filled = lines.format(token=token, auth=f"Authorization: Bearer {token}", secret=town.secret)
    assert raw(notes, filled) == status


def test_a_preflight_says_nothing_about_tenants(notes: httpx.Client) -> None:
    asked = {"Origin": "https://elsewhere.test", "Access-Control-Request-Method": "GET"}
    answers = [
        notes.options("/here", headers=asked | {"Host": f"{slug}.{BASE}"})
        for slug in ("globex", "unknown")
    ]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_a_token_of_a_time_that_no_clock_has(notes: httpx.Client, town: Town) -> None:
    token = TOKENS.__class__(
        [TOKENS._signing],  # noqa: SLF001 - the town's own key
        issuer="https://example.com",
        audience="test",
        ttl_s=2**62,
        longest_s=2**62,
    ).issue(town.ids["ann"], ACME, 1)
    assert notes.get("/here", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    ("foreign", "unknown"),
    [
        ({"X-Tenant": "globex"}, {"X-Tenant": "unheard-of"}),
        ({"X-Id": GLOBEX}, {"X-Id": "5e1e1e1e-0000-4000-8000-00000000000f"}),
        ({"Host": f"globex.{BASE}"}, {"Host": f"unheard-of.{BASE}"}),
    ],
    ids=["header", "id", "subdomain"],
)
def test_a_stranger_costs_what_an_unknown_name_costs(
    notes: httpx.Client, town: Town, foreign: dict[str, str], unknown: dict[str, str]
) -> None:
    """That nobody has a name is forgotten first; so queries are counted, and no clock is asked."""
    al = town.bearer("al", "acme")
    queries: list[str] = []

    def counted(*asked: object) -> None:
        queries.append(str(asked[2]))

    def spent(named: dict[str, str], *, anew: bool = True) -> int:
        if anew:
            town.plane.access.forget(f"user:{town.ids['al']}", "tenant:nobody")
        queries.clear()
        assert notes.get("/here", headers=al | named).status_code == 404
        asked = [each for each in queries if "audit_log" not in each and "SELECT" in each]
        return sum(not each.startswith(OF_THE_USER) for each in asked)

    spent(foreign)  # from here on the tenant is remembered, as that of any busy tenant
    event.listen(town.plane.database.engine, "before_cursor_execute", counted)
    try:
        time.sleep(0.2)  # the audit log has its own queries
        both = {spent(foreign) for _ in range(2)} | {spent(unknown) for _ in range(2)}
        another = {name: value.replace("e", "a", 1) for name, value in unknown.items()}
        both |= {spent(another, anew=False)}
    finally:
        event.remove(town.plane.database.engine, "before_cursor_execute", counted)
    assert both == {2}


def test_a_disabled_user_is_nobody_anywhere(
    notes: httpx.Client, client: httpx.Client, town: Town
) -> None:
    with town.plane.database.begin() as connection:
        gone = users.add(connection, "gone@example.com", password=PASSWORD).id
    headers = {"Authorization": f"Bearer {TOKENS.issue(gone, '', 0)}"}
    assert notes.get("/who", headers=headers).json() == gone
    with town.plane.database.begin() as connection:
        users.disable(connection, gone)
    until(notes, "/who", headers, 401)
    company = {"slug": "gone-away", "name": "G"}
    assert client.post("/tenants", json=company, headers=headers).status_code == 401
    assert client.get(f"/works/{gone}", headers=headers).status_code == 401


def test_another_password_ends_every_token_from_before(
    notes: httpx.Client, client: httpx.Client, town: Town
) -> None:
    with town.plane.database.begin() as connection:
        eve = users.add(connection, "eve@example.com", password=PASSWORD)
        memberships.add(connection, ACME, eve.id, "member")
    asked = {"email": eve.email, "password": PASSWORD}
    first, second = (client.post("/log-in", json=asked).json() for _ in range(2))
    mine, stolen = ({"Authorization": f"Bearer {each['access_token']}"} for each in (first, second))
    here = {**stolen, "X-Tenant": "acme"}
    assert notes.get("/here", headers=here).status_code == 200
    wanted = {"current": "something else", "password": "another horse entirely"}
    assert client.put("/me/password", json=wanted, headers=mine).status_code == 401
    assert notes.get("/here", headers=here).status_code == 200
    wanted["current"] = PASSWORD
    assert client.put("/me/password", json=wanted, headers=mine).status_code == 204
    for path in ("/here", "/who"):
        until(notes, path, here, 401)
    switch = {"tenant": "acme"}
    assert client.post("/switch-tenant", json=switch, headers=stolen).status_code == 401
    assert client.post("/log-in", json=asked).status_code == 401
    asked["password"] = wanted["password"]
    again = client.post("/log-in", json=asked).json()["access_token"]
    here["Authorization"] = f"Bearer {again}"
    assert notes.get("/here", headers=here).status_code == 200


def test_a_token_is_not_renewed_for_ever(client: httpx.Client, town: Town) -> None:
    old = now() - dt.timedelta(hours=11, minutes=59)
    token = TOKENS.issue(town.ids["both"], ACME, 1, since=old)
    for tenant in ("globex", "acme"):
        answer = client.post(
            "/switch-tenant",
            json={"tenant": tenant},
            headers={"Authorization": f"Bearer {token}"},
        )
        token = answer.json()["access_token"]
        assert answer.json()["expires_in"] <= 60


def told_of(town: Town, tenant: str, actor: str, after: int) -> list[dict[str, object]]:
    """The denied attempts of a user in a log after an entry, which comes a moment later."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        rows = town.logged(tenant)[after:]
        found = [
            detail for who, action, detail in rows if (who, action) == (actor, "access.denied")
        ]
        if found:
            return found
        time.sleep(0.01)
    return []


def test_who_asks_for_a_token_of_a_stranger_is_in_the_log(
    client: httpx.Client, town: Town, pat: str
) -> None:
    before = {slug: len(town.logged(slug)) for slug in ("acme", "globex")}
    ann = town.bearer("ann", "acme")
    for slug in ("globex", "unknown"):
        answer = client.post("/switch-tenant", json={"tenant": slug}, headers=ann)
        assert answer.status_code == 404
    who = {"email": "pat@example.com", "password": PASSWORD, "tenant": "globex"}
    assert client.post("/log-in", json=who).status_code == 404
    assert told_of(town, "acme", town.ids["ann"], before["acme"])[0]["asked"] == "globex"
    (switched,) = told_of(town, "globex", town.ids["ann"], before["globex"])
    (entered,) = told_of(town, "globex", pat, before["globex"])
    assert (switched, entered) == ({"by": "switch", "times": 1}, {"by": "log-in", "times": 1})


def test_many_addresses_fill_no_log(town: Town) -> None:
    access = TenantAccess(town.tenancy, town.plane, resolve=[Header()])
    app = FastAPI()

    @app.get("/here")
    async def here(context: Annotated[TenantContext, Depends(access)]) -> str:
        return context.tenant_id

    access.protect(app)
    before = len(town.logged("globex"))
    with serving(app) as client:
        for number in range(60):  # uvicorn believes whoever is on this machine
            headers = town.bearer("al", "acme") | {"X-Tenant": "globex"}
            headers["X-Forwarded-For"] = f"2001:db8::{number:x}"
            assert client.get("/here", headers=headers).status_code == 404
    entries = [detail for *_, detail in town.logged("globex")[before:]]
    assert len(entries) <= 2
    assert sum(int(str(each["times"])) for each in entries) == 60
    assert len(entries[-1]["sources"]) == 8  # type: ignore[arg-type]  # a list, as JSON has it


def test_one_network_signs_no_more_companies_up_than_one_address(
    client: httpx.Client, town: Town
) -> None:
    town.database.execute("DELETE FROM partywall.attempts")
    company = {"slug": "www", "name": "N", "email": "w@example.com", "password": PASSWORD}
    answers = [
        client.post("/sign-up", json=company, headers={"X-Forwarded-For": f"2001:db8::{n}"})
        for n in range(8)
    ]
    assert answers[-1].status_code == 429
    other = {"X-Forwarded-For": "2001:db8:1::1"}
    assert client.post("/sign-up", json=company, headers=other).status_code == 422
    town.database.execute("DELETE FROM partywall.attempts")


NUL, HALF = "a\\u0000b", "\\ud800"
BODIES: list[tuple[str, str, str]] = [
    (
        "POST",
        "/sign-up",
        '{"slug":"%s","name":"n","email":"z@example.com","password":"long enough"}',
    ),
    ("POST", "/sign-up", '{"slug":"zzz-z","name":"n","email":"%s@x.com","password":"long enough"}'),
    ("POST", "/sign-up", '{"slug":"zzz-z","name":"n","email":"z@x.com","password":"%s"}'),
    ("POST", "/tenants", '{"slug":"%s","name":"n"}'),
    ("POST", "/log-in", '{"email":"%s@x.com","password":"%s"}'),
    ("POST", "/log-in", f'{{"email":"pat@example.com","password":"{PASSWORD}","tenant":"%s"}}'),
    ("POST", "/switch-tenant", '{"tenant":"%s"}'),
    ("POST", "/invitations/accept", '{"token":"%s"}'),
    ("PATCH", "/members/{al}", '{"role":"%s"}'),
    ("POST", "/invitations", '{"email":"q@example.com","role":"%s"}'),
    ("POST", "/api-keys", '{"name":"%s","permissions":["a:b"]}'),
    ("POST", "/domains", '{"name":"%s.com"}'),
    ("PATCH", "/tenant", '{"name":"%s"}'),
    ("PATCH", "/tenant", '{"settings":{"a":["%s"]}}'),
    ("PATCH", "/tenant", '{"settings":{"%s":1}}'),
    ("PATCH", "/tenant", '{"settings":{"a":NaN}}'),
    ("PATCH", "/tenant", '{"settings":{"a":1e999}}'),
    ("PATCH", "/tenant", f'{{"settings":{{"a":{"[" * 900}{"]" * 900}}}}}'),
    ("PATCH", "/tenant", f'{{"settings":{{"a":"{"x" * 20_000}"}}}}'),
    ("GET", "/admin/tenants?after=%%00", ""),
    ("GET", "/admin/tenants?status=deleted&after=x", ""),
]


@pytest.mark.parametrize("case", range(len(BODIES)))
def test_text_that_no_database_keeps(client: httpx.Client, town: Town, pat: str, case: int) -> None:
    method, path, body = BODIES[case]
    town.database.execute("DELETE FROM partywall.attempts")
    as_pat = path.startswith(("/admin", "/switch", "/tenants", "/invitations/a"))
    user = {"Authorization": f"Bearer {TOKENS.issue(pat, '', 0)}"}
    headers = user if as_pat else town.bearer("ann", "acme")
    for bad in (NUL, HALF):
        answer = client.request(
            method,
            path.replace("{al}", town.ids["al"]).replace("%%", "%"),
            content=body.replace("%s", bad),
            headers=headers | {"Content-Type": "application/json"},
        )
        assert 400 <= answer.status_code < 500, answer.text
    assert client.get("/tenant", headers=town.bearer("ann", "acme")).status_code == 200


def test_an_export_keeps_no_connection_from_others(client: httpx.Client, town: Town) -> None:
    """Six clients that do not read on: one more than the control plane has connections."""
    town.database.execute(
        "INSERT INTO partywall.audit_log (tenant_id, number, at, actor, action, subject, source, "
        f"detail, previous, hash) SELECT '{GLOBEX}', n + 1000000, now(), 'x', 'a.b', '', '', "
        """jsonb_build_object('x', repeat('y', 2000)), '', '' FROM generate_series(1, 6000) n"""
    )
    bob = town.bearer("bob", "globex")
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            answer = stack.enter_context(client.stream("GET", "/log/export", headers=bob))
            assert next(answer.iter_raw())
        time.sleep(0.3)
        assert client.get("/members", headers=town.bearer("ann", "acme")).status_code == 200
        assert town.plane.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool's


def test_who_is_made_less_meanwhile_decides_no_more(client: httpx.Client, town: Town) -> None:
    """The request was let in, and waits; then the administrator of the tenant is made a member."""
    database, both, al = town.plane.database, town.ids["both"], town.ids["al"]
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    admin = town.bearer("both", "acme")
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            memberships.change_role(connection, ACME, both, "member")
            change = pool.submit(
                client.patch, f"/members/{al}", json={"role": "admin"}, headers=admin
            )
            end = time.monotonic() + 5
            while town.database.rows(waiting) == [(0,)] and time.monotonic() < end:
                time.sleep(0.01)
        assert change.result(5).status_code == 403
    with database.begin() as connection:
        memberships.change_role(connection, ACME, both, "admin")


def test_a_tenant_lets_the_dns_be_asked_so_often(client: httpx.Client, town: Town) -> None:
    bob = town.bearer("bob", "globex")
    assert client.post("/domains", json={"name": "slow.com"}, headers=bob).status_code == 201
    with contextlib.suppress(TooManyAttempts):
        while True:
            limits.attempt(town.plane.database, f"verification by {GLOBEX}", limit=20, window_s=600)
    assert client.post("/domains/slow.com/verify", headers=bob).status_code == 429


def test_no_tenant_has_administrators_of_its_own(town: Town) -> None:
    with (
        town.plane.database.begin() as connection,
        pytest.raises(RecordConflict, match="administrators"),
    ):
        roles.define(connection, ACME, "administrator", ["notes:read"])


async def anything(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(json.dumps(Request(scope).url.path))(scope, receive, send)


DEFAULTS: dict[str, Callable[[FastAPI], None]] = {
    "/ (default)": lambda app: setattr(app.router, "default", anything),
    "/sub/ (default)": lambda app: app.mount("/sub", APIRouter(default=anything)),
}


@pytest.mark.parametrize("path", DEFAULTS)
def test_what_answers_where_no_route_does(town: Town, path: str) -> None:
    app = FastAPI()
    DEFAULTS[path](app)
    TenantAccess(town.tenancy, town.plane, resolve=[Header()]).protect(app)
    with pytest.raises(ConfigurationError, match="default"):
        started(app)
