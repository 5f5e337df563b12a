"""Declared log-ins against a real server: what is taken from an answer, what is said of others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.http.actors import Actor
from partywall.survey.http.cookies import given
from partywall.survey.http.serving import served
from partywall.survey.http.settings import LogIn
from partywall.survey.http.signing_in import sign_in
from partywall.survey.http.wire import Request, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request as Asked

RIGHT = {"email": "ann@acme.example", "password": "the secret of acme"}


async def by_json(request: Asked) -> Response:
    """A token in many places; an old one is refused."""
    if "authorization" in request.headers:
        return JSONResponse({"detail": "that token ended"}, 401)
    asked = await request.json()
    if asked != RIGHT:
        return JSONResponse({"detail": [{"msg": "wrong", "input": asked}]}, 422)
    told: dict[str, Any] = {"token": "t1", "user": {"id": 7}, "teams": [{"id": "w1"}]}
    answer = JSONResponse(
        {**told, "gateway": request.headers.get("x-gateway")}, headers={"X-Csrf": "c1"}
    )
    answer.set_cookie("sid", "s1", httponly=True, secure=True, domain="acme.example")
    answer.set_cookie("lang", "en")
    answer.delete_cookie("old")
    return answer


async def by_form(request: Asked) -> Response:
    form = await request.form()
    answer = RedirectResponse("/", 302)
    if dict(form) == RIGHT and request.query_params["next"] == "/a b":
        answer.set_cookie("sid", "s2")
    return answer


async def nothing(_: Asked) -> Response:
    return Response(status_code=204)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    paths = {"/json": by_json, "/form": by_form, "/nothing": nothing}
    routes = [Route(path, view, methods=["POST"]) for path, view in paths.items()]
    with served(Starlette(routes=routes)) as address:
        yield address


def signed_in(base: str, log_in: LogIn, actor: Actor | None = None) -> Actor:
    one = actor or Actor("acme")

    async def run() -> None:
        async with Wire(base) as wire:
            await sign_in(one, log_in, wire)

    asyncio.run(run())
    return one


def test_headers_cookies_and_own_values_are_taken_from_the_answer(base: str) -> None:
    log_in = LogIn(
        "POST",
        "/json",
        json=RIGHT,
        headers={"Authorization": "Bearer {token}", "X-CSRF": "{headers.X-Csrf}", "X-Fixed": "1"},
        cookies={"copy": "{cookies.sid}-{user.id}"},
        own={"user_id": "{user.id}", "workspace_id": "{teams.0.id}", "text": "u{user.id}"},
    )
    found = signed_in(base, log_in)
    assert found.headers == {"Authorization": "Bearer t1", "X-CSRF": "c1", "X-Fixed": "1"}
    assert found.cookies == {"sid": "s1", "lang": "en", "copy": "s1-7"}
    assert found.own == {"user_id": 7, "workspace_id": "w1", "text": "u7"}


def test_a_second_log_in_leaves_the_old_token_at_home_and_keeps_the_rest(base: str) -> None:
    log_in = LogIn("POST", "/json", json=RIGHT, headers={"authorization": "Bearer {token}"},
                   own={"gate": "{gateway}"})  # fmt: skip
    actor = Actor(
        "acme", {"Authorization": "Bearer old", "X-Gateway": "g"}, {"old": "x", "kept": "y"}
    )
    signed_in(base, log_in, actor)
    signed_in(base, log_in, actor)
    assert actor.headers == {"X-Gateway": "g", "authorization": "Bearer t1"}
    assert actor.cookies == {"kept": "y", "sid": "s1", "lang": "en"}
    assert actor.own == {"gate": "g"}


def test_a_form_that_redirects_with_a_cookie(base: str) -> None:
    assert signed_in(base, LogIn("POST", "/form?next=%2Fa+b", form=RIGHT)).cookies == {"sid": "s2"}


def test_cookies_of_an_answer_that_a_followed_redirect_hides(base: str) -> None:
    async def run() -> dict[str, str]:
        async with Wire(base, follow_redirects=True) as wire:
            media = "application/x-www-form-urlencoded"
            asked = Request("POST", "/form", (("next", "/a b"),), media=media, body=RIGHT)
            answer = await wire.send(Actor("acme"), asked)
        assert answer.status == 404
        return answer.cookies

    assert asyncio.run(run()) == {"sid": "s2"}


def test_an_address_of_its_own(base: str) -> None:
    log_in = LogIn("POST", f"{base}/form?next=/a%20b", form=RIGHT)
    elsewhere = Actor("acme", base="http://127.0.0.1:1")
    assert signed_in(base, log_in, elsewhere).cookies == {"sid": "s2"}
    with pytest.raises(ConfigurationError, match=r"elsewhere\.example:80, which isn't declared"):
        signed_in(base, LogIn("POST", "http://elsewhere.example/form", form=RIGHT))


@pytest.mark.parametrize(
    ("log_in", "message"),
    [
        (LogIn("POST", "/form?next=x", form=RIGHT), "was answered 302$"),
        (LogIn("POST", "/nothing"), "gave no cookie, and no header is taken"),
        (LogIn("POST", "/none"), "the log-in of acme, POST /none, was answered 404: Not Found"),
        (LogIn("POST", "/json", json=RIGHT, headers={"A": "{acces}"}),
         "was answered 200 without acces; it has token, user.id, teams, gateway"),
        (LogIn("POST", "/json", json=RIGHT, headers={"A": "{user}"}), "without user; it has"),
        (LogIn("POST", "/json", json=RIGHT, headers={"A": "{gateway}"}), "without gateway"),
        (LogIn("POST", "/nothing", headers={"A": "{a}"}), "without a; it has no JSON object"),
    ],
)  # fmt: skip
def test_a_log_in_that_gives_nothing_says_so(base: str, log_in: LogIn, message: str) -> None:
    actor = Actor("acme", {"kept": "1"})
    with pytest.raises(TargetError, match=message):
        signed_in(base, log_in, actor)
    assert (actor.headers, actor.cookies) == ({"kept": "1"}, {})


def test_what_a_refusal_repeats_of_the_password_is_not_said(base: str) -> None:
    wrong = {**RIGHT, "password": "wrong and secret"}
    with pytest.raises(TargetError, match="was answered 422: ") as caught:
        signed_in(base, LogIn("POST", "/json", json=wrong))
    assert "wrong and secret" not in str(caught.value)
    assert "wrong" in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        (["a=1"], {"a": "1"}),
        (["a=1; Path=/; HttpOnly", 'b="x=y"; Secure'], {"a": "1", "b": '"x=y"'}),
        (["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], {"a": "1"}),
        (["a=1; Max-Age=0"], {"a": ""}),
        (["a=1; expires=Thu, 01-Jan-1970 00:00:00 GMT"], {"a": ""}),
        (["a=1; expires=Fri, 31 Dec 9999 23:59:59 GMT"], {"a": "1"}),
        (["a=1; expires=never"], {"a": "1"}),
        (["a=; Path=/"], {"a": ""}),
        (["nothing", "=1"], {}),
        (["a=1", "a=2"], {"a": "2"}),
    ],
)
def test_cookies_of_an_answer(headers: list[str], cookies: dict[str, str]) -> None:
    assert given(headers) == cookies
