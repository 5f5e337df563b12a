"""From ids to requests, and from an id to one that nobody has."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.bodies import Body
from partywall.survey.http.rendering import Raw, nobodys, render, written
from partywall.survey.http.slots import Slot
from tests.probe.corpus.describing import Told
from tests.survey.http.apis import api, ledger, operation

if TYPE_CHECKING:
    from partywall.survey.http.operations import Api
    from partywall.survey.http.wire import Request

AT = "GET /notes/{note_id}"


def rendered(known: Api, at: str, bound: dict[Slot, Any], body: Body | None = None) -> Request:
    return render(known, operation(known, at), bound, body or Body(), ledger(), "acme")


@pytest.mark.parametrize(
    ("id_", "path"),
    [
        (7, "/notes/7"),
        ("a b", "/notes/a%20b"),
        ("../x", "/notes/..%2Fx"),
        (Raw("%2561"), "/notes/%2561"),
        ("", "/notes/"),
    ],
)
def test_an_id_goes_into_the_path(id_: object, path: str) -> None:
    assert rendered(api(AT), AT, {Slot("path", ("note_id",), "note"): id_}).path == path


def test_ids_go_where_their_parameters_stand() -> None:
    at = "GET /notes"
    told = {at: Told(query={"board_id": str, "page": int}, headers={"X-Org": str})}
    bound = {Slot("query", ("board_id",), "board"): 7, Slot("header", ("X-Org",), "org"): "o1"}
    sent = rendered(api(**told), at, bound)
    assert (sent.query, sent.headers) == ((("board_id", "7"),), (("X-Org", "o1"),))


def test_a_list_in_the_query_is_said_item_by_item() -> None:
    at = "GET /notes"
    told = {at: Told(query={"ids": [str]})}
    sent = rendered(api(**told), at, {Slot("query", ("ids", "*"), "note"): ["a", "b"]})
    assert sent.query == (("ids", "a"), ("ids", "b"))


def test_what_is_no_id_gets_a_value_where_it_is_required() -> None:
    at = "GET /reports/{period}"
    told = {at: Told(ids={"period": ("week", "month")}, query={"q": str})}
    sent = rendered(api(**told), at, {})
    assert (sent.path, sent.query) == ("/reports/week", ())


def test_a_body_goes_along() -> None:
    at = "POST /notes"
    body = Body("application/json", {"title": "t"})
    sent = rendered(api(**{at: Told(body={"title": str})}), at, {}, body)
    assert (sent.method, sent.media, sent.body) == ("POST", body.media, body.value)


@pytest.mark.parametrize(("value", "said"), [(True, "true"), (7, "7"), ("True", "True")])
def test_a_flag_is_said_in_lower_case(value: object, said: str) -> None:
    assert written(value) == said


IDS = st.one_of(
    st.integers(1, 10**9),
    st.uuids().map(str),
    st.text(st.sampled_from("abcXYZ0123456789-_"), min_size=1, max_size=20),
    st.text(st.sampled_from("0123456789abcdef"), min_size=8, max_size=32),
)


@given(IDS)
def test_nobody_has_the_same_id(id_: int | str) -> None:
    other = nobodys(id_, ledger())
    assert other != id_
    assert type(other) is type(id_)


@given(st.uuids())
def test_nobody_s_uuid_is_one(id_: uuid.UUID) -> None:
    assert uuid.UUID(nobodys(str(id_), ledger())).version == 4


@given(st.integers(1, 10**9))
def test_nobody_s_number_is_one_of_32_bits(id_: int) -> None:
    assert id_ < nobodys(id_, ledger()) < 2**31


@given(st.integers(1, 10**20))
def test_nobody_s_number_is_one_also_as_a_text(id_: int) -> None:
    assert nobodys(str(id_), ledger()).isdecimal()


@pytest.mark.parametrize("id_", ["note_5f3a9c01", "ws_Ab3", "AB-12", "7f3c09aa11"])
def test_nobody_s_id_looks_like_it(id_: str) -> None:
    other = nobodys(id_, ledger())
    assert len(other) == len(id_)
    assert other.rpartition("_")[0] == id_.rpartition("_")[0]
    for mine, theirs in zip(id_.rpartition("_")[2], other.rpartition("_")[2], strict=True):
        assert mine.isalnum() == theirs.isalnum()


def test_each_of_a_list_is_another() -> None:
    assert len(nobodys(["a_1", "a_2"], ledger())) == 2
    assert nobodys(None, ledger()) is None
    assert nobodys(value=True, ledger=ledger()) is True
