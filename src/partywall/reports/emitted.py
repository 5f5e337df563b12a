# ruff: noqa: ANN401, PLR0913, PLR2004, S101 - it becomes a file of tests, about any JSON
"""What emitted tests are made with; its text goes into the file, so that it needs httpx only."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx

NAME = re.compile(r"{{(\w+)}}")
SEEN = ("location", "content-disposition", "link", "content-location", "set-cookie")
PATIENCE_S, PAUSE_S = 3.0, 0.1
"""So long the owner waits for what is written after the answer."""


class File(NamedTuple):
    """A file in a form."""

    name: str
    content: str
    media: str


class Seen(NamedTuple):
    """What came back."""

    status: int
    text: str
    json: Any


@dataclass
class Run:
    """One way to a breach, and what was learned on it."""

    known: dict[str, Any] = field(
        default_factory=lambda: {
            "fresh": f"pw{secrets.token_hex(6)}",
            "fresh_number": secrets.randbelow(2**31),
        }
    )

    def asks(self, actor: str, method: str, path: str, **more: Any) -> Seen:
        """The owner asks, and gets it: what follows would prove nothing otherwise."""
        end = time.monotonic() + PATIENCE_S
        seen = self._ask(method, path, **more)
        while method == "GET" and not 200 <= seen.status < 300 and time.monotonic() < end:
            time.sleep(PAUSE_S)
            seen = self._ask(method, path, **more)
        told = f"{actor} could not {method} {path}: {seen.status} {seen.text[:400]}"
        assert 200 <= seen.status < 300, told
        return seen

    def attacks(self, actor: str, method: str, path: str, **more: Any) -> Seen:
        """Somebody asks who may be refused; nothing comes back where a refusal came before."""
        del actor  # named for the reader; the credentials are in the headers
        try:
            return self._ask(method, path, **more)
        except LookupError:
            return Seen(0, "", None)

    def stays(
        self, before: Seen, part: str, actor: str, method: str, path: str, **more: Any
    ) -> bool:
        """Whether the owner goes on seeing the same, also a while later."""
        for _ in range(4):
            time.sleep(PAUSE_S)
            now = self.attacks(actor, method, path, **more)
            if (now.status, pointed(now, part)) != (before.status, pointed(before, part)):
                return False
        return True

    def text(self, template: str) -> str:
        """A text with its names filled in."""
        return str(self._filled(template))

    def _ask(
        self,
        method: str,
        path: str,
        *,
        base: str = "{{PARTYWALL_BASE}}",
        query: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        cookies: tuple[tuple[str, str], ...] = (),
        media: str = "",
        body: Any = None,
        takes: dict[str, str] | None = None,
    ) -> Seen:
        url = self.text(base).rstrip("/") + NAME.sub(
            lambda match: quote(str(self._value(match[1])), safe="~"), path
        )
        if query:
            url += "?" + urlencode([(self.text(k), self.text(v)) for k, v in query])
        told = {name: self.text(value) for name, value in headers}
        if cookies:
            told["cookie"] = "; ".join(f"{name}={self.text(value)}" for name, value in cookies)
        carried = _encoded(media, self._filled(body)) if media else {}
        told = {**carried.pop("headers", {}), **told}
        answer = httpx.request(method, url, headers=told, timeout=30, **carried)
        try:
            parsed = answer.json()
        except ValueError:
            parsed = None
        lines = [answer.text, *(answer.headers[name] for name in SEEN if name in answer.headers)]
        seen = Seen(answer.status_code, "\n".join(lines), parsed)
        for name, pointer in (takes or {}).items():
            self.known.pop(name, None)
            if (found := pointed(seen, pointer)) is not None:
                self.known[name] = found
        return seen

    def _value(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        if not name.isupper():
            raise LookupError(f"no answer had {name}")
        assert name in os.environ, f"the environment variable {name} is not set"
        return os.environ[name]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, File):
            return File(self.text(value.name), self.text(value.content), value.media)
        if isinstance(value, dict):
            return {self.text(key): self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if whole := NAME.fullmatch(value):
            return self._value(whole[1])
        return NAME.sub(lambda match: str(self._value(match[1])), value)


def pointed(seen: Seen, pointer: str) -> Any:
    """What a JSON pointer leads to in an answer, None where it leads nowhere; "" is all of it."""
    if not pointer:
        return seen.text if seen.json is None else seen.json
    found = seen.json
    for part in pointer[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            found = found.get(name) if isinstance(found, dict) else None
    return found


def _encoded(media: str, body: Any) -> dict[str, Any]:
    if media == "multipart/form-data":
        listed = [(k, one) for k, v in body.items() for one in (v if isinstance(v, list) else [v])]
        parts = [
            (k, (v.name, v.content.encode(), v.media) if isinstance(v, File) else (None, _plain(v)))
            for k, v in listed
        ]
        return {"files": parts}
    if media == "application/x-www-form-urlencoded":
        return {"data": {name: _plain(value) for name, value in body.items()}}
    content = json.dumps(body) if media.endswith("json") else _plain(body)
    return {"content": content.encode(), "headers": {"content-type": media}}


def _plain(value: Any) -> str:
    if isinstance(value, File):
        return value.content
    return value if isinstance(value, str) else json.dumps(value)
