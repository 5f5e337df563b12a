"""A declared log-in: its request, and what is taken from its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from partywall.errors import TargetError
from partywall.survey.http.actors import Actor
from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.http.settings import LogIn
    from partywall.survey.http.wire import Answer, Wire

NAMED = re.compile(r"{([^{}\s]+)}")
NOTHING = object()
LONGEST = 200
SHORTEST_SECRET = 3


async def sign_in(actor: Actor, log_in: LogIn, wire: Wire) -> None:
    """Ask for *actor*'s credentials, and put those of the answer in place of the old ones.

    Templates take ``{a.b}`` from the JSON answer, ``{headers.x-token}`` and ``{cookies.csrf}``
    from the rest of it. All cookies that the answer gives are kept.

    Raises:
        TargetError: it was refused, or gave nothing; the message holds no secret.
    """
    renewed = {name.lower() for name in log_in.headers} | {"authorization"}
    kept = {k: v for k, v in actor.headers.items() if k.lower() not in renewed}
    asking = Actor(actor.name, kept, actor.cookies, base=actor.base)
    answer = await wire.send(asking, _request(log_in))
    at = f"the log-in of {actor.name}, {log_in.method} {log_in.path},"
    if not answer.ok and not (300 <= answer.status < 400 and answer.cookies):  # noqa: PLR2004 - RFC 9110, 15.4: forms answer so
        said = _hidden(answer.text or answer.error, log_in)[:LONGEST].strip()
        raise TargetError(f"{at} was answered {answer.status or 'nothing'}: {said}".rstrip(": "))
    cookies = {name: value for name, value in answer.cookies.items() if value}
    headers = {k: str(_filled(v, answer, at)) for k, v in log_in.headers.items()}
    cookies |= {k: str(_filled(v, answer, at)) for k, v in log_in.cookies.items()}
    if not headers and not cookies:
        raise TargetError(
            f"{at} gave no cookie, and no header is taken from its answer: say which, as in "
            'headers = { Authorization = "Bearer {access_token}" }'
        )
    own = {name: _filled(text, answer, at) for name, text in log_in.own.items()}
    gone = {name for name, value in answer.cookies.items() if not value}
    actor.headers = {**kept, **headers}
    actor.cookies = {
        k: v for k, v in {**actor.cookies, **cookies}.items() if k not in gone - {*cookies}
    }
    actor.own.update(own)


def _request(log_in: LogIn) -> Request:
    parts = urlsplit(log_in.path)
    base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    asked = Request(log_in.method, parts.path or "/", query, base=base)
    if log_in.form is not None:
        form = dict(log_in.form)
        return asked.but(media="application/x-www-form-urlencoded", body=form)
    if log_in.json is not None:
        return asked.but(media="application/json", body=log_in.json)
    return asked


def _filled(template: str, answer: Answer, at: str) -> Any:  # noqa: ANN401 - any JSON
    """*template* with what it names; a template that is one name keeps the value's type."""
    if whole := NAMED.fullmatch(template):
        return _value(whole[1], answer, at)
    return NAMED.sub(lambda found: str(_value(found[1], answer, at)), template)


def _value(name: str, answer: Answer, at: str) -> Any:  # noqa: ANN401 - any JSON
    found = _inside(answer.json, name.split("."))
    place, _, key = name.partition(".")
    if found is NOTHING and place in {"headers", "cookies"}:
        told = answer.cookies if place == "cookies" else answer.headers
        found = told.get(key if place == "cookies" else key.lower()) or NOTHING
    if found is NOTHING or found is None or isinstance(found, dict | list):
        there = ", ".join(_names(answer.json)) or "no JSON object"
        raise TargetError(f"{at} was answered {answer.status} without {name}; it has {there}")
    return found


def _inside(value: Any, names: list[str]) -> Any:  # noqa: ANN401 - any JSON
    for name in names:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return NOTHING
    return value


def _names(value: Any, before: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON
    for name, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict):
            yield from _names(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _hidden(text: str, log_in: LogIn) -> str:
    """What the server said, without what it was told: some repeat a wrong password."""
    for secret in sorted(_texts([log_in.json, log_in.form]), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif hasattr(value, "values"):
        yield from _texts(list(value.values()))
    elif isinstance(value, str | int) and len(str(value)) >= SHORTEST_SECRET:
        yield str(value)
