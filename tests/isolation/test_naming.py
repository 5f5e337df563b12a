"""Physical names: one for each id, readable back, never cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.errors import ConfigurationError, MissingTenant
from partywall.isolation.naming import LONGEST, identifier, literal, physical_name, tenant_of

SHORT = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_.:@-]{0,18}[A-Za-z0-9])?", fullmatch=True)


@given(SHORT, SHORT)
def test_two_ids_never_share_a_name_also_where_case_is_folded(one: str, other: str) -> None:
    folded = physical_name(one).lower(), physical_name(other).lower()
    assert (folded[0] == folded[1]) == (one == other)


@given(SHORT)
def test_a_name_reads_back_to_its_id(tenant: str) -> None:
    name = physical_name(tenant)
    assert tenant_of(name) == tenant
    assert name.isascii()
    assert name == name.lower()
    assert len(name) <= LONGEST


@given(st.text())
def test_only_a_name_reads_back(text: str) -> None:
    found = tenant_of(text)
    assert found is None or physical_name(found) == text


@pytest.mark.parametrize(
    "name", ["t_acme\n", "t_", "acme", "t_A", "t_$41\n", "t_$2f", "t_$zz", "x_a"]
)
def test_what_is_nobodys_name(name: str) -> None:
    assert tenant_of(name) is None


@given(st.from_regex(r"[A-Za-z0-9]{20,128}", fullmatch=True))
def test_a_name_is_never_cut(tenant: str) -> None:
    try:
        name = physical_name(tenant)
    except MissingTenant:
        return
    assert tenant_of(name) == tenant


def test_a_uuid_fits() -> None:
    assert len(physical_name("f" * 8 + "-ffff-ffff-ffff-" + "f" * 12)) <= LONGEST
    with pytest.raises(MissingTenant, match="64 bytes"):
        physical_name("a" * 62)


@pytest.mark.parametrize("prefix", ["", "T_", "pg_", "1_", 'a"', "t_\n", "x" * 17])
def test_what_can_not_begin_names(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        physical_name("acme", prefix)


@pytest.mark.parametrize("name", ["", "a\0b", "é" * 32, "x" * 64])
def test_what_is_no_identifier(name: str) -> None:
    with pytest.raises(ConfigurationError):
        identifier(name)


def test_quoting() -> None:
    assert identifier('a"b') == '"a""b"'
    assert literal("a'b") == "'a''b'"
    assert literal("a\\'b") == "E'a\\\\''b'"
    with pytest.raises(ConfigurationError):
        literal("a\0b")
