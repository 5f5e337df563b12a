"""Recorded traffic becomes operations: what a browser saved, and what it must not become."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from partywall.errors import ConfigurationError
from partywall.survey.http.har import read
from partywall.survey.http.inference import inferred
from partywall.survey.http.operations import Api, Operation, Parameter
from partywall.survey.http.recorded import payloads
from partywall.survey.http.templates import template

if TYPE_CHECKING:
    from pathlib import Path

BASE = "http://api.example:8000"
UUID = "6f1c2a9e-8d0b-4f57-9a44-0c1d2e3f4a5b"


def entry(method: str, url: str, status: int = 200, answer: object = None, **more: Any) -> Any:  # noqa: ANN401 - HAR
    """One entry; *more* is of its request."""
    text = "" if answer is None else json.dumps(answer)
    return {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {
            "method": method,
            "url": url if "://" in url else BASE + url,
            **more,
        },
        "response": {"status": status, "content": {"text": text}},
    }


@pytest.fixture
def recorded(tmp_path: Path) -> Any:  # noqa: ANN401 - a function
    """Reads what was recorded of the API at BASE."""

    def reading(*entries: Any, base: str = BASE, **more: Any) -> dict[str, Operation]:  # noqa: ANN401 - HAR
        file = tmp_path / "traffic.har"
        file.write_text(json.dumps({"log": {"entries": entries}}))
        found = read([file], base, **more)
        assert {one.known_from for one in found} <= {"traffic"}
        return {one.at: one for one in found}

    return reading


@pytest.mark.parametrize(
    ("path", "made", "values"),
    [
        ("/orders/17", "/orders/{order_id}", ("17",)),
        (f"/v1/orders/{UUID}/line-items/3", "/v1/orders/{order_id}/line-items/{line_item_id}",
         (UUID, "3")),
        (f"/companies/{UUID.replace('-', '')}", "/companies/{company_id}",
         (UUID.replace("-", ""),)),
        ("/addresses/507f1f77bcf86cd799439011", "/addresses/{address_id}",
         ("507f1f77bcf86cd799439011",)),
        ("/days/2026-01-31/notes", "/days/{day_id}/notes", ("2026-01-31",)),
        ("/customers/cus_9s6XKzkNRiz8i3", "/customers/{customer_id}", ("cus_9s6XKzkNRiz8i3",)),
        ("/users/ann%40example.com", "/users/{user_id}", ("ann@example.com",)),
        (f"/files/{UUID}.pdf", "/files/{file_id}.pdf", (UUID,)),
        ("/teams/the-crew/members", "/teams/{team_id}/members", ("the-crew",)),
        ("/the-crew/teams", "/the-crew/teams", ()),
        ("/a/1/2", "/a/{a_id}/{a_id_2}", ("1", "2")),
        ("/17", "/{id}", ("17",)),
        ("/v2/users/me", "/v2/users/me", ()),
    ],
)  # fmt: skip
def test_segments_that_are_values(path: str, made: str, values: tuple[str, ...]) -> None:
    assert template(path, {"the-crew"}) == (made, values)


@given(st.lists(st.sampled_from(["orders", "7", UUID, "x", "acme"]), min_size=1, max_size=6))
def test_a_template_filled_with_its_values_is_the_path_again(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    made, values = template(path, {"acme"})
    names = re.findall(r"{(.+?)}", made)
    assert len(set(names)) == len(names) == len(values)
    for name, value in zip(names, values, strict=True):
        made = made.replace(f"{{{name}}}", value)
    assert made == path


def test_many_requests_are_one_operation(recorded: Any) -> None:  # noqa: ANN401 - a function
    found = recorded(
        entry("GET", "/orders/1?expand=lines&page=2", answer={"id": 1, "note": "x", "due": None}),
        entry("GET", "/orders/22?expand=lines", answer={"id": 22, "note": None}),
        entry("GET", "/orders/333?expand=lines", 404, {"detail": "no"}),
        entry("DELETE", "/orders/22", 204),
    )
    assert list(found) == ["GET /orders/{order_id}", "DELETE /orders/{order_id}"]
    get = found["GET /orders/{order_id}"]
    assert get.parameters == (
        Parameter("order_id", "path", required=True, schema={"type": "integer"}),
        Parameter("expand", "query", required=True, schema={"type": "string"}, example="lines"),
        Parameter("page", "query", required=False, schema={"type": "integer"}, example=2),
    )
    assert get.answer == {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "note": {"type": ["string", "null"]}, "due": {}},
        "required": ["id", "note"],
    }


def test_ids_that_answers_tell_are_values_in_paths(recorded: Any) -> None:  # noqa: ANN401 - a function
    teams = {"items": [{"slug": "the-crew", "name": "members"}]}
    found = recorded(entry("GET", "/teams", answer=teams), entry("GET", "/teams/the-crew/members"))
    assert list(found) == ["GET /teams", "GET /teams/{team_id}/members"]


def test_what_was_answered_in_base64(recorded: Any) -> None:  # noqa: ANN401 - a function
    one = entry("GET", "/teams")
    content = {"text": base64.b64encode(b'[{"id": 7}]').decode(), "encoding": "base64"}
    one["response"]["content"] = content
    assert recorded(one)["GET /teams"].answer["items"]["properties"] == {"id": {"type": "integer"}}


def test_headers_that_tell_the_tenant_are_parameters_and_credentials_are_nowhere(
    recorded: Any,  # noqa: ANN401 - a function
) -> None:
    told = {
        "Authorization": "Bearer s3cret", "Cookie": "sid=s3cret", "X-Api-Key": "s3cret",
        "X-Workspace-Id": "7", "User-Agent": "browser", "X-Requested-With": "XMLHttpRequest",
    }  # fmt: skip
    headers = [{"name": name, "value": value} for name, value in told.items()]
    body = {"mimeType": "application/json", "text": '{"user": "ann", "password": "s3cret"}'}
    found = recorded(
        entry("POST", "/log-in?access_token=s3cret", headers=headers, postData=body, answer={})
    )
    one = found["POST /log-in"]
    assert [(p.place, p.name, p.example) for p in one.parameters] == [
        ("header", "x-workspace-id", 7)
    ]
    assert one.payloads[0].example == {"user": "ann"}
    assert one.payloads[0].schema["required"] == ["user", "password"]
    assert "s3cret" not in repr(one)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("/static/app.js", ""), ("/main.css?v=1", ""), ("/logo.png", ""), ("/index.html", ""),
        (f"/assets/{UUID}.js", ""), ("/avatar/3", "image"),
        ("http://other.example/orders", ""), ("http://api.example:9000/orders", ""),
    ],
)  # fmt: skip
def test_what_is_left_out(recorded: Any, url: str, kind: str) -> None:  # noqa: ANN401 - a function
    assert list(recorded({**entry("GET", url), "_resourceType": kind}, entry("GET", "/me"))) == [
        "GET /me"
    ]


def test_a_websocket_is_known_by_the_address_it_was_opened_at(recorded: Any) -> None:  # noqa: ANN401 - a function
    opened = {**entry("GET", "/live/12"), "_resourceType": "websocket"}
    assert list(recorded(opened, entry("GET", "/me"))) == ["GET /me", "WS /live/{live_id}"]


@pytest.mark.parametrize("status", [0, 404, 405])
def test_what_is_not_there_is_no_operation(recorded: Any, status: int) -> None:  # noqa: ANN401 - a function
    assert not recorded(entry("GET", "/wp-login", status))


@pytest.mark.parametrize("status", [401, 403, 422, 500])
def test_what_is_refused_is_one(recorded: Any, status: int) -> None:  # noqa: ANN401 - a function
    assert list(recorded(entry("GET", "/orders", status))) == ["GET /orders"]


def test_what_the_description_has_is_not_told_again(recorded: Any) -> None:  # noqa: ANN401 - a function
    known = Api((Operation("GET", "/countries/{code}/", prefix="/api"),))
    found = recorded(
        entry("GET", "/api/countries/de"), entry("GET", "/api/countries/de/x"), known=known
    )
    assert list(found) == ["GET /api/countries/de/x"]


@pytest.mark.parametrize(
    ("base", "others", "there"),
    [
        (BASE + "/api", (), ["GET /a", "GET /"]),
        (BASE, (), ["GET /api/a", "GET /api", "GET /apix"]),
        (BASE + "/api", ("http://acme.localhost:8000",), ["GET /a", "GET /", "GET /b"]),
        ("http://localhost:8000", (), ["GET /local"]),
        ("http://127.0.0.1:54321", (), ["GET /local", "GET /other"]),
        ("", (), ["GET /local", "GET /other"]),
    ],
)
def test_which_address_is_the_api_s(
    recorded: Any,  # noqa: ANN401 - a function
    base: str,
    others: tuple[str, ...],
    there: list[str],
) -> None:
    found = recorded(
        *(entry("GET", path) for path in ("/api/a", "/api", "/apix")),
        entry("GET", "http://acme.localhost:8000/b"),
        entry("GET", "http://127.0.0.1:8000/local"),
        entry("GET", "http://[::1]:9000/other"),
        base=base,
        others=others,
    )
    assert list(found) == there


# Bodies --------------------------------------------------------------------------------------

MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nfür\r\n'
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    "Content-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
)  # fmt: skip
FILE = {"type": "string", "format": "binary"}


@pytest.mark.parametrize(
    "posted",
    [
        {"mimeType": "multipart/form-data; boundary=b", "text": MULTIPART},
        {"mimeType": "multipart/form-data", "params": [
            {"name": "title", "value": "für"}, {"name": "file", "fileName": "a.txt"}]},
    ],
)  # fmt: skip
def test_a_form_with_a_file(posted: dict[str, Any]) -> None:
    [one] = payloads([posted])
    assert (one.media, one.required, one.example) == (
        "multipart/form-data", True, {"title": "für"},
    )  # fmt: skip
    assert one.schema["properties"] == {"title": {"type": "string"}, "file": FILE}


def test_a_form() -> None:
    media = "application/x-www-form-urlencoded;charset=UTF-8"
    forms = ["tag=a&tag=b&n=5&on=true&empty=", "n=6&token=abc"]
    [one] = payloads([{"mimeType": media, "text": text} for text in forms])
    assert one.schema == {
        "type": "object",
        "properties": {
            "tag": {"type": "array", "items": {"type": "string"}},
            "n": {"type": "integer"},
            "on": {"type": "boolean"},
            "empty": {"type": "string"},
            "token": {"type": "string"},
        },
        "required": ["n"],
    }
    assert one.example == {"n": "6"}


def test_bodies_of_several_kinds() -> None:
    found = payloads(
        [
            {"mimeType": "application/json", "text": '{"a": 1}'},
            {"mimeType": "application/json", "text": "{broken"},
            {"mimeType": "text/csv", "text": "a;b"},
            {},
        ]
    )
    assert [(one.media, one.required, one.example) for one in found] == [
        ("application/json", False, {"a": 1}), ("text/csv", False, "a;b"),
    ]  # fmt: skip


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4) | st.sampled_from([UUID, "2026-01-31", "2026-01-31T10:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(values, min_size=1, max_size=5))
@example([1, 2.5, None])
@example([{"a": 1}, {"a": "x"}, {}])
def test_every_example_is_valid_by_the_schema_made_of_them(several: list[Any]) -> None:
    validator = Draft202012Validator(inferred(several))
    for one in several:
        validator.validate(one)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (UUID, "uuid"), ("2026-01-31", "date"), ("2026-01-31T10:00:00.5+02:00", "date-time"),
        ("ann@example.com", "email"), ("https://a.example/x", "uri"),
    ],
)  # fmt: skip
def test_formats_of_texts(text: str, form: str) -> None:
    assert inferred([text, text]) == {"type": "string", "format": form}
    assert inferred([text, "x"]) == {"type": "string"}


# Files that are none -------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log": {"entries": [{}]}}', '{"log": 1}'])
def test_a_file_that_is_no_har(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.har"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"x\.har is no HAR file"):
        read([file], BASE)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.har can't be read: No such file"):
        read([tmp_path / "x.har"], BASE)


def test_a_file_of_other_hosts_says_which(recorded: Any) -> None:  # noqa: ANN401 - a function
    with pytest.raises(ConfigurationError, match=r"goes to http://api.*they go to b\.example:443"):
        recorded(entry("GET", "https://b.example/x"))
