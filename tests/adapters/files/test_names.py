"""Where a tenant's files lie: for no two tenants in one place, and for none in another's."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from partywall.adapters.files.names import (
    LONGEST_NAME,
    LONGEST_PLACE,
    named,
    place_of,
    typed,
)
from partywall.context import ID
from partywall.errors import InvalidRecord, MissingTenant

IDS = st.from_regex(ID, fullmatch=True).map(str.strip)
PARTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1)


@given(IDS, IDS)
@example("acme", "ACME")
@example("a.b", "a:b")
@example("a-b", "a_b")
@example("a", "a.b")
@example("A" * 100, "a" * 100)
@example("A" * 100, "A" * 101)
def test_no_tenant_s_place_lies_in_another_s_even_where_case_is_folded(a: str, b: str) -> None:
    assume(a != b)
    first, second = (place_of(each).casefold() + "/" for each in (a, b))
    assert not first.startswith(second)
    assert not second.startswith(first)


@given(IDS)
@example("con")
@example("a..b")
@example("Z" * 128)
def test_a_place_is_one_name_that_every_file_system_takes_as_it_is(tenant_id: str) -> None:
    place = place_of(tenant_id)
    assert set(place) <= set("abcdefghijklmnopqrstuvwxyz0123456789_$")
    assert len(place) <= LONGEST_PLACE
    assert place[:2] in {"t_", "h_"}
    assert place == unicodedata.normalize("NFD", place)


@pytest.mark.parametrize("tenant_id", ["", "..", "a/b", "a\\b", "a\0b", ".hidden", "a\n"])
def test_what_is_no_id_has_no_place(tenant_id: str) -> None:
    with pytest.raises(MissingTenant):
        place_of(tenant_id)


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../b", "a/../b", "a/./b", "a\\..\\b",
        "a\0b", "a\nb", "a\x7fb", "a\x85b", "a\u2028b", "a\ud800b", "\u202egpj.exe", "a\u2066b",
        ".partywall-1", "a/.PARTYWALL-1", "a" * 256, "é" * 128, "a/" * 256 + "a", "\u0378",
    ],
)  # fmt: skip
def test_what_no_file_may_be_called(name: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        named(name)
    assert len(name) < 4 or name not in str(refused.value)


@pytest.mark.parametrize("name", [None, b"a", 1])
def test_a_name_is_text(name: object) -> None:
    with pytest.raises(InvalidRecord):
        named(name)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    "name", ["a", "a/b/c.txt", ".env", "…", "a b", "~", "-rf", "%2e%2e", "😀.png", "a" * 255]
)
def test_what_a_file_may_be_called(name: str) -> None:
    assert named(name) == name


def test_two_spellings_that_look_alike_are_one_name() -> None:
    assert named("re\u0301sume\u0301.pdf") == named("r\u00e9sum\u00e9.pdf")


@given(st.lists(PARTS, min_size=1, max_size=4).map("/".join))
@example("\u1fef")
def test_a_name_that_is_taken_stays_what_it_is_and_where_it_is(name: str) -> None:
    try:
        found = named(name)
    except InvalidRecord:
        return
    assert named(found) == found
    assert not {"", ".", ".."} & set(found.split("/"))
    assert len(found.encode()) <= LONGEST_NAME
    assert "\\" not in found


@pytest.mark.parametrize("given", ["text/html; charset=utf-8", "image/svg+xml", "a/b"])
def test_a_media_type(given: str) -> None:
    assert typed(given) == given


@pytest.mark.parametrize(
    "given", ["", "html", "text/html\r\nSet-Cookie: a=b", "text/html\n", "a/" + "b" * 200, "a/b;"]
)
def test_what_is_no_media_type_never_becomes_a_header(given: str) -> None:
    with pytest.raises(InvalidRecord):
        typed(given)
