"""Roles: what they may, and that nobody comes to more than he has by giving one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, insert, update

from partywall.control import memberships, roles, tables, tenants
from partywall.control.database import Database
from partywall.control.roles import BUILT_IN, EVERYTHING, HOUSE, MOST, OWNER
from partywall.errors import (
    DeletedTenant,
    InvalidRecord,
    NotPermitted,
    RecordConflict,
    UnknownRecord,
    UnknownTenant,
)
from tests.control.neighbours import (
    KINDS,
    NO_IDS,
    NOBODY,
    announced,
    member,
    only_postgresql,
    opened,
    tenant,
)

BILLS = frozenset({"invoices:read", "invoices:write"})
NO_PERMISSIONS = [
    EVERYTHING, "", "invoices", "invoices:", ":write", "invoices:*", "*:write", "Invoices:write",
    "invoices:write ", "invoices:write\n", "invoices:read:write", "invoices.write", "invoïces:read",
    "a" * 41 + ":read", "invoices2:read",
]  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    yield from opened(request, tmp_path_factory)


@pytest.fixture
def acme(house: Database) -> str:
    return tenant(house)


def may(house: Database, tenant_id: str, role: str) -> frozenset[str]:
    with house.reading() as connection:
        return roles.permissions(connection, tenant_id, role)


def define(house: Database, tenant_id: str, name: str, given: frozenset[str] = BILLS) -> None:
    with house.begin() as connection:
        roles.define(connection, tenant_id, name, given)


def test_every_tenant_has_an_owner_an_admin_and_a_member(house: Database, acme: str) -> None:
    with house.reading() as connection:
        assert roles.listed(connection, acme) == dict(BUILT_IN)
    assert may(house, acme, "owner") == {EVERYTHING}
    assert may(house, acme, "admin") == HOUSE
    assert may(house, acme, "member") < HOUSE
    assert may(house, acme, "boss") == frozenset()


def test_only_the_owner_may_everything_and_all_else_is_named_as_it_should() -> None:
    for name, given in BUILT_IN.items():
        assert roles.NAME.match(name)
        assert (EVERYTHING in given) == (name == OWNER)
        assert all(roles.PERMISSION.match(each) for each in given - {EVERYTHING})


def test_a_tenant_has_roles_of_its_own(house: Database, acme: str) -> None:
    define(house, acme, "clerk")
    define(house, acme, "member", frozenset({"invoices:read"}))
    assert may(house, acme, "clerk") == BILLS
    assert may(house, acme, "member") == {"invoices:read"}
    other = tenant(house)
    assert may(house, other, "clerk") == frozenset()
    assert may(house, other, "member") == BUILT_IN["member"]
    with house.reading() as connection:
        assert set(roles.listed(connection, acme)) == {*BUILT_IN, "clerk"}
        assert set(roles.listed(connection, other)) == set(BUILT_IN)


def test_a_role_is_defined_anew(house: Database, acme: str) -> None:
    define(house, acme, "clerk")
    define(house, acme, "clerk", frozenset())
    assert may(house, acme, "clerk") == frozenset()


@pytest.mark.parametrize("permission", NO_PERMISSIONS)
def test_what_is_no_permission_is_in_no_role(house: Database, acme: str, permission: str) -> None:
    with pytest.raises(InvalidRecord):
        define(house, acme, "clerk", BILLS | {permission})
    assert may(house, acme, "clerk") == frozenset()


@pytest.mark.parametrize("name", ["", "Clerk", "1st", "clerk ", "clerk\n", "a" * 41, "*", "cl-rk"])
def test_what_is_no_name_is_no_roles(house: Database, acme: str, name: str) -> None:
    with pytest.raises(InvalidRecord):
        define(house, acme, name)


def test_a_role_has_no_more_permissions_than_can_be_kept_in_mind(
    house: Database, acme: str
) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = [f"{one}{two}:read" for one in letters for two in letters]
    define(house, acme, "clerk", frozenset(many[:MOST]))
    with pytest.raises(InvalidRecord, match=f"up to {MOST}"):
        define(house, acme, "clerk", frozenset(many[: MOST + 1]))


def test_the_owners_role_is_the_same_everywhere(house: Database, acme: str) -> None:
    with pytest.raises(RecordConflict):
        define(house, acme, OWNER)
    with house.begin() as connection:  # somebody writes it past all this
        row = {"tenant_id": acme, "name": OWNER, "permissions": []}
        connection.execute(insert(tables.roles), row)
    assert may(house, acme, OWNER) == {EVERYTHING}


def test_nobody_defines_a_role_that_may_more_than_his_own(house: Database, acme: str) -> None:
    with house.begin() as connection:
        roles.define(connection, acme, "clerk", BILLS, within=BILLS)
        roles.define(connection, acme, "boss", {"files:write"}, within=frozenset({EVERYTHING}))
        for name, given in (
            ("clerk", {*BILLS, "files:write"}),  # his own, and more
            ("boss", BILLS),  # another's, and less than it was
            ("admin", BILLS),
        ):
            with pytest.raises(NotPermitted):
                roles.define(connection, acme, name, given, within=BILLS)
    assert may(house, acme, "clerk") == BILLS
    assert may(house, acme, "boss") == {"files:write"}


def test_nobody_comes_to_more_by_removing_a_role(house: Database, acme: str) -> None:
    define(house, acme, "admin", frozenset({"roles:write"}))  # less than it is built in
    define(house, acme, "boss")
    with house.begin() as connection:
        for name in ("admin", "boss"):
            with pytest.raises(NotPermitted):
                roles.remove(connection, acme, name, within=frozenset({"roles:write"}))
        roles.remove(connection, acme, "admin", within=frozenset({EVERYTHING}))
        roles.remove(connection, acme, "boss", within=BILLS)
    assert may(house, acme, "admin") == HOUSE


def test_a_role_that_members_have_stays(house: Database, acme: str) -> None:
    define(house, acme, "clerk")
    clerk = member(house, acme, "clerk")
    with house.begin() as connection, pytest.raises(RecordConflict):
        roles.remove(connection, acme, "clerk")
    with house.begin() as connection:
        memberships.change_role(connection, acme, clerk.id, "member")
        roles.remove(connection, acme, "clerk")
        with pytest.raises(UnknownRecord):
            roles.remove(connection, acme, "clerk")


def test_a_built_in_role_is_again_what_it_was(house: Database, acme: str) -> None:
    define(house, acme, "member")
    member(house, acme, "member")
    with house.begin() as connection:
        roles.remove(connection, acme, "member")
    assert may(house, acme, "member") == BUILT_IN["member"]


def test_who_has_a_role_that_is_gone_may_nothing(house: Database, acme: str) -> None:
    somebody = member(house, acme, "member")
    with house.begin() as connection:
        connection.execute(
            update(tables.memberships)
            .where(tables.memberships.c.user_id == somebody.id)
            .values(role="gone")
        )
        assert memberships.acting(connection, acme, somebody.id) == frozenset()


@pytest.mark.parametrize(
    ("by", "role", "grants"),
    [
        ("owner", "owner", True),
        ("owner", "admin", True),
        ("owner", "clerk", True),
        ("admin", "owner", False),
        ("admin", "admin", True),
        ("admin", "member", True),
        ("admin", "clerk", False),
        ("clerk", "clerk", True),
        ("clerk", "member", False),
        ("member", "admin", False),
        ("gone", "member", False),
    ],
)
def test_nobody_gives_more_than_he_has(
    house: Database,
    acme: str,
    by: str,
    role: str,
    grants: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    define(house, acme, "clerk")
    with house.reading() as connection:
        assert roles.grantable(connection, acme, by, role) is grants


CHANGES: list[Callable[[Connection, str], None]] = [
    lambda connection, tenant_id: roles.define(connection, tenant_id, "clerk", BILLS),
    lambda connection, tenant_id: roles.remove(connection, tenant_id, "clerk"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_tenant_that_there_is_not_has_no_roles(
    house: Database, acme: str, change: Callable[[Connection, str], None]
) -> None:
    with house.begin() as connection:
        for nobody in (*NO_IDS, NOBODY):
            with pytest.raises(UnknownTenant):
                change(connection, nobody)
        tenants.set_status(connection, acme, "failed")
        tenants.set_status(connection, acme, "deleted")
        with pytest.raises(DeletedTenant):
            change(connection, acme)


@only_postgresql
def test_every_change_is_announced(house: Database, acme: str) -> None:
    for change in CHANGES:
        with announced(house) as heard, house.begin() as connection:
            change(connection, acme)
        assert heard == {f"tenant:{acme}"}


def test_administrators_have_a_role_that_no_member_has(house: Database, acme: str) -> None:
    with pytest.raises(RecordConflict, match="administrators"):
        define(house, acme, roles.ADMINISTRATOR)
    assert may(house, acme, roles.ADMINISTRATOR) == frozenset()


@pytest.mark.parametrize("name", ["", "\0", "a\0", "\ud83d", "Clerk", "clerk\n"])
def test_what_can_not_be_a_role_may_nothing(house: Database, acme: str, name: str) -> None:
    assert may(house, acme, name) == frozenset()


def test_a_role_is_removed_from_its_own_tenant_and_by_who_has_it_there(
    house: Database, acme: str
) -> None:
    """Neither who has left nor who has it elsewhere is asked, and there it stays."""
    other = tenant(house)
    for each in (acme, other):
        define(house, each, "clerk")
    gone = member(house, acme, "clerk")
    member(house, other, "clerk")
    with house.begin() as connection:
        with pytest.raises(RecordConflict):
            roles.remove(connection, acme, "clerk")
        memberships.end(connection, acme, gone.id)
        roles.remove(connection, acme, "clerk")
    assert may(house, acme, "clerk") == frozenset()
    assert may(house, other, "clerk") == BILLS
