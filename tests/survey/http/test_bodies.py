"""Bodies: what a schema asks for, what the server said of it, and the ids that go in."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.bodies import REFUSED, VARIANTS, Body, Composer
from partywall.survey.http.complaints import DROP, REFERENCE
from partywall.survey.http.drafting import Path, Variant, put
from partywall.survey.http.operations import Operation, Payload
from partywall.survey.http.wire import Upload
from tests.probe.corpus.describing import schema
from tests.survey.http.apis import ledger

JSON = "application/json"


def taking(*payloads: Payload, method: str = "POST") -> Operation:
    return Operation(method, "/tasks", payloads=payloads)


def of(shape: Any, media: str = JSON, example: Any = None) -> Operation:  # noqa: ANN401 - a shape
    return taking(Payload(media, schema(shape), required=True, example=example))


def composer(**more: Any) -> Composer:  # noqa: ANN401 - fields of Composer
    return Composer({}, ledger(), **more)


def sent(
    operation: Operation,
    references: dict[Path, Any] | None = None,
    variant: Variant | None = None,
    **more: Any,  # noqa: ANN401 - fields of Composer
) -> Any:  # noqa: ANN401 - any JSON
    return composer(**more).compose(operation, "acme", references or {}, variant).value


TASK = {"title": str, "done": bool, "note?": str, "colour?": str, "visibility?": ("all", "private")}
LEAST = {"title", "done", "visibility"}


@pytest.mark.parametrize(
    ("variant", "names"), [("full", LEAST | {"note"}), ("single", LEAST), ("least", LEAST)]
)
def test_a_variant_has_more_or_less_of_what_is_optional(variant: Variant, names: set[str]) -> None:
    assert set(sent(of(TASK), variant=variant)) == names


def test_the_single_text_is_an_optional_one_where_none_is_required() -> None:
    assert set(sent(of({"n": int, "note?": str, "more?": str}), variant="single")) == {"n", "note"}


def test_the_accepted_variant_is_used_again() -> None:
    known = composer(variants={"POST /tasks": "least"})
    assert "note" not in known.compose(of(TASK), "acme", {}).value


def test_what_can_be_closed_is_and_nothing_is_said_where_it_must_not_be() -> None:
    assert sent(of(TASK))["visibility"] == "private"
    assert "visibility" not in sent(of(TASK), silent=True)


def test_canaries_stand_in_it() -> None:
    body = composer().compose(of({"title": str, "lines": [{"note": str}]}), "acme", {})
    title, note = body.canaries
    assert body.value == {"title": title, "lines": [{"note": note}]}


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ({("board_id",): 7}, {"board_id": 7}),
        ({("board_ids", "*"): [7, 8]}, {"board_ids": [7, 8]}),
        ({("lines", "*", "board_id"): 7}, {"lines": [{"board_id": 7}]}),
        ({("board", "id"): 7}, {"board": {"id": 7}}),
        ({("unheard_of",): 7}, {"unheard_of": 7}),
        ({("unheard_of", "*"): [7]}, {"unheard_of": [7]}),
        ({("unheard", "of"): 7}, {"unheard": {"of": 7}}),
        ({("board_id",): None}, {"board_id": None}),
    ],
)
@pytest.mark.parametrize("variant", ["full", "least"])
def test_an_id_is_sent_also_where_it_is_optional(
    references: dict[Path, Any], expected: dict[str, Any], variant: Variant
) -> None:
    shape = {
        "board_id?": int, "board_ids?": [int], "lines?": [{"board_id?": int}],
        "board?": {"id?": int},
    }  # fmt: skip
    assert sent(of(shape), references, variant) == expected


def test_ids_of_its_own_are_no_free_text() -> None:
    reserved = {"POST /tasks": {("board",)}}
    assert sent(of({"board?": str, "note?": str}), reserved=reserved).keys() == {"note"}


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        (DROP, {}),
        (REFERENCE, {"title": 11}),
        ({"x-own": 1}, {"title": 12}),
        ({"enum": ["a", "b"]}, {"title": "a"}),
        ({"type": "integer", "maximum": 9}, {"title": 1}),
        ({"maxLength": 0}, {"title": ""}),
    ],
)
@pytest.mark.parametrize("variant", ["full", "examples"])
def test_what_the_server_said_is_done(
    fix: dict[str, Any], expected: dict[str, Any], variant: Variant
) -> None:
    operation = of({"title": str}, example={"title": "an example"})
    learned = {operation.at: {("title",): fix}}
    assert sent(operation, variant=variant, learned=learned, ids=lambda _: [11, 12]) == expected


def test_a_field_is_sent_that_only_the_server_spoke_of() -> None:
    operation = of({"done": bool})
    learned = {operation.at: {("owner",): {"type": "integer", "maximum": 9}}}
    assert sent(operation, learned=learned) == {"done": False, "owner": 1}


def test_a_correction_does_not_take_an_id_away() -> None:
    operation = of({"board": str}, example={"board": "x", "title": "t"})
    learned = {operation.at: {("board",): {"type": "string", "format": "uuid"}}}
    for variant in ("full", "examples"):
        assert sent(operation, {("board",): "b7"}, variant, learned=learned)["board"] == "b7"


def test_a_change_differs_from_what_is_there() -> None:
    operation = of({"status": ("open", "done")})
    assert sent(operation) == {"status": "open"}
    assert sent(operation, changing={operation.at}) == {"status": "done"}


def test_the_fewest_items_are_all_different() -> None:
    plain = {"type": "object", "properties": {"tags": {
        "type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True,
    }}, "required": ["tags"]}  # fmt: skip
    body = sent(taking(Payload(JSON, plain)))
    jsonschema.validate(body, plain)
    assert len(body["tags"]) == 3


def test_an_example_is_given_ids_at_any_depth() -> None:
    operation = of({"title": str}, example={"title": "t", "lines": [{"n": 1}, {"n": 2}]})
    found = sent(operation, {("lines", "*", "board_id"): 7}, "examples")
    assert found == {"title": "t", "lines": [{"n": 1, "board_id": 7}, {"n": 2, "board_id": 7}]}


def test_what_the_owner_is_shown_is_planted_anew() -> None:
    shown = {"id": 4, "created_at": "x", "title": "hello", "code": "ab", "tags": ["one", "none"]}
    known = composer(shown=lambda _one, _owner: shown)
    body = known.compose(of({"title": str}), "acme", {}, "shown")
    title, tag = body.canaries
    assert body.value == {"title": title, "code": "ab", "tags": [tag, "none"]}


def test_a_variant_that_nothing_can_be_made_of() -> None:
    assert composer().compose(of({"title": str}), "acme", {}, "shown") == Body(REFUSED)
    assert composer().compose(of({"title": str}), "acme", {}, "generated") == Body(REFUSED)


def test_a_generated_body_is_planted() -> None:
    shape = {"title": str, "n": int}
    document = {
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
        "paths": {"/tasks": {"post": {
            "requestBody": {"required": True, "content": {JSON: {"schema": schema(shape)}}},
            "responses": {"200": {"description": "done"}},
        }}},
    }  # fmt: skip
    made = Composer(document, ledger()).compose(of(shape), "acme", {}, "generated").value
    assert isinstance(made["n"], int)
    assert isinstance(made["title"], str)


def test_nothing_is_sent_where_nothing_is_taken() -> None:
    assert composer().compose(taking(), "acme", {}) == Body()
    body = composer(assumed={"POST /tasks"}).compose(taking(), "acme", {})
    assert body.value == {"note": body.canaries[0]}
    assert sent(taking(), {("board_id",): 7}) == {"board_id": 7}


def test_a_form_that_carries_files_goes_first() -> None:
    plain = Payload(JSON, schema({"title": str}))
    files = Payload("multipart/form-data", schema({"file": bytes}))
    body = composer().compose(taking(plain, files), "acme", {})
    assert body.media == "multipart/form-data"
    assert isinstance(body.value["file"], Upload)
    no_files = Payload("multipart/form-data", schema({"title": str}))
    assert composer().compose(taking(plain, no_files), "acme", {}).media == JSON


@pytest.mark.parametrize(
    ("media", "shape", "kind"),
    [
        ("text/plain", {"title": str}, str),
        ("application/octet-stream", {"title": str}, str),
        ("application/octet-stream", bytes, Upload),
        ("multipart/form-data", bytes, dict),
        ("application/x-www-form-urlencoded", str, dict),
        ("application/merge-patch+json", [str], list),
    ],
)
def test_what_a_media_type_can_carry(media: str, shape: Any, kind: type) -> None:  # noqa: ANN401 - a shape
    assert isinstance(sent(of(shape, media)), kind)


FIELDS = st.sampled_from(("title", "status", "url", "limit", "lines", "isPublic?", "note?"))
SHAPES = st.recursive(
    st.sampled_from((str, int, bool, float)),
    lambda inner: (
        st.dictionaries(FIELDS, inner, min_size=1, max_size=3) | inner.map(lambda one: [one])
    ),
    max_leaves=8,
)


@given(st.dictionaries(FIELDS, SHAPES, min_size=1, max_size=4), st.sampled_from(VARIANTS[:4]))
def test_a_body_is_what_its_schema_says(shape: Any, variant: Variant) -> None:  # noqa: ANN401 - a shape
    body = composer().compose(of(shape), "acme", {}, variant)
    if body.media != REFUSED:
        jsonschema.validate(body.value, schema(shape))


@given(st.lists(st.sampled_from(("a", "b", "*")), min_size=1, max_size=4))
def test_an_id_is_put_where_its_path_leads(path: list[str]) -> None:
    found = put(None, tuple(path), 7)
    for name in path:
        found = found[0] if name == "*" else found[name]
    assert found == 7
