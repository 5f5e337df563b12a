"""Errors as RFC 9457 has them, over HTTP and over a WebSocket that is not opened."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, Depends, FastAPI, HTTPException, Response, WebSocket
from pydantic import BaseModel, EmailStr, field_validator
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as ConnectionTimeout

from partywall import RowSecurity, Tenancy, TenantContext, TenantSession, errors
from partywall.adapters.fastapi import Header, TenantAccess, documented, public
from partywall.adapters.fastapi.problems import answer
from partywall.control.plane import ControlPlane
from partywall.control.quotas import set_limit
from tests.adapters.fastapi.town import TENANTS, TOKENS, Town, asked, serving

CANARY = "kanarienvogel-4711"


class Owner(BaseModel):
    email: EmailStr
    age: int = 1

    @field_validator("email")
    @classmethod
    def no_canary(cls, value: str) -> str:
        if CANARY in value:
            raise ValueError(f"{value} is not wanted")
        return value


class Strict(BaseModel, extra="forbid"):
    owner: Owner
    tags: dict[str, int] = {}


RAISED: dict[str, tuple[Exception, int, str | None]] = {
    "unknown": (errors.UnknownTenant("x"), 404, None),
    "deleted": (errors.DeletedTenant("x"), 404, None),
    "mismatch": (errors.TenantMismatch("x"), 404, None),
    "record": (errors.UnknownRecord("x"), 404, None),
    "not-found": (HTTPException(404, "of yours", headers={"X-Told": "1"}), 404, None),
    "anonymous": (errors.NotAuthenticated("x"), 401, None),
    "not-permitted": (errors.NotPermitted("x"), 403, None),
    "inactive": (errors.InactiveTenant("x"), 403, None),
    "conflict": (errors.RecordConflict("x"), 409, None),
    "taken": (errors.TenantExists("x"), 409, None),
    "invalid": (errors.InvalidRecord("x"), 422, None),
    "attempts": (errors.TooManyAttempts("x", retry_after_s=61.2), 429, "62"),
    "quota": (errors.QuotaExceeded("x", kind="rows", retry_after_s=0.1), 429, "1"),
    "used-up": (errors.QuotaExceeded("x", kind="rows"), 429, None),
    "unavailable": (errors.Unavailable("x", retry_after_s=7), 503, "7"),
    "work": (errors.WorkError("x"), 503, "5"),
    "pool": (errors.PoolTimeout("x"), 503, "1"),
    "queue": (ConnectionTimeout("x"), 503, "1"),
    "refused": (ConnectionRefusedError(CANARY), 503, "5"),
    "resolver": (socket.gaierror(CANARY), 503, "5"),
    "own": (HTTPException(418, "a teapot", headers={"X-Tea": "1"}), 418, None),
    "own-parts": (HTTPException(409, {"a": 1}), 409, None),
    "fault": (RuntimeError(CANARY), 500, None),
    "wall": (errors.MissingTenantFilter(CANARY), 500, None),
    "configuration": (errors.ConfigurationError(CANARY), 500, None),
    "context": (errors.MissingTenant(CANARY), 500, None),
    "file": (FileNotFoundError(CANARY), 500, None),
    "statement": (OperationalError(CANARY, {}, Exception(CANARY)), 503, "5"),
}


def application(town: Town) -> FastAPI:
    access = TenantAccess(town.tenancy, town.plane, resolve=[Header()])
    app = FastAPI(responses=documented())

    @app.get("/raised/{name}")
    @public
    async def raised(name: str) -> None:
        raise RAISED[name][0]

    @app.post("/strict")
    @public
    async def strict(given: Annotated[Strict, Body()], number: int = 0) -> None:
        del given, number

    @app.get("/unchanged")
    @public
    async def unchanged() -> None:
        raise HTTPException(304, headers={"ETag": '"1"'})

    @app.get("/here")
    async def here(context: Annotated[TenantContext, Depends(access)]) -> str:
        return context.tenant_id

    @app.get("/read")
    def read(session: Annotated[TenantSession, Depends(access.session)]) -> str:
        return str(session.scalar(text("SELECT 1")))

    @app.websocket("/socket")
    async def opened(
        websocket: WebSocket, context: Annotated[TenantContext, Depends(access)]
    ) -> None:
        await websocket.accept()
        await websocket.send_text(context.tenant_id)
        raise errors.UnknownRecord("x")

    access.protect(app)
    return app


@pytest.fixture(scope="module")
def app(town: Town) -> FastAPI:
    return application(town)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serving(app) as client:
        yield client


@pytest.mark.parametrize("name", RAISED)
def test_each_error_has_its_answer(client: httpx.Client, name: str) -> None:
    error, status, again = RAISED[name]
    told = client.get(f"/raised/{name}")
    assert told.status_code == status
    assert told.headers.get("retry-after") == again
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers["cache-control"] == "no-store"
    body = told.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert CANARY not in told.text
    assert "x-told" not in told.headers
    if isinstance(error, HTTPException) and status != 404:
        assert (body.get("detail") or body.get("errors")) == error.detail
        assert told.headers.get("x-tea") == (error.headers or {}).get("X-Tea")


def test_every_404_is_the_same(client: httpx.Client) -> None:
    names = [name for name, (_, status, _) in RAISED.items() if status == 404]
    answers = [client.get(f"/raised/{name}") for name in names] + [client.get("/elsewhere")]
    same = {
        (a.content, tuple((k, v) for k, v in a.headers.items() if k != "date")) for a in answers
    }
    assert len(same) == 1


def test_what_is_no_error_is_no_problem(client: httpx.Client) -> None:
    told = client.get("/unchanged")
    assert (told.status_code, told.content, told.headers["etag"]) == (304, b"", '"1"')


WRONG: dict[str, tuple[Any, dict[str, str], list[tuple[str, str]]]] = {
    "missing": ({}, {}, [("body.owner", "missing")]),
    "a validator that repeats it": (
        {"owner": {"email": f"{CANARY}@example.com"}}, {}, [("body.owner.email", "value_error")],
    ),
    "an address that is none": (
        {"owner": {"email": f"{CANARY} x"}}, {}, [("body.owner.email", "value_error")],
    ),
    "a name that is not declared": (
        {"owner": {"email": "a@example.com"}, f"{CANARY}": 1}, {}, [("body.*", "extra_forbidden")],
    ),
    "a key that was sent": (
        {"owner": {"email": "a@example.com"}, "tags": {f"{CANARY} <b>": "x"}},
        {},
        [("body.tags.*", "int_parsing")],
    ),
    "a number": (
        {"owner": {"email": "a@example.com"}},
        {"number": CANARY},
        [("query.number", "int_parsing")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_validation_error_repeats_nothing(client: httpx.Client, what: str) -> None:
    body, query, wrong = WRONG[what]
    told = client.post("/strict", json=body, params=query)
    assert told.status_code == 422
    assert told.headers["content-type"] == "application/problem+json"
    assert [(each["at"], each["kind"]) for each in told.json()["errors"]] == wrong
    assert CANARY not in told.text
    assert "input" not in told.json()["errors"][0]


def test_a_body_that_is_no_json(client: httpx.Client) -> None:
    told = client.post(
        "/strict", content=f'{{"{CANARY}', headers={"Content-Type": "application/json"}
    )
    assert (told.status_code, told.json()["errors"][0]["kind"]) == (422, "json_invalid")
    assert CANARY not in told.text


def test_a_method_that_is_not_served(client: httpx.Client) -> None:
    told = client.delete("/here")
    assert (told.status_code, told.headers["allow"]) == (405, "GET")
    assert told.json()["title"] == "Method Not Allowed"


def test_openapi_says_what_is_answered(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    told = schema["paths"]["/here"]["get"]["responses"]
    assert {"400", "401", "403", "404", "409", "422", "429", "503"} <= told.keys()
    for status in told.keys() - {"200"}:
        assert list(told[status]["content"]) == ["application/problem+json"]
    assert schema["paths"]["/here"]["get"]["security"] == [{"bearer": []}]


def test_over_quota(client: httpx.Client, town: Town) -> None:
    with town.plane.database.begin() as connection:
        set_limit(connection, TENANTS["globex"][0], "requests_per_minute", 3)
    headers = town.bearer("bob", "globex") | {"X-Tenant": "globex"}
    answers = [client.get("/here", headers=headers) for _ in range(8)]
    refused = [told for told in answers if told.status_code == 429]
    assert 5 <= len(refused) <= 6  # a minute may have begun anew
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    said = "the tenant has used up what it may have of requests_per_minute"
    assert refused[0].json()["detail"] == said
    stranger = town.bearer("ann", "acme") | {"X-Tenant": "globex"}
    assert client.get("/here", headers=stranger).status_code == 404
    assert client.get("/here", headers=town.bearer("ann", "acme") | {"X-Tenant": "acme"}).is_success


def test_databases_that_are_down(town: Town) -> None:
    headers = town.bearer("ann", "acme") | {"X-Tenant": "acme"}
    away = "postgresql://app@127.0.0.1:1/away"
    with Tenancy(away, RowSecurity()) as tenancy:
        told = asked(
            application(replace(town, tenancy=tenancy)),
            "/read",
            headers=headers,
        )
        assert (told.status_code, told.headers["retry-after"]) == (503, "5")
        assert "127.0.0.1" not in told.text
    with ControlPlane(away, tokens=TOKENS) as plane:
        told = asked(
            application(replace(town, plane=plane)),
            "/here",
            headers=headers,
        )
        assert (told.status_code, told.headers["retry-after"]) == (503, "5")


def failed(connect: Callable[[], object]) -> int:
    with pytest.raises(OperationalError) as raised:
        connect()
    return answer(raised.value).status_code


def test_which_errors_of_sqlite_pass(tmp_path: Path) -> None:
    missing = create_engine(f"sqlite:///{tmp_path}/no/folder.db")
    assert failed(missing.connect) == 503
    engine = create_engine(f"sqlite:///{tmp_path}/here.db", connect_args={"timeout": 0})
    with engine.connect() as connection:
        assert failed(lambda: connection.execute(text("SELECT * FROM nowhere"))) == 500
        connection.execute(text("CREATE TABLE t (a)"))
        connection.commit()
        connection.execute(text("INSERT INTO t VALUES (1)"))
        with engine.connect() as other:
            assert failed(lambda: other.execute(text("INSERT INTO t VALUES (1)"))) == 503
    engine.dispose()


def dialled(app: FastAPI, headers: dict[str, str], *, denials: bool) -> list[dict[str, Any]]:
    """What an application says to a WebSocket that is asked for."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {
        "type": "websocket", "path": "/socket", "raw_path": b"/socket", "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        "extensions": {"websocket.http.response": {}} if denials else {},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]  # fewer kinds of messages
    return said


def test_a_websocket(app: FastAPI, town: Town) -> None:
    headers = town.bearer("ann", "acme") | {"X-Tenant": "acme"}
    kinds = [said["type"] for said in dialled(app, headers, denials=True)]
    assert kinds == ["websocket.accept", "websocket.send", "websocket.close"]
    for refused, status in ((headers | {"X-Tenant": "globex"}, 404), ({}, 401)):
        begun, body = dialled(app, refused, denials=True)
        assert (begun["type"], begun["status"]) == ("websocket.http.response.start", status)
        assert b'"status":' in body["body"]
        (closed,) = dialled(app, refused, denials=False)
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


def test_an_application_keeps_its_own_handlers(town: Town) -> None:
    access = TenantAccess(town.tenancy, town.plane, resolve=[Header()])
    app = FastAPI()

    @app.exception_handler(errors.PartywallError)
    async def own(request: object, error: Exception) -> Response:
        del request, error
        return Response("mine", 499)

    @app.get("/here")
    async def here(context: Annotated[TenantContext, Depends(access)]) -> str:
        return context.tenant_id

    access.protect(app)
    assert asked(app, "/here").status_code == 499
