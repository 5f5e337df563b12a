"""Requests as commands that can be pasted into bash."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from partywall.survey.http.answers import returned
from partywall.survey.http.hiding import CONTROL
from partywall.survey.http.shell import cookies, headers, variables_of, word
from partywall.survey.http.wire import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.wire import Request

__all__ = ["curl", "named", "returned"]

MULTIPART = "multipart/form-data"
BOUNDARY = "partywall"

GLOBBED = re.compile(r"[\[\]{}]")
DOTTED = re.compile(r"/(?:\.|%2e)", re.IGNORECASE)
MEDIA = re.compile(r"[\w.+-]+/[\w.+-]+")
QUOTED = re.compile(r"""'[^']*'|"([^"]*)\"""")
NAMED = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)")


def curl(
    actor: Actor, request: Request, base: str, *, others: Iterable[Actor] = (), verify: bool = True
) -> str:
    """The command that asks the same as `Wire.send` does; credentials come from the environment.

    Args:
        actor: who asks.
        request: what is asked.
        base: the API's address, where neither request nor actor has its own.
        others: whose credentials mustn't be seen either.
        verify: whether the server's certificate is checked.
    """
    secrets = variables_of((*others, actor))
    url = _url((request.base or actor.base or base).rstrip("/") + request.target)
    before, after, carried = _body(request, secrets)
    words = ["curl", "-sS", "-i", *([] if verify else ["-k"]), *_method(request)]
    words += ["-g"] if GLOBBED.search(url) else []
    words += ["--path-as-is"] if DOTTED.search(url) else []
    words.append(word(secrets, url))
    for name, value in headers(carried, actor.headers, dict(request.headers)):
        words += ["-H", word(secrets, f"{name}: ", value) if value else word({}, f"{name};")]
    if told := cookies(actor, request):
        words += ["-b", word(secrets, *told)]
    return " ".join([*before, *words, *after])


def named(command: str) -> list[str]:
    """The environment variables that a command takes, in their order."""
    spoken = [match[1] or "" for match in QUOTED.finditer(command)]
    return list(dict.fromkeys(name for part in spoken for name in NAMED.findall(part)))


def _url(text: str) -> str:
    """An address as httpx sends it."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return quote(text, safe=":/?#[]@!$&'()*+,;=%")
    return f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode()}"


def _method(request: Request) -> list[str]:
    if request.method == "HEAD":
        return ["--head"]
    plain = request.method == "GET" and not request.media
    return [] if plain else ["-X", shlex.quote(request.method)]


def _body(
    request: Request, secrets: Mapping[str, str]
) -> tuple[list[str], list[str], dict[str, str]]:
    """What stands before the command, what after it, and the header that the body brings."""
    if not request.media:
        return [], [], {}
    carried = encoded(request)
    if "files" in carried:
        if parts := _parts(carried, secrets):
            return [], parts, {}
        carried["headers"] = {"content-type": f"{MULTIPART}; boundary={BOUNDARY}"}
    sent = httpx.Request(request.method, "http://a", **carried)
    if "content-type" not in sent.headers:  # a form without fields: httpx sends nothing
        return [], [], {}
    text = sent.read().decode()
    header = {"Content-Type": sent.headers["content-type"]}
    if CONTROL.search(text):
        printed = ["printf", "%b", word(secrets, _escaped(text)), "|"]
        return printed, ["--data-binary", "@-"], header
    return [], ["--data-raw", word(secrets, text)], header


def _parts(carried: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
    """A form's fields and files as curl's options; none where an option can't say it."""
    words = []
    spoken = []
    for name, value in carried["data"].items():
        for one in value if isinstance(value, list) else [value]:
            spoken += [name, one]
            words += ["--form-string", word(secrets, f"{name}=", one)]
    files = carried["files"] if isinstance(carried["files"], list) else []
    for name, (file, content, media) in files:
        text = content.decode()
        spoken += [name, file, text]
        told = f'{name}="{_backslashed(text)}";filename="{_backslashed(file)}";type={media}'
        words += ["-F", word(secrets, told)]
    named = (*carried["data"], *(name for name, _ in files))
    sayable = all(name and not re.search(r'[="\\\t\n]', name) for name in named)
    known = all(
        MEDIA.fullmatch(media) and not re.search(r"[\t\n]", file) for _, (file, _, media) in files
    )
    return words if sayable and known and not any(map(CONTROL.search, spoken)) else []


def _backslashed(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(text: str) -> str:
    """A text as printf's %b reads it."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return CONTROL.sub(lambda m: "".join(f"\\0{byte:03o}" for byte in m[0].encode()), text)
