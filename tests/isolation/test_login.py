"""The judgement of what a login could do, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall import RowSecurity, SchemaPerTenant
from partywall.isolation.login import (
    ATTRIBUTES,
    PARTS,
    PREDEFINED,
    ROWS,
    Held,
    LoginFacts,
    PartFacts,
    RoleFacts,
    TableFacts,
    dangers,
)
from partywall.isolation.login_query import answered, query

APP = RoleFacts("app")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=15)
KEY = PartFacts("seal_key", 'TABLE "partywall"."seal_key"', "")


def mends(*roles: RoleFacts, tables: tuple[TableFacts, ...] = ()) -> list[str]:
    """The statements for a login 'app' that is, or may become, *roles*."""
    return [danger.mend for danger in dangers(LoginFacts("app", roles, tables))]


def table(*held: Held, owner: str = "", enabled: bool = True, forced: bool = True) -> TableFacts:
    return TableFacts("public", "notes", owner, enabled, forced, held)


def test_a_login_that_may_use_rows_only_is_in_no_danger() -> None:
    walled = table(*(Held(by, privilege) for by in ("app", "") for privilege in sorted(ROWS)))
    parts = tuple(
        PartFacts(name, name, "", tuple(Held("app", privilege) for privilege in sorted(needed)))
        for name, needed in PARTS.items()
    )
    assert dangers(LoginFacts("app", (APP, RoleFacts("staff")), (walled,), parts)) == ()


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_an_attribute_is_taken_from_the_login(attribute: str) -> None:
    without = ATTRIBUTES[attribute][0]
    assert mends(RoleFacts("app", frozenset({attribute}))) == [f'ALTER ROLE "app" {without}']


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_or_the_role_that_has_it_is(attribute: str) -> None:
    boss = RoleFacts("boss", frozenset({attribute}), ("boss",))
    assert mends(APP, boss) == ['REVOKE "boss" FROM "app"']


@pytest.mark.parametrize("name", PREDEFINED)
def test_so_is_a_role_of_the_servers_own(name: str) -> None:
    assert mends(APP, RoleFacts(name, through=(name,))) == [f'REVOKE "{name}" FROM "app"']


def test_what_was_granted_to_the_login_is_what_is_revoked() -> None:
    boss = RoleFacts("boss", frozenset({"bypassrls"}), ("one", "two"))
    assert mends(APP, boss) == ['REVOKE "one", "two" FROM "app"']


def test_of_a_superuser_nothing_else_is_said() -> None:
    everything = RoleFacts("app", frozenset(ATTRIBUTES))
    tables = (table(Held("app", "TRUNCATE"), owner="app", enabled=False),)
    assert mends(everything, tables=tables) == ['ALTER ROLE "app" NOSUPERUSER']


@given(st.text(st.characters(categories=["Lu"]), min_size=1).filter(lambda p: p not in ROWS))
def test_a_privilege_that_nobody_has_heard_of_is_refused(privilege: str) -> None:
    held = (table(Held("app", privilege)),)
    assert mends(APP, tables=held) == [f'REVOKE {privilege} ON TABLE "public"."notes" FROM "app"']
    part = PartFacts("hmac", "FUNCTION f()", "", (Held("", privilege),))
    [danger] = dangers(LoginFacts("app", (APP,), (), (part,)))
    assert danger.mend == f"REVOKE {privilege} ON FUNCTION f() FROM PUBLIC"


def test_a_table_without_walls_is_named_once() -> None:
    assert len(mends(APP, tables=(table(enabled=False, forced=False),))) == 1
    assert "FORCE" in mends(APP, tables=(table(forced=False),))[0]
    open_ = LoginFacts("app", (APP,), (table(enabled=False),))
    assert dangers(open_, shared=["public.notes"]) == ()


def test_owning_is_given_away_or_the_owner_is_left() -> None:
    keeper = RoleFacts("keeper", through=("near",))
    for facts in (
        LoginFacts("app", (APP, keeper), (table(owner="keeper"),)),
        LoginFacts("app", (APP, keeper), (), (PartFacts(KEY.name, KEY.quoted, "keeper"),)),
    ):
        assert [danger.mend for danger in dangers(facts)] == ['REVOKE "near" FROM "app"']
    [mend] = mends(APP, tables=(table(owner="app"),))
    assert mend.startswith('ALTER TABLE "public"."notes" OWNER TO')


@given(NAMES, NAMES, NAMES)
def test_names_are_quoted_in_what_mends(login: str, schema: str, name: str) -> None:
    walled = TableFacts(schema, name, "", True, True, (Held(login, "TRUNCATE"),))  # noqa: FBT003 - as the server answers
    [danger] = dangers(LoginFacts(login, (RoleFacts(login),), (walled,)))
    s, n, who = (part.replace('"', '""') for part in (schema, name, login))
    assert danger.mend == f'REVOKE TRUNCATE ON TABLE "{s}"."{n}" FROM "{who}"'


def test_an_answer_is_read_into_facts() -> None:
    row = (
        "app",
        '[["app", [], false, false, true, false], ["boss", ["near"], true, false, false, false]]',
        '[["public", "notes", "boss", true, false, [["app", "SELECT"]]]]',
        '[["seal_key", "TABLE k", "", [["", "SELECT"]]]]',
    )
    assert answered(row) == LoginFacts(
        "app",
        (
            RoleFacts("app", frozenset({"createrole"})),
            RoleFacts("boss", frozenset({"superuser"}), ("near",)),
        ),
        (table(Held("app", "SELECT"), owner="boss", forced=False),),
        (PartFacts("seal_key", "TABLE k", "", (Held("", "SELECT"),)),),
    )


def test_only_row_security_asks_for_tables_and_for_its_parts() -> None:
    column, schema = "attname = 'org'", "nspname = 'walls'"
    rows, schemas = query(RowSecurity(column="org", schema="walls")), query(SchemaPerTenant())
    assert [column in rows, schema in rows] == [True, True]
    assert [column in schemas, schema in schemas] == [False, False]
    assert "o''rg" in query(RowSecurity(column="o'rg"))
