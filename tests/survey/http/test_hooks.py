"""Hook files: what they may do, and what is said when they can't."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.http.actors import Actor
from partywall.survey.http.asking import asking
from partywall.survey.http.hooks import ARGUMENTS, Hooks, load
from partywall.survey.http.operations import Operation
from partywall.survey.http.serving import served
from partywall.survey.http.wire import Answer, Request, Wire
from tests.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request as Asked

    Loading = Callable[[str], Hooks]


async def echo(request: Asked) -> JSONResponse:
    body = (await request.body()).decode()
    kind = request.headers.get("content-type")
    told = [request.method, str(request.url.query), kind, body, request.headers.get("x-of")]
    return JSONResponse(told)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    routes = [Route("/echo", echo, methods=["GET", "POST"])]
    with served(Starlette(routes=routes)) as address:
        yield address


@pytest.fixture
def hooked(tmp_path: Path) -> Loading:
    """The hooks of a file with that content."""

    def loading(content: str) -> Hooks:
        file = tmp_path / "probe_hook.py"
        file.write_text(content)
        return load(file)

    return loading


def run(base: str, work: Callable[[Any], Any], actor: Actor) -> Any:  # noqa: ANN401 - what it gives
    async def running() -> Any:  # noqa: ANN401 - as above
        async with Wire(base) as wire:
            return await work(asking(wire, actor))

    return asyncio.run(running())


def test_without_a_file_nothing_is_hooked() -> None:
    none, actor = load(None), Actor("acme")

    async def send(*_: object, **__: object) -> Answer:
        raise AssertionError

    assert not asyncio.run(none.sign_in(actor, send))
    assert asyncio.run(none.create("note", actor, send)) is None
    request = Request("GET", "/")
    assert none.before_request(actor, request) is request
    assert not none.ignores(Operation("GET", "/"))


SIGN_IN = """
import json

{kind}def sign_in(tenant_name, send):
    answer = {wait}send("POST", "/echo", json={{"of": tenant_name}}, query={{"q": "1 2"}})
    other = {wait}send("post", "/echo", form={{"a": "b"}}, headers={{"X-Of": "form"}})
    return {{
        "headers": {{"X-Told": answer.json[3], "X-Number": 7}},
        "cookies": {{"form": other.json[3]}},
        "own": {{"asked": answer.json, "also": other.json}},
    }}
"""


@pytest.mark.parametrize(("kind", "wait"), [("", ""), ("async ", "await ")])
def test_signing_in_by_a_plain_or_an_async_function(
    base: str, hooked: Loading, kind: str, wait: str
) -> None:
    found = hooked(SIGN_IN.format(kind=kind, wait=wait))
    actor = Actor("acme", {"X-Of": "acme"}, own={"kept": 1})
    assert run(base, lambda send: found.sign_in(actor, send), actor) is True
    assert actor.headers == {"X-Of": "acme", "X-Told": '{"of": "acme"}', "X-Number": "7"}
    assert actor.cookies == {"form": "a=b"}
    assert actor.own == {
        "kept": 1,
        "asked": ["POST", "q=1+2", "application/json", '{"of": "acme"}', "acme"],
        "also": ["POST", "", "application/x-www-form-urlencoded", "a=b", "form"],
    }


def test_the_other_hooks(base: str, hooked: Loading) -> None:
    found = hooked(
        "def before_request(actor_name, request):\n"
        "    return request.but(headers=(*request.headers, ('X-Of', actor_name)))\n"
        "def create(kind, actor_name, send):\n"
        "    return send('GET', '/echo').status if kind == 'note' else None\n"
        "def ignore(operation):\n"
        "    return operation.path.startswith('/internal')\n"
        "def _own(): ...\n"
    )
    actor = Actor("acme")
    changed = found.before_request(actor, Request("GET", "/"))
    assert changed.headers == (("X-Of", "acme"),)
    assert run(base, lambda send: found.create("note", actor, send), actor) == 200
    assert run(base, lambda send: found.create("team", actor, send), actor) is None
    assert found.ignores(Operation("GET", "/internal/x"))
    assert not found.ignores(Operation("GET", "/x"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def sing_in(tenant_name, send): ...", "has sing_in.*did you mean sign_in?"),
        ("def help_me(): ...", "has help_me.*hooks are sign_in, before_request, create, ignore"),
        ("def ignore(): ...", "ignore must take operation, in this order"),
        ("def create(kind): ...", "create must take kind, actor_name, send"),
        ("async def ignore(operation): ...", "ignore can't be async"),
        ("1 / 0", "can't be run: ZeroDivisionError"),
        ("def (", "can't be run: SyntaxError"),
        ("raise SystemExit(1)", "can't be run: SystemExit"),
    ],
)
def test_a_file_that_can_not_be_used(hooked: Loading, content: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        hooked(content)
    assert "probe_hook.py" in str(caught.value)


@pytest.mark.parametrize("name", ["absent.py", "folder", "text.txt"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("x")
    with pytest.raises(ConfigurationError, match=f"there is no hook file .*{name} of Python"):
        load(tmp_path / name)


def test_what_a_file_imports_is_no_hook_of_its(hooked: Loading) -> None:
    found = hooked(
        "from json import loads\nfrom dataclasses import dataclass\n@dataclass\nclass A: ...\n"
    )
    assert not found.functions


BROKEN = """
def _deeper():
    raise KeyError("the secret")

def sign_in(tenant_name, send):
    _deeper()

async def create(kind, actor_name, send):
    _deeper()

def before_request(actor_name, request):
    _deeper()

def ignore(operation):
    _deeper()
"""


def test_a_function_that_fails_is_named_with_its_line_and_without_its_words(
    base: str, hooked: Loading
) -> None:
    found, actor = hooked(BROKEN), Actor("acme")
    calls: dict[str, Callable[[], object]] = {
        "sign_in": lambda: run(base, lambda send: found.sign_in(actor, send), actor),
        "create": lambda: run(base, lambda send: found.create("note", actor, send), actor),
        "before_request": lambda: found.before_request(actor, Request("GET", "/")),
        "ignore": lambda: found.ignores(Operation("GET", "/")),
    }
    assert set(calls) == set(ARGUMENTS)
    for name, call in calls.items():
        with pytest.raises(ConfigurationError) as caught:
            call()
        said = str(caught.value)
        assert re.search(rf"probe_hook\.py, line 3: {name} failed with KeyError$", said)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "def sign_in(tenant_name, send): return 7",
            "must give a dict of headers, cookies and own",
        ),
        ("def sign_in(tenant_name, send): return {'header': {}}", "must give a dict of headers"),
        ("def sign_in(tenant_name, send): return {'headers': 'x'}", "must give a dict of headers"),
        (
            "def create(kind, actor_name, send): return []",
            "must give an id or None, and gave a list",
        ),
        ("def before_request(actor_name, request): ...", "and gave a NoneType"),
    ],
)
def test_what_a_function_must_not_give(
    base: str, hooked: Loading, content: str, message: str
) -> None:
    found, actor = hooked(content), Actor("acme")

    async def all_of_them(send: Any) -> None:  # noqa: ANN401 - as asking gives it
        await found.sign_in(actor, send)
        await found.create("note", actor, send)
        found.before_request(actor, Request("GET", "/"))

    with pytest.raises(ConfigurationError, match=message):
        run(base, all_of_them, actor)


def test_an_error_of_the_probe_itself_goes_through(hooked: Loading) -> None:
    found = hooked("def sign_in(tenant_name, send):\n    send('GET', '/')")

    async def send(*_: object, **__: object) -> Answer:
        raise TargetError("60 requests in a row failed")

    with pytest.raises(TargetError, match="60 requests"):
        asyncio.run(found.sign_in(Actor("acme"), send))


def test_the_page_shows_each_hook(hooked: Loading) -> None:
    shown = hooked(blocks("how-to/probe-an-api.md", "python")[0])
    assert set(shown.functions) == set(ARGUMENTS)
    assert shown.ignores(Operation("GET", "/internal/x"))
