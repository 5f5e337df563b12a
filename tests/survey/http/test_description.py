"""OpenAPI descriptions, as they really are: what is read from them, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from partywall.errors import ConfigurationError
from partywall.survey.http.description import METHODS, read
from partywall.survey.http.operations import Operation, Parameter
from partywall.survey.http.schemas import resolve
from partywall.survey.http.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

NOTE = {"type": "object", "properties": {"id": {"type": "string"}}}
JSON = "application/json"


def described(paths: object, **more: object) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Notes"}, "paths": paths, **more}


def one(operation: dict[str, Any], path: str = "/notes/{id}", **more: object) -> Operation:
    [found] = read(described({path: {"post": operation}}, **more)).operations
    return found


def test_an_operation_with_all_that_it_takes() -> None:
    found = one(
        {
            "operationId": "change",
            "summary": "Change it.",
            "tags": ["notes"],
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                {"name": "q", "in": "query", "schema": {"type": "string"}, "example": "x"},
                {"name": "X-Team-Id", "in": "header", "required": True, "schema": {}},
                {"name": "Accept", "in": "header", "schema": {}},
            ],
        }
    )
    assert (found.at, found.name, found.summary, found.tags) == (
        "POST /notes/{id}", "change", "Change it.", ("notes",),
    )  # fmt: skip
    assert found.parameters == (
        Parameter("id", "path", required=True, schema={"type": "integer"}),
        Parameter("q", "query", required=False, schema={"type": "string"}, example="x"),
        Parameter("X-Team-Id", "header", required=True, schema={}),
    )


def test_parameters_of_the_path_are_each_operation_s_and_its_own_go_first() -> None:
    shared = {"$ref": "#/components/parameters/Note"}
    own = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    api = read(
        described(
            {"/notes/{id}": {"parameters": [shared], "get": {}, "put": {"parameters": [own]}}},
            components={
                "parameters": {
                    "Note": {"name": "id", "in": "path", "schema": {"type": "string"}},
                }
            },
        )
    )
    types = {one.method: one.parameters[0].schema["type"] for one in api.operations}
    assert types == {"GET": "string", "PUT": "integer"}


def test_a_parameter_that_only_the_path_names() -> None:
    assert one({}).parameters == (
        Parameter("id", "path", required=True, schema={"type": "string"}),
    )


def test_a_parameter_that_is_described_by_its_content() -> None:
    content = {JSON: {"schema": NOTE, "example": {"id": "1"}}}
    found = one({"parameters": [{"name": "filter", "in": "query", "content": content}]})
    assert (found.parameters[1].schema, found.parameters[1].example) == (NOTE, {"id": "1"})


@pytest.mark.parametrize(
    ("media", "order"),
    [
        (["text/csv", "application/x-www-form-urlencoded", "multipart/form-data", JSON],
         [JSON, "multipart/form-data", "application/x-www-form-urlencoded", "text/csv"]),
        (["application/merge-patch+json", JSON], [JSON, "application/merge-patch+json"]),
        (["application/json; charset=utf-8"], [JSON]),
        (["*/*"], [JSON]),
    ],
)  # fmt: skip
def test_forms_of_a_body_by_preference(media: list[str], order: list[str]) -> None:
    found = one({"requestBody": {"content": {name: {} for name in media}, "required": True}})
    assert [payload.media for payload in found.payloads] == order
    assert all(payload.required for payload in found.payloads)


@pytest.mark.parametrize(
    "form",
    [
        {"schema": NOTE, "example": 7},
        {"schema": NOTE, "examples": {"far": {"externalValue": "…"}, "near": {"value": 7}}},
        {"schema": NOTE, "examples": {"one": {"$ref": "#/components/examples/Seven"}}},
        {"schema": {**NOTE, "example": 7}},
        {"schema": {**NOTE, "examples": [7, 8]}},
        {"schema": {"$ref": "#/components/schemas/Seven"}},
    ],
)
def test_an_example_wherever_it_stands(form: dict[str, Any]) -> None:
    components = {"examples": {"Seven": {"value": 7}}, "schemas": {"Seven": {"example": 7}}}
    found = one({"requestBody": {"content": {JSON: form}}}, components=components)
    assert found.payloads[0].example == 7


@pytest.mark.parametrize(
    ("responses", "answer"),
    [
        ({"201": {"content": {JSON: {"schema": NOTE}}}, "200": {"description": "done"}}, NOTE),
        ({"404": {"content": {JSON: {"schema": NOTE}}}, "204": {}}, {}),
        ({200: {"content": {"application/hal+json": {"schema": NOTE}}}}, NOTE),
        ({"2XX": {"content": {JSON: {"schema": NOTE}}}, "default": {}}, NOTE),
        ({"default": {"content": {JSON: {"schema": NOTE}}}}, NOTE),
        ({"200": {"$ref": "#/components/responses/Note"}}, NOTE),
        (None, {}),
    ],
)
def test_the_schema_of_success(responses: object, answer: dict[str, Any]) -> None:
    components = {"responses": {"Note": {"content": {JSON: {"schema": NOTE}}}}}
    assert one({"responses": responses}, components=components).answer == answer


def test_schemas_stay_as_they_are_and_refer_to_the_document() -> None:
    reference = {"$ref": "#/components/schemas/Note"}
    document = described(
        {"/notes": {"post": {"requestBody": {"content": {JSON: {"schema": reference}}}}}},
        components={"schemas": {"Note": NOTE}},
    )
    api = read(document)
    assert api.operations[0].payloads[0].schema == reference
    assert resolve(reference, api.document) == NOTE


# Credentials ---------------------------------------------------------------------------------


def test_declared_credentials_are_no_parameters() -> None:
    schemes = {
        "key": {"type": "apiKey", "in": "query", "name": "access"},
        "sess": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "own": {"type": "apiKey", "in": "header", "name": "X-Own"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    parameters = [{"name": "access", "in": "query"}, {"name": "x-own", "in": "header"}]
    api = read(
        described(
            {"/notes": {"get": {"parameters": parameters}}}, components={"securitySchemes": schemes}
        )
    )
    assert api.schemes == {
        ("query", "access"), ("cookie", "sid"), ("header", "x-own"), ("header", "authorization"),
    }  # fmt: skip
    assert api.operations[0].parameters == ()


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("header", "Authorization"), ("header", "authorization"), ("header", "X-API-Key"),
        ("header", "x-auth-token"), ("header", "Cookie"), ("header", "apikey"),
        ("header", "X-Access-Token"), ("header", "token"), ("cookie", "session"),
        ("cookie", "sessionid"), ("cookie", "access_token"), ("cookie", "connect.sid"),
        ("query", "api_key"), ("query", "access_token"),
    ],
)  # fmt: skip
def test_credentials_that_nothing_declares(place: str, name: str) -> None:
    api = read(described({"/notes": {"get": {"parameters": [{"name": name, "in": place}]}}}))
    assert api.operations[0].parameters == ()
    assert api.schemes == {(place, name.lower() if place == "header" else name)}


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("header", "X-Tenant-Id"), ("header", "X-Workspace"), ("header", "If-Match"),
        ("header", "Idempotency-Key"), ("query", "token"), ("query", "key"),
        ("query", "session_id"), ("cookie", "theme"), ("cookie", "workspace"),
    ],
)  # fmt: skip
def test_what_is_an_operation_s_own(place: str, name: str) -> None:
    api = read(described({"/notes": {"get": {"parameters": [{"name": name, "in": place}]}}}))
    assert [(p.place, p.name) for p in api.operations[0].parameters] == [(place, name)]
    assert not api.schemes


# Servers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "base", "prefix"),
    [
        ("", "http://here", ""),
        ("/", "http://here", ""),
        ("/api/v1", "http://here", "/api/v1"),
        ("https://elsewhere/api/v1/", "http://here", "/api/v1"),
        ("{scheme}://there/{version}", "http://here", "/v2"),
        ("/api/v1", "http://here/api/v1", ""),
        ("/api", "http://here/myapi", "/api"),
        ("./api/", "http://here", "/api"),
    ],
)
def test_a_server_s_base_path_goes_before(url: str, base: str, prefix: str) -> None:
    variables = {"scheme": {"default": "https"}, "version": {"default": "v2"}}
    servers = [{"url": url, "variables": variables}]
    api = read(described({"/notes": {"get": {}}}, servers=servers), base=base)
    assert (api.prefix, api.operations[0].prefix, api.operations[0].at) == (
        prefix, prefix, "GET /notes",
    )  # fmt: skip


def test_the_nearest_server_counts() -> None:
    paths = {
        "/notes": {"get": {}, "servers": [{"url": "/two"}]},
        "/health": {"get": {"servers": [{"url": "/"}]}},
        "orders": {"get": {}},
    }
    api = read(described(paths, servers=[{"url": "/one"}]))
    asked = {one.path: one.prefix + one.path for one in api.operations}
    assert asked == {"/notes": "/two/notes", "/health": "/health", "orders": "/one/orders"}


def test_what_is_known_twice_is_told_by_the_whole_path() -> None:
    api = read(described({"/notes/{id}": {"get": {}}}, servers=[{"url": "/api"}]))
    routes = (Operation("GET", "/api/notes/{note_id}"), Operation("GET", "/notes/{note_id}"))
    assert [one.path for one in api.joined(routes).operations] == [
        "/notes/{id}",
        "/notes/{note_id}",
    ]
    assert api.joined(routes).prefix == "/api"


# Files and addresses -------------------------------------------------------------------------

YAML = """
openapi: 3.0
info: {title: Notes, version: 2024-05-01}
paths:
  /notes:
    get:
      parameters:
        - {name: on, in: query, schema: {type: string, enum: [yes, no], example: 2024-05-01}}
      responses:
        200: {description: all of them}
"""


def test_a_file_of_yaml_means_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text(YAML)
    api = read(str(tmp_path / "openapi.yaml"))
    [parameter] = api.operations[0].parameters
    assert (api.title, parameter.name, parameter.example) == ("Notes", "on", "2024-05-01")
    assert parameter.schema["enum"] == ["yes", "no"]
    assert list(api.document["paths"]["/notes"]["get"]["responses"]) == ["200"]


def test_a_description_in_many_files(tmp_path: Path) -> None:
    (tmp_path / "paths").mkdir()
    (tmp_path / "openapi.json").write_text(
        json.dumps(described({"/notes": {"$ref": "paths/notes.yaml"}}, components={"a~b": NOTE}))
    )
    (tmp_path / "paths" / "notes.yaml").write_text(
        """
        post:
          requestBody: {content: {application/json: {schema: {$ref: '../all.yaml#/Note'}}}}
          responses: {200: {content: {application/json: {schema: {
            $ref: '../openapi.json#/components/a~0b'}}}}}
        """
    )
    (tmp_path / "all.yaml").write_text(
        "Note: {type: object, properties: {next: {$ref: '#/Note'}, of: {$ref: '#/Of'}}}\n"
        "Of: {type: integer}\n"
    )
    api = read(str(tmp_path / "openapi.json"))
    [found] = api.operations
    note = resolve(found.payloads[0].schema, api.document)
    again = resolve(note["properties"]["next"], api.document)
    assert resolve(again["properties"]["of"], api.document) == {"type": "integer"}
    assert resolve(found.answer, api.document) == NOTE


def shown(request: Request) -> Response:
    if request.headers.get("authorization") != "Bearer of acme":
        return PlainTextResponse("who?", 401)
    return PlainTextResponse(json.dumps(described({"/notes": {"$ref": "/parts"}})))


def part(request: Request) -> Response:
    assert request.headers["authorization"] == "Bearer of acme"
    return PlainTextResponse("get: {summary: all of them}")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    def moved(request: Request) -> Response:
        return RedirectResponse(request.query_params["to"])

    routes = [
        Route("/openapi", shown),
        Route("/parts", part),
        Route("/moved", moved),
        Route("/docs", lambda _: PlainTextResponse("<!doctype html><title>Docs</title>")),
    ]
    with served(Starlette(routes=routes)) as base:
        yield base


def test_an_address_that_only_a_tenant_is_shown(address: str) -> None:
    api = read(f"{address}/moved?to=/openapi", headers={"Authorization": "Bearer of acme"})
    assert [(one.at, one.summary) for one in api.operations] == [("GET /notes", "all of them")]


def test_an_address_that_is_fetched_by_the_caller() -> None:
    asked = []

    def send(address: str, headers: object) -> bytes:
        asked.append((address, headers))
        return json.dumps(described({"/notes": {"get": {}}})).encode()

    assert read("https://api.example/openapi", send).operations[0].at == "GET /notes"
    assert asked == [("https://api.example/openapi", {})]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/openapi", "can't be had: status 401"),
        ("/docs", "answers with a page"),
        ("/moved?to=http://elsewhere.example/openapi", "give http://elsewhere.example/openapi"),
        ("/moved?to=/moved?to=/moved", "can't be had"),
    ],
)
def test_an_address_that_does_not_answer_with_one(address: str, path: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("?", r"\?")):
        read(address + path)


def test_an_address_where_nobody_listens() -> None:
    with pytest.raises(ConfigurationError, match=r"http://127\.0\.0\.1:1/x can't be had: Connect"):
        read("http://127.0.0.1:1/x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "holds a list"),
        (b"{", "is no JSON"),
        (b"a: [", "neither JSON nor YAML"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b'{"swagger": "2.0"}', r"Swagger 2.0.*swagger2openapi"),
        (b'{"openapi": "4.0"}', "its `openapi` is 4.0"),
        (b"{}", "it has no `openapi`"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "openapi"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message) as caught:
        read(str(file))
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"openapi\.yaml can't be read: No such file"):
        read(str(tmp_path / "openapi.yaml"))


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "paths must be an object, and is a list"),
        ({"/a": 1}, "paths./a must be an object, and is a int"),
        ({"/a": {"get": []}}, "paths./a.get must be an object"),
        ({"/a": {"get": {"parameters": {}}}}, "paths./a.get.parameters must be a list"),
        ({"/a": {"parameters": [{}], "get": {"parameters": [{}]}}},
         r"paths./a.parameters\[0\] needs"),
        ({"/a": {"get": {"parameters": [{"name": "x", "in": "body"}]}}},
         r"paths./a.get.parameters\[0\] needs a `name`, and `in`"),
        ({"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/X"}]}}},
         r"refers to #/components/parameters/X, which leads nowhere"),
        ({"/a": {"get": {"requestBody": {"$ref": "#/paths/~1a/get/requestBody"}}}},
         "leads nowhere"),
    ],
)  # fmt: skip
def test_a_place_that_is_wrong_is_named(paths: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(described(paths))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["get", "post", "parameters", "name", "in", "schema", "$ref", "content", JSON,
             "servers", "url", "variables", "requestBody", "responses", "200", "examples", "tags"]
        )
        | st.text(max_size=3),
        inner | st.sampled_from(["#/paths", "#", "#/paths/~1a", "query"]),
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(anything, anything)
def test_any_document_is_read_or_refused_with_its_place(item: object, more: object) -> None:
    document = described({"/a": item}, servers=more, components=more)
    try:
        api = read(document)
    except ConfigurationError as error:
        assert str(error).startswith("the description: ")  # noqa: PT017 - any of two ends is right
    else:
        there = item if isinstance(item, dict) else {}
        if "$ref" not in there:
            assert len(api.operations) == len(set(there) & set(METHODS))


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/components/schemas/Note", {"type": "string"}),
        ("#/components/schemas/A%20b~1c", {"type": "integer"}),
        ("#/components/schemas/Nobody", {}),
        ("other.json#/components/schemas/Note", {}),
        ("other.json", {}),
        ("/components/schemas/Note", {}),
    ],
)
def test_a_reference_leads_within_the_description_alone(
    reference: str, found: dict[str, Any]
) -> None:
    schemas = {"Note": {"type": "string"}, "A b/c": {"type": "integer"}}
    assert resolve({"$ref": reference}, {"components": {"schemas": schemas}}) == found
