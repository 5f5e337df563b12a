"""No route without a tenant by accident: what the start refuses, and what is refused later."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route
from starlette.staticfiles import StaticFiles

from partywall import TenantContext
from partywall.adapters.fastapi import Header, TenantAccess, public
from partywall.errors import ConfigurationError
from tests.adapters.fastapi.town import Town, asked, serving, started


@pytest.fixture(scope="module")
def access(town: Town) -> TenantAccess:
    return TenantAccess(town.tenancy, town.plane, resolve=[Header()])


def nothing() -> str:
    return "nothing"


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()


def plain(request: Request) -> PlainTextResponse:
    del request
    return PlainTextResponse("")


class Endpoint(HTTPEndpoint):
    def get(self, request: Request) -> PlainTextResponse:
        del request
        return PlainTextResponse("")


def included(router: APIRouter) -> Callable[[FastAPI], None]:
    def add(app: FastAPI) -> None:
        outer = APIRouter(prefix="/outer")
        outer.include_router(router, prefix="/inner")
        app.include_router(outer)

    return add


def router(**options: Any) -> APIRouter:  # noqa: ANN401 - APIRouter's own
    made = APIRouter(**options)
    made.get("/bare")(nothing)
    return made


def sub(path: str = "/bare") -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.get(path)(nothing)
    return app


@public
def open_to_all() -> str:
    return "open"


@functools.wraps(open_to_all)
def wrapped() -> str:
    return open_to_all()


WAYS: dict[str, Callable[[FastAPI], Any]] = {
    "/bare": lambda app: app.get("/bare")(nothing),
    "/outer/inner/bare": included(router()),
    "/sub/bare": lambda app: app.mount("/sub", sub()),
    "/sub/deep/bare": lambda app: app.mount("/sub", deep()),
    "/socket": lambda app: app.websocket("/socket")(socket),
    "/raw-socket": lambda app: app.router.add_websocket_route("/raw-socket", socket),
    "/plain": lambda app: app.add_route("/plain", plain),
    "/class": lambda app: app.router.routes.append(Route("/class", Endpoint)),
    "/files": lambda app: app.mount("/files", StaticFiles(directory=".")),
    "/starlette/x": lambda app: app.mount("/starlette", Starlette(routes=[Route("/x", plain)])),
    "/routes/x": lambda app: app.router.routes.append(
        Mount("/routes", routes=[Route("/x", plain)])
    ),
    "/hosted": lambda app: app.router.routes.append(Host("a.test", sub("/hosted"))),
    "/wrapped": lambda app: app.get("/wrapped")(wrapped),
    "/depends": lambda app: app.get("/depends", dependencies=[Depends(nothing)])(nothing),
    "/first": lambda app: app.router.routes.insert(0, Route("/first", plain)),
}
"""How a route comes into an application without access -> its path, which the refusal names."""


def deep() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.mount("/deep", sub())
    return app


def application(access: TenantAccess) -> FastAPI:
    app = FastAPI()

    @app.get("/here")
    def here(context: Annotated[TenantContext, Depends(access)]) -> str:
        return context.tenant_id

    return app


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("when", ["before protect", "after protect", "in the lifespan"])
def test_a_bare_route_stops_the_start(access: TenantAccess, path: str, when: str) -> None:
    app = application(access)
    if when == "before protect":
        WAYS[path](app)
    access.protect(app)
    if when == "after protect":
        WAYS[path](app)
    elif when == "in the lifespan":
        app.router.on_startup.append(lambda: WAYS[path](app))
    with pytest.raises(ConfigurationError, match=f"marked: .*{path}[. ]"):
        started(app)


@pytest.mark.parametrize("path", WAYS)
def test_a_bare_route_that_is_added_later_is_never_served(
    access: TenantAccess, town: Town, path: str
) -> None:
    app = application(access)
    access.protect(app)
    headers = town.bearer("ann", "acme") | {"X-Tenant": "acme"}
    assert asked(app, "/here", headers=headers).status_code == 200
    WAYS[path](app)
    answer = asked(app, path, fails=True, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")


def test_a_bare_route_in_a_router_that_was_included_before(
    access: TenantAccess, town: Town
) -> None:
    inner = APIRouter()
    app = application(access)
    included(inner)(app)
    access.protect(app)
    headers = town.bearer("ann", "acme") | {"X-Tenant": "acme"}
    assert asked(app, "/here", headers=headers).status_code == 200
    inner.get("/bare")(nothing)
    assert asked(app, "/outer/inner/bare", fails=True, headers=headers).status_code == 500


def test_the_server_does_not_start(access: TenantAccess) -> None:
    app = application(access)
    access.protect(app)
    app.get("/bare")(nothing)
    with pytest.raises(AssertionError), serving(app):
        pass


def test_without_lifespan_nothing_is_served(access: TenantAccess) -> None:
    app = application(access)
    access.protect(app)
    app.get("/bare")(nothing)
    for path in ("/bare", "/here", "/elsewhere"):
        with pytest.raises(ConfigurationError, match="/bare"):
            asked(app, path)


def test_what_has_access_or_is_public_starts(access: TenantAccess, tmp_path: Path) -> None:
    def nested(context: Annotated[TenantContext, Depends(access)]) -> str:
        return context.tenant_id

    class Handlers:
        @public
        def method(self) -> str:
            return "public"

    app = application(access)
    app.get("/open")(open_to_all)
    app.get("/method")(Handlers().method)
    app.get("/nested", dependencies=[Depends(nested)])(nothing)
    for number, each in enumerate((access.requires("a:b"), access.session, access.async_session)):
        app.get(f"/given/{number}", dependencies=[Depends(each)])(nothing)
    included(router(dependencies=[Depends(access)]))(app)
    app.include_router(router(), prefix="/given", dependencies=[Depends(access)])
    app.mount("/sub", FastAPI(dependencies=[Depends(access)]))
    app.mount("/files", public(StaticFiles(directory=tmp_path)))
    app.mount("/marked", public(sub()))
    app.websocket("/socket", dependencies=[Depends(access)])(socket)
    (tmp_path / "index.html").write_text("front")
    guarded = APIRouter(dependencies=[Depends(access)])
    guarded.frontend("/guarded", directory=tmp_path)
    app.include_router(guarded)
    access.protect(app)
    with serving(app) as client:
        assert client.get("/open").text == '"open"'
        assert client.get("/method").text == '"public"'
        assert client.get("/marked/bare").text == '"nothing"'
        assert client.get("/files/index.html").text == "front"
        for path in (
            "/nested",
            "/given/0",
            "/given/1",
            "/given/2",
            "/outer/inner/bare",
            "/given/bare",
            "/guarded/x",
        ):
            assert client.get(path).status_code == 401, path
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/docs").status_code == 200


def test_a_frontend_is_refused_unless_it_is_named(access: TenantAccess, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("front")
    refused = application(access)
    refused.frontend("/", directory=tmp_path)
    access.protect(refused)
    with pytest.raises(ConfigurationError, match="frontend"):
        started(refused)
    named = application(access)
    named.frontend("/", directory=tmp_path)
    access.protect(named, files=["/ (frontend)"])
    assert asked(named, "/").text == "front"
    assert asked(named, "/here").status_code == 401


@pytest.mark.parametrize("before", [False, True], ids=["the first", "a second"])
def test_a_frontend_that_is_added_later_is_never_served(
    access: TenantAccess, town: Town, tmp_path: Path, *, before: bool
) -> None:
    (tmp_path / "index.html").write_text("front")
    app, inner = application(access), APIRouter()
    if before:
        guarded = APIRouter(dependencies=[Depends(access)])
        guarded.frontend("/guarded", directory=tmp_path)
        app.include_router(guarded)
    included(inner)(app)
    access.protect(app)
    headers = town.bearer("ann", "acme") | {"X-Tenant": "acme"}
    assert asked(app, "/here", headers=headers).status_code == 200
    inner.frontend("/late", directory=tmp_path)
    assert asked(app, "/outer/inner/late", fails=True, headers=headers).status_code == 500


def test_what_looks_like_documentation_is_none(access: TenantAccess) -> None:
    def openapi() -> str:
        return "mine"

    app = application(access)
    app.get("/openapi")(openapi)
    access.protect(app)
    with pytest.raises(ConfigurationError, match="/openapi"):
        started(app)


def test_access_refuses_an_application_that_was_not_protected(
    access: TenantAccess, town: Town
) -> None:
    headers = town.bearer("ann", "acme") | {"X-Tenant": "acme"}
    with pytest.raises(ConfigurationError, match="protect"):
        asked(application(access), "/here", headers=headers)


def test_an_application_that_serves_already(access: TenantAccess) -> None:
    app = application(access)
    started(app)
    with pytest.raises(ConfigurationError, match="serves already"):
        access.protect(app)


def test_what_can_t_be_marked() -> None:
    with pytest.raises(ConfigurationError, match="can't mark"):
        public(len)
