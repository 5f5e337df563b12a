"""Operations from an OpenAPI description, 3.0 or 3.1."""

from __future__ import annotations

from posixpath import normpath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from partywall.survey.http import documents
from partywall.survey.http.credentials import carries
from partywall.survey.http.following import Document
from partywall.survey.http.links import links
from partywall.survey.http.media import answer, example, payloads, schema_of
from partywall.survey.http.operations import PLACEHOLDER, Api, Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.documents import Send

METHODS = ("get", "query", "post", "put", "patch", "delete", "head", "options")
PLACES = ("path", "query", "header", "cookie")
NOT_PARAMETERS = {"accept", "content-type"}  # OpenAPI: such header parameters mean nothing


def read(
    where: str | Mapping[str, Any],
    send: Send | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    base: str = "",
) -> Api:
    """The API that a description at an address, in a file, or at hand describes.

    Schemas stay as they are, and refer to `Api.document`. A server's base path becomes each
    operation's `prefix`, unless *base* has it already.

    Args:
        send: fetches an address instead of an ordinary request.
        headers: credentials, for a description that is shown to nobody else.
        base: where the API is asked.

    Raises:
        ConfigurationError: it can't be had, or is no description; the message names the place.
    """
    named = where if isinstance(where, str) else "the description"
    document = documents.loaded(where, headers or {}, send) if isinstance(where, str) else where
    return _Reader(document, named, base).api()


class _Reader:
    def __init__(self, document: Mapping[str, Any], where: str, base: str) -> None:
        self.document, self.of, self.base = document, Document(document, where), base
        self.schemes: set[tuple[str, str]] = set()

    def api(self) -> Api:
        self._versioned()
        paths = self.of.table(self.document.get("paths"), "paths")
        self.schemes.update(self._declared())
        operations = tuple(one for path in paths for one in self._operations(path, paths[path]))
        return Api(
            operations,
            self.document,
            str(self.of.table(self.document.get("info"), "info").get("title") or ""),
            frozenset(self.schemes),
            self._prefix(self.document, "/"),
        )

    def _versioned(self) -> None:
        if "swagger" in self.document:
            raise self.of.wrong(
                f"this is Swagger {self.document['swagger']}, and the probe reads OpenAPI 3. "
                "Convert it: npx swagger2openapi swagger.json --outfile openapi.json"
            )
        version = str(self.document.get("openapi") or "")
        if not version.startswith("3"):
            said = f"its `openapi` is {version}" if version else "it has no `openapi`"
            raise self.of.wrong(f"this is no OpenAPI 3 description: {said}")

    def _operations(self, path: str, value: object) -> Iterator[Operation]:
        place = f"paths.{path}"
        item = self.of.table(value, place)
        shared = self.of.items(item.get("parameters"), f"{place}.parameters")
        for method in METHODS:
            if method in item:
                at = f"{place}.{method}"
                yield self._operation(path, method, self.of.table(item[method], at), item, shared)

    def _operation(
        self,
        path: str,
        method: str,
        told: Mapping[str, Any],
        item: Mapping[str, Any],
        shared: list[Any],
    ) -> Operation:
        at = f"paths.{path}.{method}"
        owner = next((o for o in (told, item) if o.get("servers")), self.document)
        own = self.of.items(told.get("parameters"), f"{at}.parameters")
        text = str(told.get("summary") or told.get("description") or "").strip()
        return Operation(
            method=method.upper(),
            path=path,
            parameters=tuple(self._parameters(path, at, shared, own)),
            payloads=tuple(payloads(self.of, told.get("requestBody"), f"{at}.requestBody")),
            answer=answer(self.of, told.get("responses"), f"{at}.responses"),
            name=str(told.get("operationId") or ""),
            summary=text.partition("\n")[0],
            tags=tuple(str(tag) for tag in self.of.items(told.get("tags"), f"{at}.tags")),
            prefix=self._prefix(owner, path),
            links=tuple(links(self.of, told.get("responses"), f"{at}.responses")),
        )

    def _parameters(
        self, path: str, at: str, shared: list[Any], own: list[Any]
    ) -> Iterator[Parameter]:
        """Those of its path and its own; credentials are the actor's, and left out."""
        found: dict[tuple[str, str], Parameter] = {}
        for number, one in enumerate([*shared, *own]):
            where = f"{at}.parameters[{number - len(shared)}]"
            if number < len(shared):
                where = f"{at.rpartition('.')[0]}.parameters[{number}]"
            parameter = self._parameter(self.of.table(one, where), where)
            found[parameter.place, parameter.name] = parameter
        names = PLACEHOLDER.findall(path)
        for name in names:
            yield found.get(("path", name)) or Parameter(name, "path", True, {"type": "string"})  # noqa: FBT003 - as its field
        for (place, name), parameter in found.items():
            if carries(place, name) or self._is_scheme(place, name):
                self.schemes.add((place, _named(place, name)))
            elif place != "path" and not (place == "header" and name.lower() in NOT_PARAMETERS):
                yield parameter

    def _parameter(self, told: Mapping[str, Any], where: str) -> Parameter:
        name, place = told.get("name"), told.get("in")
        if not isinstance(name, str) or place not in PLACES:
            raise self.of.wrong(f"{where} needs a `name`, and `in` as one of {', '.join(PLACES)}")
        inner: Mapping[str, Any] = told
        if "schema" not in told and (content := self.of.table(told.get("content"), where)):
            inner = self.of.table(next(iter(content.values())), f"{where}.content")
        schema = schema_of(inner)
        return Parameter(
            name,
            place,
            required=place == "path" or told.get("required") is True,
            schema=schema,
            example=example(self.of, inner, schema, where),
        )

    def _declared(self) -> Iterator[tuple[str, str]]:
        components = self.of.table(self.document.get("components"), "components")
        schemes = self.of.table(components.get("securitySchemes"), "components.securitySchemes")
        for name in schemes:
            one = self.of.table(schemes[name], f"components.securitySchemes.{name}")
            place, key = one.get("in"), one.get("name")
            if one.get("type") == "apiKey" and isinstance(place, str) and isinstance(key, str):
                yield place, _named(place, key)
            elif one.get("type") in {"http", "oauth2", "openIdConnect"}:
                yield "header", "authorization"

    def _is_scheme(self, place: str, name: str) -> bool:
        return (place, _named(place, name)) in self.schemes

    def _prefix(self, owner: Mapping[str, Any], path: str) -> str:
        servers = self.of.items(owner.get("servers"), "servers")
        first = self.of.table(servers[0], "servers[0]") if servers else {}
        url = str(first.get("url") or "")
        variables = self.of.table(first.get("variables"), "servers[0].variables")
        for name in variables:
            chosen = self.of.table(variables[name], f"servers[0].variables.{name}").get(
                "default", ""
            )
            url = url.replace(f"{{{name}}}", str(chosen))
        prefix = normpath("/" + urlsplit(url).path.strip("/"))
        if urlsplit(self.base).path.rstrip("/").endswith(prefix.rstrip("/")):
            prefix = ""
        return prefix.rstrip("/") + ("" if path.startswith("/") else "/")


def _named(place: str, name: str) -> str:
    return name.lower() if place == "header" else name
