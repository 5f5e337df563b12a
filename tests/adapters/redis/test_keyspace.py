"""What of a Redis is whose."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.adapters.redis.keyspace import Keyspace, escaped, within
from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant, WallError
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from partywall.adapters.redis.keyspace import Kind

IDS = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9_.:@-]{0,12}[A-Za-z0-9])?\Z")
NAMES = st.text(max_size=12)
NAMESPACES = st.from_regex(r"\A[a-z][a-z0-9_.-]{0,3}\Z")


@given(one=IDS, other=IDS, first=NAMES, second=NAMES, namespaces=st.tuples(NAMESPACES, NAMESPACES))
def test_no_key_of_one_tenant_begins_as_a_key_of_another(
    one: str, other: str, first: str, second: str, namespaces: tuple[str, str]
) -> None:
    mine = Keyspace(TenantContext(one), namespaces[0])
    theirs = Keyspace(TenantContext(other), namespaces[1])
    if (one, namespaces[0]) == (other, namespaces[1]):
        return
    for key in (theirs.key(second), theirs.own("lock", second), theirs.own("counts")):
        assert not key.startswith(mine.key(""))
        assert not key.startswith(mine.key("")[:-1])
        assert not mine.holds(key)
    assert mine.holds(mine.key(first))


@pytest.mark.parametrize("other", ["acme:eu", "acme@eu", "acme.", "ac", "acme-", "acme}"])
def test_an_id_that_begins_another_begins_none_of_its_keys(other: str) -> None:
    if not other[-1].isalnum():
        with pytest.raises(MissingTenant):
            TenantContext(other)
        return
    mine, theirs = Keyspace(ACME), Keyspace(TenantContext(other))
    assert not theirs.key("x").startswith(mine.key("")[:-1])


@given(name=NAMES)
def test_a_name_comes_back_from_its_key(name: str) -> None:
    space = Keyspace(ACME)
    assert space.name(space.key(name)) == name


@given(name=NAMES)
def test_no_name_leads_to_what_partywall_keeps_for_itself(name: str) -> None:
    space = Keyspace(ACME)
    kinds: tuple[Kind, ...] = ("lock", "computing", "generation", "counts")
    for kind in kinds:
        assert not space.own(kind).startswith(space.key(name))
        assert not space.holds(space.own(kind))


def test_a_key_of_another_tenant_has_no_name_here() -> None:
    with pytest.raises(WallError, match="not this tenant's"):
        Keyspace(ACME).name(Keyspace(GLOBEX).key("x"))


@given(
    text=st.text(alphabet="ab*?[]^-\\", max_size=8),
    other=st.text(alphabet="ab*?[]^-\\", max_size=8),
)
def test_an_escaped_text_matches_itself_alone(text: str, other: str) -> None:
    # fnmatch knows no backslash: each escaped character becomes a class of one.
    pattern = escaped(text.encode()).decode()
    parts, rest = [], pattern
    while rest:
        size = 2 if rest[0] == "\\" else 1
        char = rest[:size][-1]
        parts.append(f"[{char}]" if char in "*?[" else char)
        rest = rest[size:]
    assert fnmatchcase(other, "".join(parts)) is (text == other)


@given(one=st.tuples(NAMES, NAMES), other=st.tuples(NAMES, NAMES))
def test_two_fields_are_two_places(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (within("f", *one) == within("f", *other)) is (one == other)
    moved = ("".join(one)[:1], "".join(one)[1:])  # the same letters, parted elsewhere
    assert (within("f", *one) == within("f", *moved)) is (one == moved)


def test_a_separator_in_a_name_makes_no_other_place() -> None:
    assert within("f", "a:b", "c") != within("f", "a", "b:c")


@pytest.mark.parametrize("context", [None, "acme", {"tenant_id": "acme"}])
def test_there_is_no_keyspace_without_a_context(context: object) -> None:
    with pytest.raises(MissingTenant, match="needs a TenantContext"):
        Keyspace(context)  # type: ignore[arg-type] # what the test is about


@pytest.mark.parametrize("namespace", ["", "a:b", "a{b", "a*", "-a", "a" * 65, "ä"])
def test_a_namespace_can_hold_nothing_that_ends_it(namespace: str) -> None:
    with pytest.raises(ConfigurationError):
        Keyspace(ACME, namespace)
