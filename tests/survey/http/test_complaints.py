"""What servers say of a body, in the words of their frameworks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.complaints import DROP, REFERENCE, corrections
from partywall.survey.http.wire import Answer


def learned(told: object) -> dict[str, Any]:
    """Field, its parts joined by dots -> correction, from an answer's JSON or text."""
    content = told if isinstance(told, str) else json.dumps(told)
    found = corrections(Answer(422, content=content.encode()))
    return {".".join(path): fix for path, fix in found.items()}


def pydantic(message: str, *where: str | int, **context: str) -> dict[str, Any]:
    """A complaint as FastAPI gives it."""
    return {"detail": [{"type": "t", "loc": ["body", *where], "msg": message, "ctx": context}]}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Field required", {}),
        ("Extra inputs are not permitted", DROP),
        ("Input should be a valid integer, unable to parse string as an integer",
         {"type": "integer"}),
        ("Input should be a valid UUID, invalid character: found `p` at 1",
         {"type": "string", "format": "uuid"}),
        ("Input should be a valid datetime or date, input is too short",
         {"type": "string", "format": "date-time"}),
        ("Input should be a valid list", {"type": "array"}),
        ("Input should be a valid dictionary", {"type": "object"}),
        ("Input should be 'low', 'mid' or 'high'", {"enum": ["low", "mid", "high"]}),
        ("String should have at least 3 characters", {"minLength": 3}),
        ("String should have at most 5 characters", {"maxLength": 5}),
        ("List should have at least 2 items after validation, not 0", {"minItems": 2}),
        ("Input should be greater than or equal to 2.5", {"minimum": 2.5}),
        ("Input should be less than or equal to 10", {"maximum": 10}),
        ("Decimal input should have no more than 2 decimal places", {"type": "number"}),
        ("String should match pattern '^[a-z]+$'", {"type": "string", "pattern": "^[a-z]+$"}),
        ("value is not a valid enumeration member; permitted: 'a', 'b'", {"enum": ["a", "b"]}),
        ("none is not an allowed value", {}),
    ],
)  # fmt: skip
def test_fastapi(message: str, expected: dict[str, Any]) -> None:
    assert learned(pydantic(message, "kind")) == {"kind": expected}


def test_fastapi_tells_choices_beside_its_words() -> None:
    told = pydantic("Input should be 'a' or 'b'", "kind", expected="'a' or 'b'")
    assert learned(told) == {"kind": {"enum": ["a", "b"]}}


def test_fastapi_tells_where_in_a_list() -> None:
    told = pydantic("Field required", "lines", 0, "product_id")
    assert learned(told) == {"lines.*.product_id": {}}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("This field is required.", {}),
        ("This field may not be blank.", {}),
        ('Invalid pk "7" - object does not exist.', REFERENCE),
        ("Must be a valid UUID.", {"type": "string", "format": "uuid"}),
        ("A valid integer is required.", {"type": "integer"}),
        ("Enter a valid email address.", {"type": "string", "format": "email"}),
        ("each is written as in invoices:read", {"enum": ["invoices:read"]}),
        ("write it as in www.example.com", {"type": "string", "format": "hostname"}),
        ("not a contact, e.g. ann@example.org", {"type": "string", "format": "email"}),
        ("not a page: for example http://a.example", {"type": "string", "format": "uri"}),
        ("Enter a valid URL.", {"type": "string", "format": "uri"}),
        (
            "Icon URL must start with one of: http://, https://, ws://, wss://",
            {"type": "string", "format": "uri"},
        ),
        ('Expected a list of items but got type "str".', {"type": "array"}),
        ("Ensure this field has no more than 5 characters.", {"maxLength": 5}),
        ("Ensure this field has at least 1 elements.", {"minItems": 1}),
        ("Ensure this value is greater than or equal to 1.", {"minimum": 1}),
        ("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
         {"type": "string", "format": "date"}),
        ('Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.',
         {"type": "string", "pattern": "^[a-z0-9]+$"}),
    ],
)  # fmt: skip
def test_django_rest_framework(words: str, expected: dict[str, Any]) -> None:
    assert learned({"folder": [words]}) == {"folder": expected}


def test_django_rest_framework_nests() -> None:
    assert learned({"lines": [{"amount": ["A valid number is required."]}]}) == {
        "lines.amount": {"type": "number"}
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Missing data for required field.", {}),
        ("Field may not be null.", {}),
        ("Unknown field.", DROP),
        ("Not a valid integer.", {"type": "integer"}),
        ("Not a valid string.", {"type": "string"}),
        ("Not a valid boolean.", {"type": "boolean"}),
        ("Not a valid email address.", {"type": "string", "format": "email"}),
        ("Must be one of: red, green.", {"enum": ["red", "green"]}),
        ("Length must be between 1 and 5.", {"minLength": 1, "maxLength": 5}),
        ("Shorter than minimum length 3.", {"minLength": 3}),
        ("Longer than maximum length 9.", {"maxLength": 9}),
        ("Must be greater than or equal to 1 and less than or equal to 5.", {"maximum": 1}),
    ],
)
def test_marshmallow(words: str, expected: dict[str, Any]) -> None:
    assert learned({"errors": {"json": {"shade": [words]}}}) == {"shade": expected}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"error": "title is required"}, {"title": {}}),
        ({"error": "Missing field 'title'"}, {"title": {}}),
        ({"error": "Missing required parameter: title"}, {"title": {}}),
        ({"message": "please provide a title"}, {"title": {}}),
        ({"error": "'title' must be at most 5 characters long"}, {"title": {"maxLength": 5}}),
        ({"error": "the field `shade` must be one of 'red', 'blue'"},
         {"shade": {"enum": ["red", "blue"]}}),
        ({"error": "folder_id does not exist"}, {}),
        ({"error": "'folder_id' does not exist"}, {"folder_id": REFERENCE}),
        ({"error_description": "title is missing"}, {"title": {}}),
        ({"errors": [{"field": "due.at", "message": "is not a date"}]},
         {"due.at": {"type": "string", "format": "date"}}),
        ({"errors": [{"path": "/lines", "msg": "must be an array"}]},
         {"lines": {"type": "array"}}),
        (["title is required"], {"title": {}}),
        ("Missing title", {"title": {}}),
        ("title: may not be blank", {"title": {}}),
        ("This field is required", {}),
        ({"error": "Something went wrong"}, {}),
        ("<html>" + "title is required " * 200, {}),
    ],
)  # fmt: skip
def test_free_text(told: object, expected: dict[str, Any]) -> None:
    assert learned(told) == expected


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("loc", "msg", "ctx", "field", "errors", "title")), inner)
    ),
    max_leaves=12,
)


@given(JSONS)
def test_no_answer_is_too_odd(told: object) -> None:
    for path, fix in corrections(Answer(400, content=json.dumps(told).encode())).items():
        assert path
        assert fix.keys() <= {"type", "format", "pattern", "enum", "x-own", "x-drop"} | {
            f"{end}{of}" for end in ("min", "max") for of in ("imum", "Length", "Items")
        }


PROBLEM = {"type": "about:blank", "title": "Unprocessable Content", "status": 422}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"detail": "title is required"}, {"title": {}}),
        ({"errors": [{"pointer": "#/title", "detail": "must be an integer"}]},
         {"title": {"type": "integer"}}),
        ({"errors": [{"at": "body.title", "message": "may not be blank"}]}, {"title": {}}),
        ({}, {}),
    ],
)  # fmt: skip
def test_members_of_a_problem_are_no_fields(more: dict[str, Any], expected: dict[str, Any]) -> None:
    assert learned(PROBLEM | more) == expected


def test_a_sentence_is_about_a_field_that_there_is() -> None:
    told = Answer(422, content=b'{"detail": "a key has 1 to 9 permissions, e.g. a:b"}')
    assert corrections(told, {"name", "permissions"}) == {("permissions",): {"enum": ["a:b"]}}


def test_an_example_is_for_the_only_field() -> None:
    told = Answer(422, content=b'{"detail": "no domain: write it as in www.example.com"}')
    assert corrections(told, {"name"}) == {("name",): {"type": "string", "format": "hostname"}}
    assert ("name",) not in corrections(told, {"name", "title"})
