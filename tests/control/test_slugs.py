from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.control.slugs import LONGEST, RESERVED, SHORTEST, skeleton, slug
from partywall.errors import InvalidRecord

SOUND = ["acme", "acme-tools", "a1b", "9to5", "x" * LONGEST, "team-42-north"]
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"


@pytest.mark.parametrize("text", SOUND)
def test_a_slug(text: str) -> None:
    assert slug(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "ab", "x" * (LONGEST + 1), "Acme", "acme ", " acme", "acme\n", "acme.tools",
        "acme_tools", "-acme", "acme-", "acme--tools", "../acme", 'a"; drop schema public', "ácme",
        "\u0430cme", "ACME", "acme\x00", "xn--acme", "pg-acme", "partywall-x", "12345", "acme/../x",
        "a\u200bcme", "acm\u00e9", "acme\u0301", "\uff41cme", "\u0661\u0662\u0663", "acme.",
        "\u212acme",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidRecord):
        slug(text)


@pytest.mark.parametrize("text", sorted(name for name in RESERVED if len(name) >= SHORTEST))
def test_what_is_reserved(text: str) -> None:
    with pytest.raises(InvalidRecord, match=r"reserved|system"):
        slug(text)


@pytest.mark.parametrize("text", ["adrnin", "l0gin", "supp0rt", "vvww", "ad-min", "1ogin"])
def test_what_looks_like_a_reserved_one(text: str) -> None:
    with pytest.raises(InvalidRecord, match="reserved"):
        slug(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("paypal", "paypa1"), ("modern", "rnodern"), ("wow", "vvow"), ("book", "b00k"),
     ("acme-tools", "acmetools"), ("acme-tools", "ac-metools")],
)  # fmt: skip
def test_what_looks_alike_has_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("acme", "acne"), ("bill", "bell"), ("clay", "day")])
def test_what_does_not_has_two(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@given(st.text(ALPHABET, max_size=45))
def test_what_is_taken_can_stand_in_a_host_name(text: str) -> None:
    try:
        taken = slug(text)
    except InvalidRecord:
        return
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", taken)  # RFC 1123, section 2.1
    assert taken == text


@given(st.text(ALPHABET, max_size=45))
def test_a_skeleton_is_its_own(text: str) -> None:
    assert skeleton(skeleton(text)) in {skeleton(text), skeleton(skeleton(skeleton(text)))}
