"""Operations from recorded traffic (HAR 1.2), for what a description doesn't have."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from partywall.errors import ConfigurationError
from partywall.survey.http.credentials import carries
from partywall.survey.http.inference import inferred, inferred_from_texts
from partywall.survey.http.operations import PLACEHOLDER, Operation, Parameter
from partywall.survey.http.recorded import payloads
from partywall.survey.http.recorded_sockets import opened, sockets
from partywall.survey.http.templates import VALUE, ids_in, template
from partywall.survey.http.wire import host_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from partywall.survey.http.operations import Api, Place

METHODS = frozenset({"GET", "QUERY", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
NOT_THERE = frozenset({0, 404, 405})
SUCCESS = range(200, 300)
LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[?::1\]?)(?=:|$)")
CODE = re.compile(r"\.(js|mjs|css|map|woff2?|ttf|otf|eot|wasm|webmanifest)$", re.IGNORECASE)
PICTURE = re.compile(r"\.(png|jpe?g|gif|svg|ico|webp|avif|mp4|webm|html?|txt|xml)$", re.IGNORECASE)
BROWSER = re.compile(r"x-(requested-with|forwarded-.*|client-data|real-ip|request-id)")
STATIC = frozenset({"stylesheet", "script", "image", "font", "media", "websocket", "preflight"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request, and what it was answered."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    posted: dict[str, Any]
    status: int
    answer: Any


def read(
    files: Sequence[Path], base: str = "", known: Api | None = None, others: Iterable[str] = ()
) -> tuple[Operation, ...]:
    """The operations that recorded traffic shows, and *known* does not have.

    Args:
        base: the address of the API; traffic to other hosts is left out. Where it is this machine
            itself and nothing went to its port, another of its ports counts.
        others: further addresses of the same API.

    Raises:
        ConfigurationError: a file is no HAR, or holds nothing that went there.
    """
    bases = [one for one in (base, *others) if one]
    exchanges: list[Exchange] = []
    live: list[tuple[str, dict[str, Any]]] = []
    for file in files:
        entries, below = _entries(file), bases
        there = _exchanges(entries, below)
        if not there and (not bases or any(LOOPBACK.match(host_of(one)) for one in bases)):
            below = []
            there = _exchanges(entries, below)
        if not there:
            hosts = sorted({host_of(e["request"]["url"]) for e in entries})[:8]
            raise ConfigurationError(
                f"{file}: none of its requests goes to {', '.join(bases) or 'this machine'}; "
                f"they go to {', '.join(hosts) or 'nobody'}"
            )
        exchanges += there
        inside = ((_within(one["request"]["url"], below), one) for one in entries if opened(one))
        live += [(path, one) for path, one in inside if path is not None]
    described = known.operations if known else ()
    ids = {one for exchange in exchanges for one in ids_in(exchange.answer)}
    found = _operations(exchanges, ids, [_pattern(one) for one in described])
    return (*found, *sockets(live, ids))


def _operations(
    exchanges: Collection[Exchange],
    ids: Collection[str],
    known: Sequence[tuple[str, re.Pattern[str]]],
) -> Iterator[Operation]:
    alike: dict[tuple[str, str], list[tuple[Exchange, tuple[str, ...]]]] = defaultdict(list)
    for one in exchanges:
        if not any(m == one.method and pattern.fullmatch(one.path) for m, pattern in known):
            path, values = template(one.path, ids)
            alike[one.method, path].append((one, values))
    for (method, path), several in alike.items():
        same = [one for one, _ in several]
        if all(one.status in NOT_THERE for one in same):
            continue
        names = PLACEHOLDER.findall(path)
        columns = zip(*(values for _, values in several), strict=True)
        within = zip(names, columns, strict=True) if names else ()
        answers = [one.answer for one in same if one.status in SUCCESS and one.answer is not None]
        yield Operation(
            method,
            path,
            (
                *(_parameter(name, "path", list(texts), required=True) for name, texts in within),
                *_parameters(same),
            ),
            tuple(payloads([one.posted for one in same])),
            inferred(answers),
            known_from="traffic",
        )


def _parameters(same: Sequence[Exchange]) -> Iterator[Parameter]:
    """Of query and headers; one that each request had is required."""
    places: tuple[Place, ...] = ("query", "header")
    for place in places:
        told = [one.query if place == "query" else one.headers for one in same]
        for name in dict.fromkeys(name for pairs in told for name, _ in pairs):
            if carries(place, name):
                continue
            each = [[v for n, v in pairs if n == name] for pairs in told]
            there = [values for values in each if values]
            yield _parameter(
                name,
                place,
                [value for values in there for value in values],
                required=len(there) == len(same),
                listed=any(len(values) > 1 for values in there),
            )


def _parameter(
    name: str,
    place: Place,
    texts: list[str],
    *,
    required: bool,
    listed: bool = False,
) -> Parameter:
    one = inferred_from_texts(texts)
    schema = {"type": "array", "items": one} if listed else one
    last = texts[-1] if one.get("type") == "string" else json.loads(texts[-1])
    return Parameter(name, place, required, schema, None if place == "path" else last)


def _entries(file: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(file.read_bytes().decode("utf-8-sig"))["log"]["entries"]
        for one in entries:
            _ = one["request"]["url"], one["request"]["method"], one["response"]["status"]
    except OSError as error:
        raise ConfigurationError(f"{file} can't be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigurationError(
            f"{file} is no HAR file ({type(error).__name__}: {error}): in the browser's network "
            "panel, choose to save all as HAR with content"
        ) from error
    return sorted(entries, key=lambda one: str(one.get("startedDateTime", "")))


def _exchanges(entries: Iterable[dict[str, Any]], bases: Sequence[str]) -> list[Exchange]:
    """Those that went below one of *bases*; without any, to this machine."""
    return [one for entry in entries if (one := _exchange(entry, bases)) is not None]


def _exchange(entry: dict[str, Any], bases: Sequence[str]) -> Exchange | None:
    request, response = entry["request"], entry["response"]
    parts = urlsplit(request["url"])
    inside = _within(request["url"], bases)
    method = str(request["method"]).upper()
    kind = str(entry.get("_resourceType", "")).lower()
    if inside is None or method not in METHODS or kind in STATIC or _static(inside):
        return None
    headers = [(str(h["name"]).lower(), str(h["value"])) for h in request.get("headers") or ()]
    return Exchange(
        method,
        inside,
        tuple(parse_qsl(parts.query, keep_blank_values=True)),
        tuple((n, v) for n, v in headers if n.startswith("x-") and not BROWSER.fullmatch(n)),
        request.get("postData") or {},
        int(response["status"]),
        _json(response.get("content") or {}),
    )


def _within(url: str, bases: Sequence[str]) -> str | None:
    """The path below one of *bases*, or on this machine; None where it is elsewhere."""
    host, path = host_of(url), urlsplit(url).path or "/"
    if not bases:
        return path if LOOPBACK.match(host) else None
    for base in bases:
        prefix = urlsplit(base).path.rstrip("/")
        here = LOOPBACK.sub("here", host) == LOOPBACK.sub("here", host_of(base))
        if here and (path == prefix or path.startswith(prefix + "/")):
            return path[len(prefix) :] or "/"
    return None


def _static(path: str) -> bool:
    """Code is; a picture too, unless its path holds the id of something."""
    parts = re.split(r"[/.]", path)
    if CODE.search(path):
        return True
    return PICTURE.search(path) is not None and not any(VALUE.fullmatch(part) for part in parts)


def _json(content: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    text = content.get("text") or ""
    try:
        return json.loads(b64decode(text) if content.get("encoding") == "base64" else text)
    except ValueError:
        return None


def _pattern(operation: Operation) -> tuple[str, re.Pattern[str]]:
    parts = PLACEHOLDER.split((operation.prefix + operation.path).rstrip("/"))
    fixed = [re.escape(part) for part in parts[::2]]
    return operation.method, re.compile("[^/]+".join(fixed) + "/?")
