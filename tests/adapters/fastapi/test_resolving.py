"""Which tenant a request is about: every combination of what may say it, over HTTP."""

import asyncio
import itertools
import socket
from collections.abc import Iterator, Sequence
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from partywall import TenantContext
from partywall.adapters.fastapi import (
    CustomDomain,
    Header,
    OnlyMembership,
    PathParam,
    Principal,
    Source,
    Subdomain,
    TenantAccess,
)
from partywall.errors import ConfigurationError
from tests.adapters.fastapi.town import BASE, PEOPLE, TENANTS, Town, serving

SOURCES: list[Source] = [
    Subdomain(BASE, own=("www",)),
    CustomDomain(),
    Header("X-Tenant"),
    PathParam("tenant"),
    OnlyMembership(),
]
NAMES = [None, "acme", "globex", "unknown"]
LABELS = {
    None: "",
    "acme": f"acme.{BASE}",
    "acme's own": "billing.acme.test",
    "globex": f"globex.{BASE}",
    "globex's own": "globex.test",
    "unknown": f"unknown.{BASE}",
}


def application(town: Town, sources: Sequence[Source]) -> FastAPI:
    """Says which tenant it takes a request for; who asks stands in a header of its own."""

    def authenticate(request: HTTPConnection) -> Principal | None:
        person = request.headers.get("x-user")
        return Principal(town.ids[person]) if person else None

    access = TenantAccess(town.tenancy, town.plane, authenticate=authenticate, resolve=sources)
    app = FastAPI()
    given = Annotated[TenantContext, Depends(access)]

    @app.get("/here")
    async def here(context: given) -> str:
        return context.tenant_id

    @app.get("/t/{tenant}/here")
    async def there(tenant: str, context: given) -> str:
        del tenant
        return context.tenant_id

    @app.get("/t/{tenant}/files/{name:path}")
    async def file(tenant: str, name: str, context: given) -> list[str]:
        return [tenant, name, context.tenant_id]

    access.protect(app)
    return app


@pytest.fixture(scope="module", params=[1, -1], ids=["in order", "in reverse"])
def client(request: pytest.FixtureRequest, town: Town) -> Iterator[httpx.Client]:
    with serving(application(town, SOURCES[:: request.param])) as client:
        yield client


def oracle(names: set[str], person: str) -> tuple[int, str]:
    """What the rules say, and nothing else: status, and the tenant."""
    if len(names) > 1:
        return 400, ""
    mine = PEOPLE[person]
    if not names:
        if len(mine) != 1:
            return 400, ""
        names = set(mine)
    (name,) = names
    return (200, TENANTS[name][0]) if name in mine else (404, "")


def test_header_path_subdomain_domain_and_membership(client: httpx.Client) -> None:
    seen = set()
    elsewhere = itertools.cycle([BASE, f"www.{BASE}", "127.0.0.1", "localhost:80", "api.test"])
    people = ["al", "bob", "both", "nobody"]
    for header, path, label, person in itertools.product(NAMES, NAMES, LABELS, people):
        host = LABELS[label] or next(elsewhere)
        names = {name for name in (header, path, label and label.removesuffix("'s own")) if name}
        status, tenant = oracle(names, person)
        headers = {"Host": host, "X-User": person} | ({"X-Tenant": header} if header else {})
        answer = client.get(f"/t/{path}/here" if path else "/here", headers=headers)
        case = (header, path, host, person)
        assert answer.status_code == status, case
        assert status != 200 or answer.json() == tenant, case
        seen.add((status, len(names)))
    assert seen == {(200, 0), (400, 0), (200, 1), (404, 1), (400, 2), (400, 3)}


USERS = (b"al", b"both")
"""A member of acme alone, and one of two tenants."""

HOSTS: dict[str, str | int] = {
    "ACME.Example.COM": "acme",
    "acme.example.com.": "acme",
    "acme.example.com:8443": "acme",
    "acme.example.com.:8443": "acme",
    "acme.example.com:": "acme",
    "billing.acme.test:1": "acme",
    "BILLING.ACME.TEST.": "acme",
    "a.acme.example.com": 404,
    "acme.acme.example.com": 404,
    "acme-.example.com": 400,
    "acme_.example.com": 404,
    "unknown.example.com": 404,
    "globex.example.com": 404,
    "xn--acm-dma.example.com": 404,
    "acme.example.com..": 400,
    "acme..example.com": 400,
    ".example.com": 400,
    "acme.example.com:8443:1": 400,
    "acme.example.com:8443x": 400,
    "acme.example.com, globex.example.com": 400,
    "user@acme.example.com": 400,
    "acme.example.com/": 400,
    "acme.example.com#.test": 400,
    "acm\u00e9.example.com": 400,
    f"{'a' * 64}.example.com": 400,
    f"{'a.' * 130}example.com": 400,
    "acme.example.com.evil.test": "nothing",
    "evilexample.com": "nothing",
    "unproven.test": "nothing",
    "[::1]:80": "nothing",
    "127.0.0.1": "nothing",
    "": "nothing",
}
"""A host -> what it says: acme, nothing; or how a member of acme alone is refused."""


def test_hosts(client: httpx.Client) -> None:
    for host, says in HOSTS.items():
        given = [(b"Host", host.encode("latin-1"))]
        alone, two = (client.get("/here", headers=[*given, (b"X-User", who)]) for who in USERS)
        if isinstance(says, int):
            assert alone.status_code == says, host
        else:
            assert alone.json() == TENANTS["acme"][0], host
            assert two.status_code == (200 if says == "acme" else 400), host
            named = {"acme": TENANTS["acme"][0], "nothing": "the request names no tenant"}
            assert named[says] in two.text, host


def test_a_forwarded_host_is_ignored_unless_it_is_asked_for(
    client: httpx.Client, town: Town
) -> None:
    headers = {
        "Host": f"globex.{BASE}", "X-Forwarded-Host": f"acme.{BASE}", "X-User": "both",
    }  # fmt: skip
    assert client.get("/here", headers=headers).json() == TENANTS["globex"][0]
    with serving(application(town, [Subdomain(BASE, header="X-Forwarded-Host")])) as told:
        assert told.get("/here", headers=headers).json() == TENANTS["acme"][0]
        twice = [*headers.items(), ("X-Forwarded-Host", f"acme.{BASE}")]
        assert told.get("/here", headers=twice).status_code == 400
        listed = headers | {"X-Forwarded-Host": f"acme.{BASE}, globex.{BASE}"}
        assert told.get("/here", headers=listed).status_code == 400
        del headers["X-Forwarded-Host"]
        assert told.get("/here", headers=headers).status_code == 400


def test_a_header_that_is_there_twice(client: httpx.Client) -> None:
    for second in ("acme", "globex"):
        headers = [("X-User", "both"), ("X-Tenant", "acme"), ("X-Tenant", second)]
        assert client.get("/here", headers=headers).status_code == 400
    address = (client.base_url.host, client.base_url.port)
    for host in (f"acme.{BASE}", f"globex.{BASE}"):
        with socket.create_connection(address) as raw:
            lines = ["GET /here HTTP/1.1", f"Host: acme.{BASE}", f"Host: {host}", "X-User: both"]
            raw.sendall("\r\n".join([*lines, "", ""]).encode())
            assert b" 400 " in raw.recv(100)


def test_a_server_that_lets_two_hosts_through(town: Town) -> None:
    """As some do; so the application is asked without one."""
    seen = []

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: dict[str, int]) -> None:
        seen.append(message.get("status"))

    hosts = [(b"host", b"acme.example.com")] * 2
    scope = {"type": "http", "method": "GET", "path": "/here", "query_string": b""}
    scope |= {"headers": [*hosts, (b"x-user", b"al")], "raw_path": b"/here"}
    asyncio.run(application(town, SOURCES)(scope, receive, send))  # type: ignore[arg-type]  # less
    assert seen[0] == 400


@pytest.mark.parametrize(
    "value",
    ["", "ACME", "acme ,globex", "acme' OR '1'='1", "%61cme", TENANTS["acme"][0], "a" * 9000],
)
def test_what_is_no_slug_names_nobody(client: httpx.Client, value: str) -> None:
    answer = client.get("/here", headers={"X-User": "al", "X-Tenant": value})
    assert answer.status_code == 404, value


PATHS = {
    "/t/acme/here": 200,
    "/t/%61cme/here": 200,
    "/t/ACME/here": 404,
    "/t/acme%20/here": 404,
    "/t/acme%00/here": 404,
    "/t/%2561cme/here": 404,
    "/t/acme%ff/here": 400,  # as the server itself says
    "/t/acme/files/a/b": 200,
    "/t/acme/files/a%2Fb": 200,
    "/t/acme/files/%2e%2e%2fglobex": 200,
    "/t%2Facme/files/a": 400,
    "/t%2facme/files/a": 400,
    "/t/globex%2F..%2Facme/files/a": 404,
    "/%74/acme%2Ffiles/a": 400,
}


def test_encoded_paths(client: httpx.Client) -> None:
    for path, status in PATHS.items():
        url = client.base_url.copy_with(raw_path=path.encode())
        assert client.get(url, headers={"X-User": "al"}).status_code == status, path


def test_ids_where_they_are_asked_for(town: Town) -> None:
    acme, globex = TENANTS["acme"][0], TENANTS["globex"][0]
    sources: list[Source] = [
        Subdomain(BASE),
        Header("X-Tenant", by="id"),
        PathParam("tenant", by="id"),
    ]
    with serving(application(town, sources)) as client:
        ann = {"X-User": "ann", "Host": f"acme.{BASE}"}
        assert client.get("/here", headers=ann | {"X-Tenant": acme}).status_code == 200
        assert client.get(f"/t/{acme}/here", headers=ann).status_code == 200
        assert client.get("/here", headers=ann | {"X-Tenant": globex}).status_code == 400
        assert client.get("/here", headers=ann | {"X-Tenant": "acme"}).status_code == 400
        other = {"X-User": "ann", "X-Tenant": acme.upper()}
        assert client.get("/here", headers=other).status_code == (200 if acme.isdigit() else 404)


def test_with_its_own_hosts_any_other_names_a_tenant(town: Town) -> None:
    sources: list[Source] = [CustomDomain(own=("api.test",)), Header(), OnlyMembership()]
    with serving(application(town, sources)) as client:
        status = {"api.test": 200, "unproven.test": 404, "elsewhere.test": 404, "127.0.0.1": 200}
        for host, expected in status.items():
            headers = {"X-User": "ann", "Host": host}
            assert client.get("/here", headers=headers).status_code == expected, host
        headers = {"X-User": "ann", "Host": "elsewhere.test", "X-Tenant": "acme"}
        assert client.get("/here", headers=headers).status_code == 400


def test_a_request_that_names_no_tenant(town: Town) -> None:
    with serving(application(town, [Header()])) as client:
        answer = client.get("/here", headers={"X-User": "ann"})
        assert answer.status_code == 400
        assert answer.json()["detail"] == "the request names no tenant"


@pytest.mark.parametrize(
    "base", ["Example.com", "example.com.", "example.com:80", "", "a b", "é.com"]
)
def test_a_base_that_no_host_would_match(base: str) -> None:
    with pytest.raises(ConfigurationError, match="host name"):
        Subdomain(base)
    with pytest.raises(ConfigurationError, match="host names"):
        CustomDomain(own=(base,))


def test_without_sources_there_is_no_access(town: Town) -> None:
    with pytest.raises(ConfigurationError, match="resolve"):
        TenantAccess(town.tenancy, town.plane, resolve=[])
