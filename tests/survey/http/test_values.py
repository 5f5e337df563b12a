"""What is sent for a field: what its schema lets through, and a canary where there is room."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partywall.survey.http.generating import patterned
from partywall.survey.http.naming import CLOSED, OPEN, chosen, free, visible
from partywall.survey.http.values import Values
from partywall.survey.http.wire import Upload
from tests.survey.http.apis import ledger

NAMES = ("title", "color", "limit", "price", "size", "createdAt", "home-page_url", "email")


def value(name: str, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    return Values(ledger(), "acme").value(name, schema)


def numbers() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of numbers that can be met."""
    return st.builds(
        lambda kind, low, span, step, named: {
            "type": kind,
            **({"minimum": low} if named & 1 else {}),
            **({"maximum": low + span} if named & 2 else {}),
            **({"multipleOf": step} if step else {}),
        },
        st.sampled_from(("integer", "number")),
        st.integers(0, 10**7),
        st.integers(100, 10**8),
        st.sampled_from((0, 1, 5, 50)),
        st.integers(0, 3),
    )


@given(st.sampled_from(NAMES), numbers())
def test_a_number_is_within_its_bounds(name: str, schema: dict[str, Any]) -> None:
    jsonschema.validate(value(name, schema), schema)


@given(st.sampled_from(("title", "note", "summary")), st.integers(0, 60), st.integers(0, 60))
def test_a_text_is_as_long_as_it_may_be(name: str, least: int, more: int) -> None:
    schema = {"type": "string", "minLength": least, "maxLength": least + more}
    jsonschema.validate(value(name, schema), schema)


def test_a_number_below_a_bound_that_it_must_not_reach() -> None:
    schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    jsonschema.validate(value("share", schema), schema)


def test_a_price_in_cents_tells_whose_it_is() -> None:
    book = ledger()
    price = Values(book, "acme").value("price", {"type": "number", "multipleOf": 0.01})
    assert Fraction(price) % Fraction("0.01") == 0
    assert book.evidence("acme", f'{{"price": {price}}}') == [str(price)]


@pytest.mark.parametrize("default", [7, 0.5])
def test_a_number_s_default_is_taken(default: float) -> None:
    assert value("weight", {"type": "number", "default": default}) == default


def test_openapi_3_0_says_of_a_bound_whether_it_is_met() -> None:
    schema = {"type": "integer", "minimum": 3, "exclusiveMinimum": True, "maximum": 9}
    assert value("n", schema) == 4


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("uuid", lambda text: str(uuid.UUID(text)) == text),
        ("email", re.compile(r"pw\w+@example\.com").fullmatch),
        ("uri", re.compile(r"https://example\.com/pw\w+").fullmatch),
        ("hostname", re.compile(r"pw\w+\.example\.com").fullmatch),
        ("date", re.compile(r"\d{4}-\d\d-\d\d").fullmatch),
        ("date-time", datetime.fromisoformat),
        ("byte", re.compile(r"[A-Za-z0-9+/]+=*").fullmatch),
        ("password", re.compile(r"Pw-pw\w+-Zz9!").fullmatch),
        ("of-another-kind", re.compile(r"pw\w+").fullmatch),
    ],
)
def test_a_format_is_kept(form: str, expected: Any) -> None:  # noqa: ANN401 - says whether it fits
    assert expected(value("field", {"type": "string", "format": form}))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("color", r"#3366cc"),
        ("contactEmail", r"pw\w+@example\.com"),
        ("callback-url", r"https://example\.com/pw\w+"),
        ("dueDate", r"\d{4}-\d\d-\d\d"),
        ("starts_at", r"\d{4}-\d\d-\d\dT.+"),
        ("password", r"Pw-pw\w+-Zz9!"),
        ("title", r"pw\w{10}"),
    ],
)
def test_a_name_says_what_a_text_is(name: str, expected: str) -> None:
    assert re.fullmatch(expected, value(name, {"type": "string"}))


def test_a_file_has_a_canary_in_its_name_and_in_what_it_holds() -> None:
    values = Values(ledger(), "acme")
    (sent,) = (values.value("document", {"type": "string", "format": "binary"}),)
    assert sent == Upload(f"{values.planted[0]}.txt", f"{values.planted[0]}\n")


def test_an_object_of_which_nothing_is_known_has_room_for_a_canary() -> None:
    assert list(value("meta", {"type": "object"})) == ["note"]
    assert value("meta", {"type": "object", "additionalProperties": False}) == {}
    assert value("access_control", {"type": "object"}) == {}


@pytest.mark.parametrize("name", sorted(OPEN))
def test_nothing_is_opened(name: str) -> None:
    assert value(name, {"type": "boolean", "default": True}) is False


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_what_can_be_closed_is(name: str) -> None:
    assert value(name, {"type": "boolean"}) is True


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("visibility", {"enum": ["public", "team", "private"], "default": "public"}, "private"),
        ("shown_to", {"enum": ["Public", "Private"]}, "Private"),
        ("colour", {"enum": ["red", "blue"], "default": "blue"}, "blue"),
        ("colour", {"enum": ["red", "blue"]}, "red"),
        ("colour", {"enum": [None, "blue"]}, "blue"),
        ("colour", {"enum": [None]}, None),
    ],
)
def test_the_choice(name: str, schema: dict[str, Any], expected: object) -> None:
    assert chosen(name, schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "default": "public"}, "private"),
        ({"type": "string", "description": "One of team, public.", "default": "public"}, "team"),
        ({"type": "string", "description": "Who may see it."}, "private"),
    ],
)
def test_who_may_see_is_said_in_the_description_s_words(
    schema: dict[str, Any], expected: str
) -> None:
    assert Values(ledger(), "acme").value("visibility", schema) == expected


@pytest.mark.parametrize(
    ("pattern", "more"),
    [
        (r"^[a-z0-9]+$", {}),
        (r"^[A-Z]{3}-\d{4}$", {}),
        (r"^-?\d{0,8}(?:\.\d{0,2})?$", {}),
        (r"^#[0-9a-f]{6}$", {"maxLength": 7}),
        (r"^\w{2}$", {}),
    ],
)
def test_a_pattern_is_matched(pattern: str, more: dict[str, Any]) -> None:
    schema = {"type": "string", "pattern": pattern, **more}
    made = value("code", schema)
    assert re.search(pattern, made)
    assert made.isascii()
    jsonschema.validate(made, schema)


def test_a_number_as_a_text_is_one() -> None:
    assert float(value("amount", {"type": "string", "pattern": r"^-?\d{0,8}(?:\.\d{0,2})?$"}))


def test_a_pattern_that_no_text_can_match_ends_nothing() -> None:
    assert patterned({"pattern": "^[a-z]{3}$", "minLength": 10}, "pwabcdefghij") == ""
    assert patterned({"pattern": r"^(\p{L}+$"}, "pwabcdefghij") == "pwabcdefghij"


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("title", {"type": "string"}, True),
        ("title", {}, True),
        ("photo", {"type": "string", "format": "binary"}, True),
        ("title", {"type": "integer"}, False),
        ("title", {"type": "string", "enum": ["a"]}, False),
        ("title", {"type": "string", "pattern": "a"}, False),
        ("title", {"type": "string", "default": "a"}, False),
        ("when", {"type": "string", "format": "date"}, False),
        ("status", {"type": "string"}, False),
        ("folderId", {"type": "string"}, False),
        ("user_email", {"type": "string"}, False),
        ("timezone", {"type": "string"}, False),
    ],
)
def test_free_text(name: str, schema: dict[str, Any], *, expected: bool) -> None:
    assert free(name, schema) is expected


def test_who_may_see() -> None:
    assert visible("isPublic", {})
    assert visible("visibility", {})
    assert visible("who", {"enum": ["PUBLIC", "members"]})
    assert not visible("status", {"enum": ["open", "done"]})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
def test_each_canary_is_new(names: list[str]) -> None:
    values = Values(ledger(), "acme")
    for name in names:
        values.value(name, {"type": "string"})
    assert len(set(values.planted)) == len(values.planted)
