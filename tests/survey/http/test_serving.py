"""Applications of any kind, imported and served: what answers, what is said when one doesn't."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from flask import Flask, request
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from partywall.errors import ConfigurationError
from partywall.survey.http.serving import loaded, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MODULE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
number = 7

class Deep:
    app = app

def create_app(name="x"):
    return app

def create_nothing():
    return None

def create_broken():
    raise KeyError("DATABASE_URL")

def needs(one):
    return app

async def bare(scope, receive, send):
    pass

def wsgi(environ, start_response):
    return []
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the working folder."""
    name = f"shop_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("import there_is_no_such_module")
    (tmp_path / f"{name}_exits.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


@pytest.mark.parametrize("attribute", ["app", "Deep.app", "create_app"])
def test_an_application_by_its_name(module: str, attribute: str) -> None:
    app = loaded(f"{module}:{attribute}")
    assert app is loaded(app)
    assert isinstance(app, Starlette)


@pytest.mark.parametrize("attribute", ["bare", "wsgi"])
def test_an_application_that_is_a_function(module: str, attribute: str) -> None:
    assert loaded(f"{module}:{attribute}").__name__ == attribute


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{}", "names no attribute of a module"),
        ("{}:", "names no attribute of a module"),
        ("{}:nothing", "could not be imported: AttributeError"),
        ("{}_absent:app", "could not be imported: ModuleNotFoundError"),
        ("{}_broken:app", "could not be imported: ModuleNotFoundError: No module named 'there_is"),
        ("{}_exits:app", "could not be imported: SystemExit: 3"),
        ("{}:number", "is a int, and no ASGI or WSGI application"),
        ("{}:needs", "is a function, and no ASGI or WSGI application"),
        ("{}:create_nothing", "is a NoneType, and no ASGI"),
        ("{}:create_broken", "made no application: KeyError: 'DATABASE_URL'"),
    ],
)
def test_a_name_that_leads_to_none(module: str, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        loaded(name.format(module))


def test_an_asgi_application_with_its_lifespan() -> None:
    events = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        events.append("up")
        yield
        events.append("down")

    async def shown(_: Any) -> JSONResponse:  # noqa: ANN401 - a request
        return JSONResponse(list(events))

    before = threading.active_count()
    with served(Starlette(routes=[Route("/", shown)], lifespan=lifespan)) as base:
        assert base.startswith("http://127.0.0.1:")
        assert httpx.get(base, trust_env=False).json() == ["up"]
    assert events == ["up", "down"]
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(base, trust_env=False)


def test_a_wsgi_application() -> None:
    app = Flask(__name__)
    app.add_url_rule("/echo", "echo", lambda: {"told": request.json}, methods=["POST"])
    with served(app) as base:
        assert httpx.post(f"{base}/echo", json={"a": 1}, trust_env=False).json() == {
            "told": {"a": 1}
        }


def test_a_bare_application_that_knows_no_lifespan() -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with served(app) as base:
        assert httpx.get(base, trust_env=False).status_code == 204


def test_two_at_once() -> None:
    def named(name: str) -> Starlette:
        return Starlette(routes=[Route("/", lambda _: JSONResponse(name))])

    with served(named("one")) as one, served(named("two")) as two:
        assert [httpx.get(base, trust_env=False).json() for base in (one, two)] == ["one", "two"]


def test_an_application_that_does_not_start_says_why() -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no database at db:5432")
        yield

    with (
        pytest.raises(ConfigurationError, match="did not start: RuntimeError: no database at db"),
        served(Starlette(lifespan=lifespan)),
    ):
        pytest.fail("it is served")


def test_what_fails_within_is_answered_and_not_printed(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> JSONResponse:
        raise KeyError("inside")

    level = logging.getLogger("uvicorn.error").level
    with served(Starlette(routes=[Route("/", broken)])) as base:
        assert httpx.get(base, trust_env=False).status_code == 500
    assert capfd.readouterr() == ("", "")
    assert not [one for one in caplog.records if one.name.startswith("uvicorn")]
    assert logging.getLogger("uvicorn.error").level == level


def test_it_ends_with_the_block_whatever_ends_it() -> None:
    with pytest.raises(KeyboardInterrupt), served(Starlette()) as base:
        raise KeyboardInterrupt
    with pytest.raises(httpx.ConnectError):
        httpx.get(base, trust_env=False)
