"""Descriptions as they are kept: at an address or in files, in JSON or YAML, whole or in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from os.path import normpath
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx
import yaml

from partywall.errors import ConfigurationError
from partywall.survey.http.trust import trust

Send: TypeAlias = Callable[[str, Mapping[str, str]], bytes]
"""Fetches an address with headers; it says what went wrong by a ConfigurationError."""

PARTS = "x-partywall-parts"
"""Where the other files of a description stand within its document."""
HOPS = 5
TIMEOUT_S = 30


class _Yaml(yaml.SafeLoader):
    """YAML as JSON has its values: ``on`` is a text, a date is a text, and so is every key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as PyYAML calls it
        self.flatten_mapping(node)
        return {str(key.value): self.construct_object(one, deep=deep) for key, one in node.value}


_NEITHER = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag not in _NEITHER]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF")
)


def loaded(where: str, headers: Mapping[str, str], send: Send | None = None) -> dict[str, Any]:
    """The document at *where*, an address or a file, with the files that it refers to.

    Only what lies at the same origin, or on the same disk, is followed; *headers* go nowhere else.

    Raises:
        ConfigurationError: it can't be had, or is no JSON and no YAML; the message says the place.
    """
    fetch = send or fetched
    origin = _origin(where)
    where = where if origin else normpath(where)

    def at(place: str) -> Any:  # noqa: ANN401 - any JSON
        if not _origin(place):
            return parsed(_content(place), place)
        return parsed(fetch(place, headers if _origin(place) == origin else {}), place)

    document = at(where)
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"{where} is no OpenAPI description: it holds a {type(document).__name__}"
        )
    return _bundled(document, where, at)


def parsed(content: bytes, where: str) -> Any:  # noqa: ANN401 - any JSON
    """What JSON or YAML says.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where} is no text in UTF-8: {error}") from error
    try:
        return json.loads(text)
    except ValueError as no_json:
        if text.lstrip().startswith(("{", "[")):
            raise ConfigurationError(f"{where} is no JSON: {no_json}") from no_json
    if text.lstrip().startswith("<"):
        raise ConfigurationError(
            f"{where} answers with a page, not with a description: give the address of the JSON "
            "or YAML that the page is made of"
        )
    try:
        return yaml.load(text, _Yaml)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{where} is neither JSON nor YAML: {error}") from error


def fetched(address: str, headers: Mapping[str, str]) -> bytes:
    """What *address* answers; redirects are followed within its origin only.

    Raises:
        ConfigurationError: anything but success.
    """
    url = address
    for _ in range(HOPS):
        try:
            answer = httpx.get(
                url, headers=dict(headers), timeout=TIMEOUT_S, trust_env=False, verify=trust()
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"the description at {address} can't be had: {type(error).__name__}: {error}"
            ) from error
        if answer.is_success:
            return answer.content
        if not answer.has_redirect_location:
            raise ConfigurationError(
                f"the description at {address} can't be had: status {answer.status_code}"
            )
        url = urljoin(url, answer.headers["location"])
        if _origin(url) != _origin(address):
            raise ConfigurationError(
                f"the description at {address} is elsewhere: if it may be asked there, give {url}"
            )
    raise ConfigurationError(f"the description at {address} can't be had: it redirects in circles")


def _content(place: str) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the description {place} can't be read: {error.strerror or error}"
        ) from error


def _origin(place: str) -> str:
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else ""


def _bundled(document: dict[str, Any], where: str, at: Callable[[str], Any]) -> dict[str, Any]:
    """*document* with all that its references lead to within it, so that all are local."""
    parts: dict[str, Any] = {}
    names: dict[str, str] = {}

    def within(value: Any, place: str) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, list):
            return [within(each, place) for each in value]
        if not isinstance(value, dict):
            return value
        whole = {name: within(inner, place) for name, inner in value.items()}
        if isinstance(reference := value.get("$ref"), str):
            whole["$ref"] = local(reference, place)
        return whole

    def local(reference: str, place: str) -> str:
        other, fragment = urldefrag(reference)
        target = _beside(place, other) if other else place
        if _origin(target) != _origin(where):
            return reference
        pointer = unquote(fragment)
        if target == where:
            return f"#{pointer}"
        if target not in names:
            names[target] = str(len(names))
            parts[names[target]] = within(at(target), target)
        return f"#/{PARTS}/{names[target]}{pointer}"

    whole: dict[str, Any] = within(document, where)
    return {**whole, PARTS: parts} if parts else whole


def _beside(place: str, other: str) -> str:
    if _origin(place) or _origin(other):
        return urljoin(place, other)
    return normpath(Path(place).parent / unquote(other))
