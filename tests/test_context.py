"""`TenantContext`: made once, never changed, and nothing but what it says."""

from __future__ import annotations

import dataclasses
import json
import pickle
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall import MissingTenant, TenantContext
from partywall.context import ID

IDS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_.:@-]{0,126}[A-Za-z0-9])?", fullmatch=True)
NAMES = st.frozensets(st.text(), max_size=3)
CONTEXTS = st.builds(TenantContext, IDS, st.text(), NAMES, NAMES)


class Named(str, Enum):  # noqa: UP042 - whose str(), unlike a StrEnum's, is what is tested
    """An enumeration whose str() is not its value."""

    ACME = "acme"


@given(CONTEXTS)
def test_a_context_survives_json_and_pickle(context: TenantContext) -> None:
    again = TenantContext.from_json(context.to_json())
    assert again == context
    assert hash(again) == hash(context)
    assert again.to_json() == context.to_json()
    assert pickle.loads(pickle.dumps(context)) == context  # noqa: S301 - our own


@given(st.text())
def test_an_id_is_taken_as_it_is_or_not_at_all(text: str) -> None:
    if ID.match(text):
        assert TenantContext(text).tenant_id == text
        assert text.isascii()
    else:
        with pytest.raises(MissingTenant):
            TenantContext(text)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (UUID("A" * 32), "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"),
        (7, "7"),
        (Named.ACME, "acme"),
        ("acme", "acme"),
    ],
)
def test_what_can_be_an_id(given_: Any, kept: str) -> None:  # noqa: ANN401 - what callers pass
    assert TenantContext(given_).tenant_id == kept


@pytest.mark.parametrize("hostile", [None, "", True, 0, -1, 1.5, b"a", [], "a\n", "a ", "-a", "a-"])
def test_what_can_not(hostile: Any) -> None:  # noqa: ANN401 - what callers pass
    with pytest.raises(MissingTenant):
        TenantContext(hostile)


def test_a_context_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TenantContext("acme").tenant_id = "globex"  # type: ignore[misc]  # the attempt


@pytest.mark.parametrize("roles", ["admin", b"admin", [1]])
def test_roles_are_a_set_of_names(roles: Any) -> None:  # noqa: ANN401 - what callers pass
    with pytest.raises(TypeError):
        TenantContext("acme", roles=roles)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"tenant_id": "a", "is_admin": true}'])
def test_what_is_no_serialised_context(text: str) -> None:
    with pytest.raises(MissingTenant):
        TenantContext.from_json(text)


def test_json_is_sorted() -> None:
    context = TenantContext("acme", roles=frozenset({"b", "a"}))
    assert json.loads(context.to_json())["roles"] == ["a", "b"]
