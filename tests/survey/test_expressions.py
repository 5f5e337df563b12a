"""What is read out of policies and functions; pure, no server."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.expressions import (
    Comparisons,
    Tables,
    columns_in,
    in_function,
    in_policy,
    relations_in,
)

DOCS, MEMBERS = "public.docs", "public.members"
TABLES = Tables(
    {
        DOCS: frozenset({"tenant", "state", "id", "deleted_at"}),
        MEMBERS: frozenset({"tenant", "person"}),
        'odd."My Docs"': frozenset({"tenant"}),
    },
    {"docs": (DOCS,), "members": (MEMBERS,), "My Docs": ('odd."My Docs"',)},
)
SETTING = "current_setting('app.org'::text, true)"
WORDS = st.text(alphabet="abcdefgh_ 'xyz0189é", min_size=1, max_size=12)
NAMES = st.from_regex(r"c[a-z]{2}[0-9]", fullmatch=True)


def policy(text: str) -> Comparisons:
    return in_policy(text, DOCS, TABLES)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize(
    "text",
    [
        f"(tenant = ({SETTING})::integer)",
        f"({SETTING})::integer = tenant",
        f"(tenant = ( SELECT ({SETTING})::integer AS current_setting))",
        f"((tenant)::text = {SETTING})",
        f"docs.tenant = ({SETTING})::integer",
        f"state = 'open' AND (NOT false OR tenant IN (({SETTING})::integer))",
        f"tenant = ANY (string_to_array({SETTING}, ',')::int[])",
        f"NOT (tenant IS DISTINCT FROM ({SETTING})::integer) OR tenant = ({SETTING})::int",
    ],
)
def test_a_policy_compares_the_column_with_the_context(text: str) -> None:
    found = policy(text)

    assert set(found.contexts) == {(DOCS, "tenant")}
    assert all("current_setting" in one for one in found.contexts[DOCS, "tenant"])
    assert found.settings == {"app.org"}
    assert (DOCS, "tenant") in found.guards


def test_a_missing_tenant_may_equal_a_missing_context() -> None:
    found = policy(f"NOT tenant IS DISTINCT FROM 1 OR tenant IS NOT DISTINCT FROM ({SETTING})::int")

    assert set(found.contexts) == {(DOCS, "tenant")}


def test_a_sub_query_has_its_own_tables() -> None:
    found = policy(
        "(tenant IN ( SELECT m.tenant FROM public.members m WHERE (m.person = CURRENT_USER)))"
    )

    assert found.contexts == {(MEMBERS, "person"): ["CURRENT_USER"]}
    assert found.guards == {(DOCS, "tenant")}


def test_a_sub_query_sees_the_row_outside() -> None:
    found = policy(
        "EXISTS ( SELECT 1 FROM members m "
        "WHERE ((m.tenant = docs.tenant) AND (m.person = session_user)))"
    )

    assert ((MEMBERS, "tenant"), (DOCS, "tenant")) in found.links
    assert set(found.contexts) == {(MEMBERS, "person")}


def test_constants_nulls_and_calls() -> None:
    found = policy(
        "state IN ('open', 'done') AND deleted_at IS NULL AND id = ANY (ARRAY[1, 2]) "
        "AND own.may(id)"
    )

    assert found.literals == {(DOCS, "state"): ["open", "done"], (DOCS, "id"): ["1", "2"]}
    assert found.nulls == {(DOCS, "deleted_at")}
    assert found.calls == {"own.may"}
    assert not found.contexts
    assert found.guards >= {(DOCS, "state"), (DOCS, "deleted_at"), (DOCS, "id")}


@pytest.mark.parametrize(
    "text", ["state <> 'open'", "id > 3", "deleted_at IS NOT NULL", "true", "("]
)
def test_what_holds_nothing_equal(text: str) -> None:
    found = policy(text)

    assert not found.contexts
    assert not found.literals
    assert not found.nulls


def test_a_table_whose_name_needs_quotes() -> None:
    found = in_policy(f"tenant = {SETTING}", 'odd."My Docs"', TABLES)

    assert set(found.contexts) == {('odd."My Docs"', "tenant")}
    assert TABLES.resolve("odd", "My Docs") == 'odd."My Docs"'
    assert TABLES.resolve("public", "My Docs") is None


QUERY = "SELECT tenant FROM members WHERE person = current_setting('app.person')"


@pytest.mark.parametrize(
    ("source", "language"),
    [
        (QUERY, "sql"),
        (f"SELECT 1; {QUERY};", "sql"),
        (f"BEGIN ATOMIC {QUERY}; END", "sql"),
        (f"RETURN ({QUERY})", "sql"),
        (f"BEGIN RETURN ({QUERY}); END", "plpgsql"),
        (f"BEGIN RETURN QUERY {QUERY}; END", "plpgsql"),
        (f"DECLARE t int; BEGIN t := ({QUERY}); RETURN t; END", "plpgsql"),
        (f"DECLARE t int; BEGIN t:=({QUERY}); RETURN t; END", "plpgsql"),
        (f"DECLARE t int := ({QUERY}); BEGIN RETURN t; END", "plpgsql"),
        (f"DECLARE t int; BEGIN {QUERY.replace('FROM', 'INTO t FROM')}; RETURN t; END", "plpgsql"),
        (f"BEGIN IF EXISTS ({QUERY}) THEN RETURN NEW; END IF; RETURN NULL; END", "plpgsql"),
        (f"BEGIN PERFORM f(a := ({QUERY})); END", "plpgsql"),
        (f"BEGIN NEW.tenant := ({QUERY}); RETURN NEW; END", "plpgsql"),
    ],
)
def test_a_function_is_read_wherever_its_query_stands(source: str, language: str) -> None:
    found = in_function(source, language, TABLES)

    assert set(found.contexts) == {(MEMBERS, "person")}
    assert found.settings == {"app.person"}
    assert relations_in(source, language) == [(None, "members")]


@pytest.mark.parametrize(
    ("source", "language"),
    [
        (QUERY, "c"),
        (QUERY, "plpython3u"),
        ("SELECT FROM WHERE", "sql"),
        ("BEGIN nonsense", "plpgsql"),
    ],
)
def test_what_is_no_sql_yields_nothing(source: str, language: str) -> None:
    assert in_function(source, language, TABLES) == Comparisons()
    assert relations_in(source, language) == []


def test_relations_come_in_their_order() -> None:
    found = relations_in(
        "INSERT INTO a SELECT * FROM s.b JOIN c ON true WHERE EXISTS (SELECT FROM d);DELETE FROM a",
        "sql",
    )

    assert found == [(None, "a"), ("s", "b"), (None, "c"), (None, "d")]


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_columns_come_in_their_order_and_once(names: list[str]) -> None:
    text = ", ".join(f"lower({name}) || '{name}'" for name in names)

    assert columns_in(text) == list(dict.fromkeys(names))


@pytest.mark.parametrize("text", ["", "(", "1", "'a'", "f()"])
def test_expressions_without_columns(text: str) -> None:
    assert columns_in(text) == []


@given(st.lists(WORDS, min_size=1, max_size=4, unique=True))
def test_constants_are_read_as_they_were_meant(words: list[str]) -> None:
    listed = ", ".join(map(quoted, words))

    assert policy(f"state IN ({listed})").literals == {(DOCS, "state"): words}
    assert policy(f"state = ANY (ARRAY[{listed}]::text[])").literals == {(DOCS, "state"): words}


CONDITIONS = ["tenant = 1", "state = 'a'", f"id = ({SETTING})::int", "deleted_at IS NULL"]


@given(st.permutations(CONDITIONS), st.sampled_from([" AND ", " OR "]))
def test_the_order_of_conditions_is_all_the_same(parts: list[str], joint: str) -> None:
    found, straight = policy(joint.join(parts)), policy(" AND ".join(sorted(parts)))

    assert found == straight


@given(WORDS.filter(lambda word: not re.search(r"[ ']", word)))
def test_absorbing_keeps_each_once(word: str) -> None:
    found = Comparisons()
    for _ in range(2):
        found.absorb(policy(f"state = {quoted(word)} AND tenant = {SETTING}"))

    assert found.literals == {(DOCS, "state"): [word]}
    assert len(found.contexts[DOCS, "tenant"]) == 1
    assert found.settings == {"app.org"}
