"""A context goes from one service to the next: to those that are named, for one request."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from hypothesis import given
from hypothesis import strategies as st

from partywall import TenantContext
from partywall.adapters.fastapi import public
from partywall.adapters.fastapi.problems import install
from partywall.adapters.httpx import HEADER, ContextTokens, InternalClients, received
from partywall.adapters.httpx.tokens import PURPOSE, origin
from partywall.adapters.signing import Signing
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated
from partywall.runtime.directory import CachedDirectory
from tests.probe.serving import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.runtime.directory import Standing

ACME = TenantContext("acme", "ann", {"owner"}, {"invoices:read"})
KEY, OTHER = b"k" * 32, b"o" * 32
NOW_S = 1_800_000_000.0
BILLING = "https://billing.internal"


class Service:
    """A service on a real server, which writes down what it was sent."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.seen: list[str | None] = []
        self.leads_to = ""
        self.standing: Standing | None = "active"
        self.app = FastAPI()
        install(self.app)
        tokens = ContextTokens(KEY)
        directory = CachedDirectory(lambda _: self.standing, ttl_s=0)
        calling = received(tokens, at=address, directory=directory)

        @self.app.middleware("http")
        async def seen(request: Request, call_next: Any) -> Any:  # noqa: ANN401 - Starlette's
            self.seen.append(request.headers.get(HEADER))
            return await call_next(request)

        @self.app.api_route("/who/{name:path}", methods=["GET", "POST"])
        @public
        async def who(context: TenantContext = Depends(calling)) -> dict[str, Any]:  # noqa: B008 - a name that is local
            return {"as": context.to_json()}

        @self.app.get("/away")
        @public
        async def away() -> RedirectResponse:
            return RedirectResponse(self.leads_to)

    @property
    def stamped(self) -> list[bool]:
        return [each is not None for each in self.seen]


@contextmanager
def serving() -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        service = Service(f"http://127.0.0.1:{listening.getsockname()[1]}")
        with answering(service.app, listening):
            yield service


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[Service, Service]]:
    with serving() as first, serving() as second:
        yield first, second


@pytest.fixture
def billing(services: tuple[Service, Service]) -> Service:
    for each in services:
        each.seen.clear()
        each.standing = "active"
    return services[0]


@pytest.fixture
def elsewhere(services: tuple[Service, Service]) -> Service:
    return services[1]


@pytest.fixture
def clients(billing: Service) -> Iterator[InternalClients]:
    made = InternalClients(ContextTokens(KEY), to=[billing.address])
    yield made
    made.close()


def test_the_service_that_is_named_gets_the_whole_context(
    clients: InternalClients, billing: Service
) -> None:
    with clients.client(ACME, base_url=billing.address) as client:
        for name in ("", "a%2Fb/ü?x=1&y=%20?", "a?"):
            answer = client.get(f"/who/{name}")
            assert answer.json() == {"as": ACME.to_json()}
        assert client.post("/who/x", json={}).json() == {"as": ACME.to_json()}
    assert billing.stamped == [True] * 4


def test_async_code_has_the_same(billing: Service) -> None:
    async def call() -> None:
        clients = InternalClients(ContextTokens(KEY), to=[billing.address])
        async with clients.async_client(ACME, base_url=billing.address) as client:
            assert (await client.get("/who/x")).json() == {"as": ACME.to_json()}
        await clients.async_close()

    asyncio.run(call())


def test_no_other_service_is_told(
    clients: InternalClients, billing: Service, elsewhere: Service
) -> None:
    with clients.client(ACME) as client:
        assert client.get(f"{elsewhere.address}/who/x").status_code == 401
        other_name = billing.address.replace("127.0.0.1", "localhost")
        assert client.get(f"{other_name}/who/x").status_code == 401
    assert (billing.stamped, elsewhere.stamped) == ([False], [False])


def test_a_redirect_to_another_service_takes_nothing_along_not_even_back(
    billing: Service, elsewhere: Service
) -> None:
    both = [billing.address, elsewhere.address]
    billing.leads_to, elsewhere.leads_to = f"{elsewhere.address}/away", f"{billing.address}/who/x"
    for named in (both[:1], both):
        billing.seen.clear()
        elsewhere.seen.clear()
        clients = InternalClients(ContextTokens(KEY), to=named)
        with clients.client(ACME, follow_redirects=True) as client:
            assert client.get(f"{billing.address}/away").status_code == 401
        assert (billing.stamped, elsewhere.stamped) == ([True, False], [False])
        clients.close()


def test_a_redirect_within_a_service_is_signed_anew(
    clients: InternalClients, billing: Service
) -> None:
    billing.leads_to = "/who/x"
    with clients.client(ACME, follow_redirects=True) as client:
        assert client.get(f"{billing.address}/away").json() == {"as": ACME.to_json()}
    assert len(set(billing.seen)) == 2


def test_a_header_that_the_caller_sets_is_never_sent(
    clients: InternalClients, billing: Service, elsewhere: Service
) -> None:
    forged = {HEADER.lower(): "forged"}
    with clients.client(ACME, headers=forged) as client:
        assert client.get(f"{billing.address}/who/x", headers=forged).status_code == 200
        assert client.get(f"{elsewhere.address}/who/x", headers=forged).status_code == 401
    assert "forged" not in billing.seen
    assert elsewhere.seen == [None]


def test_nothing_that_the_client_shows_has_the_header(
    clients: InternalClients, billing: Service
) -> None:
    shown: list[httpx.Request] = []
    hooks: dict[str, list[Any]] = {"request": [shown.append]}
    with clients.client(ACME, event_hooks=hooks) as client:
        answer = client.get(f"{billing.address}/who/x")
    for request in (*shown, answer.request):
        assert HEADER not in request.headers
    assert billing.stamped == [True]


def test_contexts_share_connections_and_nothing_else(
    clients: InternalClients, billing: Service
) -> None:
    globex = TenantContext("globex")
    with clients.client(ACME) as first, clients.client(globex) as second:
        for _ in range(3):
            for client, context in ((first, ACME), (second, globex)):
                found = client.get(f"{billing.address}/who/x").json()
                assert found == {"as": context.to_json()}
    with clients.client(ACME) as third:
        assert third.get(f"{billing.address}/who/x").status_code == 200


@pytest.mark.parametrize("standing", ["suspended", "deleted", None])
def test_a_tenant_that_may_not_be_entered_is_refused(
    clients: InternalClients, billing: Service, standing: Standing | None
) -> None:
    billing.standing = standing
    with clients.client(ACME) as client:
        assert client.get(f"{billing.address}/who/x").status_code in {403, 404}


def test_a_token_is_for_one_request(billing: Service) -> None:
    tokens = ContextTokens(KEY)
    made = tokens.issued(ACME, to=billing.address, method="GET", target="/who/x?a=1")
    ask = f"{billing.address}/who/x"
    assert httpx.get(f"{ask}?a=1", headers={HEADER: made}).status_code == 200
    for method, url in (("GET", ask), ("GET", f"{ask}?a=2"), ("POST", f"{ask}?a=1")):
        assert httpx.request(method, url, headers={HEADER: made}).status_code == 401
    twice = [(HEADER, made), (HEADER, made)]
    assert httpx.get(f"{ask}?a=1", headers=twice).status_code == 400
    for wrong in ("", "x", made + "x", ACME.to_json()):
        assert httpx.get(f"{ask}?a=1", headers={HEADER: wrong}).status_code == 401
    assert httpx.get(f"{ask}?a=1").status_code == 401


def at(seconds: float, *keys: bytes) -> ContextTokens:
    return ContextTokens(*(keys or (KEY,)), clock=lambda: NOW_S + seconds)


def token(tokens: ContextTokens | None = None, to: str = BILLING) -> str:
    return (tokens or at(0)).issued(ACME, to=to, method="GET", target="/")


def context(made: str, tokens: ContextTokens | None = None) -> TenantContext:
    return (tokens or at(0)).context(made, to=BILLING, method="GET", target="/")


def test_a_token_ends_and_has_no_future() -> None:
    made = token()
    for seconds in (-5, 0, 35):
        assert context(made, at(seconds)) == ACME
    for seconds in (-6, 36):
        with pytest.raises(NotAuthenticated):
            context(made, at(seconds))


def test_a_token_is_for_one_service_and_of_one_key() -> None:
    with pytest.raises(NotAuthenticated):
        context(token(to="https://mail.internal"))
    with pytest.raises(NotAuthenticated):
        context(token(at(0, OTHER)))
    assert context(token(at(0, OTHER)), at(0, KEY, OTHER)) == ACME
    assert "kkk" not in repr(at(0))
    with pytest.raises(ConfigurationError):
        ContextTokens(b"short")


@given(st.data())
def test_a_token_that_was_changed_anywhere_does_not_hold(data: st.DataObject) -> None:
    made = token()
    where = data.draw(st.integers(0, len(made) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters=made[where]))
    with pytest.raises(NotAuthenticated):
        context(made[:where] + other + made[where + 1 :])


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b"7", b'["{}", "a", "b", "c", 1]', b'[1, "x"]', b"\xff"]
)
def test_what_else_was_signed_with_the_key_is_no_context(payload: bytes) -> None:
    with pytest.raises(NotAuthenticated):
        context(Signing((KEY,), PURPOSE).token(payload))


def test_a_link_to_a_file_is_no_context() -> None:
    made = Signing((KEY,), PURPOSE).payload(token())
    with pytest.raises(NotAuthenticated):
        context(Signing((KEY,), "partywall file link 1").token(made))


@pytest.mark.parametrize(
    "options",
    [{"transport": httpx.HTTPTransport()}, {"mounts": {}}, {"proxy": "http://127.0.0.1:9"},
     {"trust_env": True}, {"app": None}],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
def test_options_that_would_leak_a_context_are_refused(
    clients: InternalClients, options: dict[str, Any]
) -> None:
    for make in (clients.client, clients.async_client):
        with pytest.raises(ConfigurationError, match="can't be given"):
            make(ACME, **options)
    with pytest.raises(ConfigurationError):
        InternalClients(ContextTokens(KEY), to=[BILLING], **options)


def test_a_service_that_could_be_anybody_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="verify=False"):
        InternalClients(ContextTokens(KEY), to=[BILLING], verify=False)
    ours = ssl.create_default_context()
    InternalClients(ContextTokens(KEY), to=[BILLING], verify=ours).close()


@pytest.mark.parametrize(
    "address",
    ["http://billing.internal", "billing", "https://a/b", "https://*.internal", "https://u@a",
     "ftp://a", "https://a:x", "", "https://a?b"],
)  # fmt: skip
def test_only_an_origin_behind_tls_or_on_this_machine_is_a_service(address: str) -> None:
    with pytest.raises(ConfigurationError):
        InternalClients(ContextTokens(KEY), to=[address])


def test_an_origin_has_one_spelling() -> None:
    assert origin("HTTPS://Billing.Internal:443/") == BILLING
    assert origin("http://[::1]:80") == "http://[::1]"
    assert origin("http://localhost:8000") == "http://localhost:8000"


@pytest.mark.parametrize("who", [None, "acme"])
def test_without_a_context_there_is_no_client(clients: InternalClients, who: Any) -> None:  # noqa: ANN401
    with pytest.raises(MissingTenant):
        clients.client(who)


def test_the_environment_names_no_proxy(billing: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    clients = InternalClients(ContextTokens(KEY), to=[billing.address])
    with clients.client(ACME) as client:
        assert client.get(f"{billing.address}/who/x").status_code == 200
    clients.close()
