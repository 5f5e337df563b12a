"""The declaration of scoped queries, and the ids they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall import ConfigurationError, MissingTenant, ScopedQueries, TenantContext

MODEL = ScopedQueries()


def test_sets_of_names_are_frozen_and_the_declaration_is_a_value() -> None:
    one = ScopedQueries(shared={"plan"}, writable={"plan"}, functions={"app.slug"})
    assert one == ScopedQueries(
        shared=frozenset({"plan"}), writable={"plan"}, functions={"app.slug"}
    )
    assert hash(one)


@pytest.mark.parametrize(
    "wrong", [{"column": ""}, {"shared": {""}}, {"functions": {"a." + "b" * 64}}]
)
def test_what_is_no_name_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        ScopedQueries(**wrong)  # type: ignore[arg-type]  # one field at a time


def test_a_writable_table_must_be_shared() -> None:
    with pytest.raises(ConfigurationError, match="visit: writable names shared tables"):
        ScopedQueries(shared={"plan"}, writable={"plan", "visit"})


def test_backslashes_are_read_as_the_analysis_reads_them() -> None:
    assert MODEL.settings() == {"standard_conforming_strings": "on"}


@pytest.mark.parametrize(
    "tenant", ["acme", "00000000-0000-0000-0000-00000000000a", "7", "0", "3com", "a1", "1a", "e5"]
)
def test_usual_ids_are_let_in(tenant: str) -> None:
    assert MODEL.enter(TenantContext(tenant)) == ()


@pytest.mark.parametrize(
    "tenant",
    [
        "0000000000000000000000000000000a",
        "00000000-0000-0000-0000-00000000000A",
        "urn:uuid:00000000-0000-0000-0000-00000000000a",
        "01",
        "1.0",
        "1e0",
        "1_0",
        "0x1",
        "9223372036854775808",
    ],
)
def test_an_id_that_a_database_may_take_for_anothers_is_refused(tenant: str) -> None:
    with pytest.raises(MissingTenant, match="unusual form"):
        MODEL.enter(TenantContext(tenant))


@given(st.integers(1, 2**63 - 1))
def test_every_whole_number_is_let_in_as_it_is_written(number: int) -> None:
    assert MODEL.enter(TenantContext(number)) == ()
    with pytest.raises(MissingTenant):
        MODEL.enter(TenantContext(f"0{number}"))
