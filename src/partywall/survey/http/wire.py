"""Requests and answers, and the one way they travel: bounded, counted, to declared hosts only."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode, urlsplit

import httpx

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.http.cookies import given
from partywall.survey.http.trust import trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from partywall.survey.http.actors import Actor

AT_ONCE = 8
LISTENERS = 24
"""So many more connections may stay open, to hear what comes."""
EVENTS = "text/event-stream"
EVENTS_S = 0.7
"""So long an answer is read that may never end,"""
QUIET_S = 0.2
"""or until nothing more has come for so long."""
PATIENCE = 3
"""So many times a request is sent whose connection broke, or which was told to come later."""
STORM = 60
"""So many answers in a row that are 5xx, or none at all, end the run."""
LONGEST_WAIT_S = 5.0
TOO_MANY, UNAVAILABLE = 429, 503
WORST = 500


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    name: str
    content: str
    media: str = "text/plain"


@dataclass(frozen=True)
class Request:
    """What is asked, without who asks: credentials are the actor's.

    Attributes:
        path: percent-encoded, without the query.
        query: pairs, as sent.
        media: of the body; "" for none. Forms and multipart are a dict in `body`.
        body: a JSON value; a dict of fields and `Upload`s for forms; text for others.
        base: another base address than the actor's own; "" for that.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[tuple[str, str], ...] = ()
    media: str = ""
    body: Any = None
    base: str = ""

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @cached_property
    def text(self) -> str:
        """All that is sent, in one text, to look for what an answer may only echo."""
        body = json.dumps(self.body, default=_sent, ensure_ascii=False) if self.media else ""
        pairs = [*self.query, *self.headers, *self.cookies]
        told = [self.base, self.path, *(f"{k}={v}" for k, v in pairs), body]
        return "\n".join(told)

    def but(self, **changes: Any) -> Request:  # noqa: ANN401 - fields of its own
        """The same with something changed."""
        return replace(self, **changes)


def _sent(value: object) -> str:
    return value.content if isinstance(value, Upload) else str(value)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 when nothing came back; `error` then says why.
        headers: by name in lower case; of several of one name, the last.
        cookies: those that it gives, by name; "" for one that it takes back.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    error: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it says success, by its status and, where it does, in its body."""
        if not 200 <= self.status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
            return False
        told = self.json
        if not isinstance(told, dict):
            return True
        return told.get("ok") is not False and told.get("success") is not False

    @property
    def accepted(self) -> bool:
        """Whether it says success, as a form's redirect to what comes next does."""
        onward = self.headers.get("location", "").lower()
        door = any(word in onward for word in ("login", "log-in", "signin", "sign-in", "auth"))
        return self.ok or (self.status in {301, 302, 303} and bool(onward) and not door)

    @property
    def words(self) -> str:
        """What the server said, in a line."""
        if not self.status:
            return self.error
        said = " ".join(self.text.split())
        return f"{self.status} {said[:200]}".rstrip()

    @cached_property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None

    @cached_property
    def all(self) -> str:
        """Body and those headers that carry the application's values."""
        carried = ("location", "content-disposition", "link", "content-location", "set-cookie")
        return "\n".join([self.text, *(self.headers[n] for n in carried if n in self.headers)])


class Wire:
    """Sends requests as actors do, and counts them.

    Of `at_once` requests the next one waits. A `tolerant` wire takes failures for answers too.

    Raises (when sending):
        ConfigurationError: the request would go to a host that isn't declared.
        TargetError: the server stopped answering, or answers nothing but 5xx.
    """

    def __init__(  # noqa: PLR0913 - each is a promise of its own
        self,
        base: str,
        *,
        hosts: tuple[str, ...] = (),
        rate: float = 0,
        timeout_s: float = 10,
        follow_redirects: bool = False,
        verify: bool = True,
        at_once: int = AT_ONCE,
        tolerant: bool = False,
    ) -> None:
        self.base, self.verify, self.hosts = base.rstrip("/"), verify, hosts
        self.requests = 0
        self.unanswered = 0
        self._allowed = {host_of(base), *hosts}
        self._pause_s = 1 / rate if rate else 0.0
        self._next = 0.0
        self.streamed: set[tuple[str, str]] = set()
        self._limit = asyncio.Semaphore(at_once)
        self._tolerant = tolerant
        self._bad = 0
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            follow_redirects=follow_redirects,
            verify=trust(verify=verify),
            limits=httpx.Limits(
                max_connections=at_once + LISTENERS, max_keepalive_connections=at_once
            ),
            trust_env=False,
            headers={"user-agent": "partywall-probe"},
            event_hooks={"request": [self._vetted]},
        )

    async def __aenter__(self) -> Self:
        """Be ready to send."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def send(self, actor: Actor, request: Request) -> Answer:
        """Ask as *actor*; who is told to come later waits, and asks again."""
        answer = Answer(0)
        for again in range(PATIENCE):
            answer = await self._once(actor, request)
            if answer.status == TOO_MANY or (
                answer.status == UNAVAILABLE and "retry-after" in answer.headers
            ):
                await asyncio.sleep(_later_s(answer))
            elif answer.status or not (request.method == "GET" and again + 1 < PATIENCE):
                break
        self._watch(answer)
        return answer

    def address(self, actor: Actor, request: Request) -> str:
        """Where a request goes."""
        return (request.base or actor.base or self.base).rstrip("/") + request.target

    def headers(self, actor: Actor, request: Request) -> dict[str, str]:
        """All that it carries: the actor's credentials, and its own."""
        headers = {**actor.headers, **dict(request.headers)}
        if cookies := {**actor.cookies, **dict(request.cookies)}:
            headers["cookie"] = "; ".join(f"{k}={v}" for k, v in cookies.items())
        return headers

    @asynccontextmanager
    async def listening(self, actor: Actor, request: Request) -> AsyncIterator[httpx.Response]:
        """An answer that goes on within the block; it may be silent for as long as it likes."""
        await self.paced()
        built = self._built(actor, request)
        built.extensions["timeout"] = {**self._client.timeout.as_dict(), "read": None}
        found = await self._client.send(built, stream=True)
        try:
            yield found
        finally:
            await found.aclose()

    def _built(self, actor: Actor, request: Request) -> httpx.Request:
        carried = encoded(request)
        address, host = loopback(self.address(actor, request))
        headers = {**host, **carried.pop("headers", {}), **self.headers(actor, request)}
        return self._client.build_request(request.method, address, headers=headers, **carried)

    async def _once(self, actor: Actor, request: Request) -> Answer:
        async with self._limit:
            await self.paced()
            try:
                found = await self._client.send(self._built(actor, request), stream=True)
                content = await self._content(request, found)
            except httpx.InvalidURL as error:
                return Answer(400, error=str(error))
            except httpx.HTTPError as error:
                return Answer(0, error=f"{type(error).__name__}: {error}".rstrip(": "))
            finally:
                self._client.cookies.clear()
        answers = (*found.history, found)
        sent = [each for one in answers for each in one.headers.get_list("set-cookie")]
        return Answer(
            found.status_code,
            dict(found.headers.items()),
            content,
            cookies=given(sent),
        )

    async def _content(self, request: Request, found: httpx.Response) -> bytes:
        """All of an answer; of events what comes at once."""
        endless = found.headers.get("content-type", "").startswith(EVENTS)
        heard = b""
        try:
            if request.method != "GET" or not endless:
                return await found.aread()
            self.streamed.add((request.method, request.path))
            async with asyncio.timeout(EVENTS_S) as limit:
                end = limit.when() or 0
                async for part in found.aiter_bytes():
                    heard += part
                    limit.reschedule(min(end, asyncio.get_running_loop().time() + QUIET_S))
        except TimeoutError:
            return heard
        finally:
            await found.aclose()
        return heard

    async def paced(self) -> None:
        """Count one request more, and wait until it may go."""
        self.requests += 1
        if self._pause_s:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._pause_s
            await asyncio.sleep(at - now)

    async def _vetted(self, request: httpx.Request) -> None:
        """Also each redirect that is followed goes to a declared host, or not at all."""
        self.vet(str(request.url))

    def vet(self, url: str) -> None:
        """Let nothing go to a host that isn't declared.

        Raises:
            ConfigurationError: it would.
        """
        host = host_of(url)
        if host not in self._allowed and host.partition(":")[0] not in self._allowed:
            message = (
                f"a request would go to {host}, which isn't declared; if it may be attacked: "
                f'[api] hosts = ["{host}"]'
            )
            raise ConfigurationError(message)

    def _watch(self, answer: Answer) -> None:
        """End the run in a storm: an API that is down proves nothing and wants to be left alone."""
        if self._tolerant or (answer.status and answer.status < WORST):
            self._bad = 0
            return
        self._bad += 1
        if self._bad >= STORM:
            last = answer.error or f"status {answer.status}"
            message = (
                f"{STORM} requests in a row failed (the last: {last}); the run was stopped: "
                "see the server's own log, and ask fewer requests a second ([api] rate)"
            )
            raise TargetError(message)


def host_of(url: str) -> str:
    """Host and port of an address."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "wss": 443}.get(parts.scheme, 80)
    return f"{parts.hostname or ''}:{port}"


def loopback(base: str) -> tuple[str, dict[str, str]]:
    """An address below ``.localhost`` leads to this machine, always (RFC 6761, 6.3)."""
    parts = urlsplit(base)
    name = parts.hostname or ""
    if not name.endswith(".localhost"):
        return base, {}
    port = f":{parts.port}" if parts.port else ""
    rest = base.partition(parts.netloc)[2]
    return f"{parts.scheme}://127.0.0.1{port}{rest}", {"host": f"{name}{port}"}


def segment(value: object) -> str:
    """A value as one segment of a path."""
    return quote(str(value), safe="~")


def _later_s(answer: Answer) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said) if said.replace(".", "", 1).isdigit() else 1.0, LONGEST_WAIT_S)


def encoded(request: Request) -> dict[str, Any]:
    """The body of a request as httpx takes it, by the names of its arguments."""
    body, media = request.body, request.media
    if not media:
        return {}
    if media == "multipart/form-data":
        plain = {k: _plain(v) for k, v in body.items() if not isinstance(v, Upload | list)}
        listed = {k: v for k, v in body.items() if isinstance(v, list)}
        plain |= {k: [_plain(x) for x in v] for k, v in listed.items() if not _uploads(v)}
        files = [
            (k, (one.name, one.content.encode(), one.media))
            for k, v in body.items()
            for one in (v if isinstance(v, list) else [v])
            if isinstance(one, Upload)
        ]
        return {"data": plain, "files": files or {"": ("", b"")}}
    if media == "application/x-www-form-urlencoded":
        return {"data": {k: _plain(v) for k, v in body.items()}}
    if media.endswith("json"):
        content = json.dumps(body, default=_sent, ensure_ascii=False).encode()
    elif isinstance(body, Upload):
        content = body.content.encode()
    else:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
    return {"content": content, "headers": {"content-type": media}}


def _uploads(values: list[Any]) -> bool:
    return any(isinstance(one, Upload) for one in values)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
