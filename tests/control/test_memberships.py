"""Memberships: they begin, change and end, and a tenant is never left without an owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, select

from partywall.control import api_keys, invitations, memberships, roles, tables, tenants, users
from partywall.control.database import Database
from partywall.control.memberships import Membership
from partywall.control.users import User
from partywall.errors import (
    DeletedTenant,
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
    at_once,
    done,
    fresh,
    interleaved,
    member,
    membership,
    only_postgresql,
    opened,
    person,
    tenant,
)

Change = Callable[[Connection], object]


@pytest.fixture(scope="module", params=KINDS)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    yield from opened(request, tmp_path_factory)


@pytest.fixture
def acme(house: Database) -> str:
    return tenant(house)


@pytest.fixture
def ada(house: Database, acme: str) -> User:
    return member(house, acme, "owner")


def leaves(acme: str, user: User, by: str = "") -> Change:
    return lambda connection: memberships.end(connection, acme, user.id, by=by)


def becomes(acme: str, user: User, role: str, by: str = "") -> Change:
    return lambda connection: memberships.change_role(connection, acme, user.id, role, by=by)


def joins(acme: str, user: User, role: str = "member") -> Change:
    return lambda connection: memberships.add(connection, acme, user.id, role)


def owners(house: Database, tenant_id: str) -> int:
    with house.reading() as connection:
        return sum(each.role == "owner" for each in memberships.listed(connection, tenant_id))


def test_a_member_is_listed_in_the_tenant_and_with_the_user(
    house: Database, acme: str, ada: User
) -> None:
    bob = member(house, acme, "member")
    other = tenant(house)
    assert done(house, joins(other, bob, "admin")) == "done"
    with house.reading() as connection:
        assert memberships.listed(connection, acme) == [
            Membership(acme, ada.id, "owner", 1),
            Membership(acme, bob.id, "member", 1),
        ]
        assert memberships.of_user(connection, bob.id) == sorted(
            [Membership(acme, bob.id, "member", 1), Membership(other, bob.id, "admin", 1)],
            key=lambda each: each.tenant_id,
        )
        assert memberships.get(connection, other, ada.id) is None


def test_a_member_can_not_become_one_again(house: Database, acme: str, ada: User) -> None:
    with house.begin() as connection:
        with pytest.raises(RecordConflict):
            memberships.add(connection, acme, ada.id, "member")
        assert memberships.get(connection, acme, ada.id) == Membership(acme, ada.id, "owner", 1)


def test_the_version_counts_up_with_whatever_voids_a_token(
    house: Database, acme: str, ada: User
) -> None:
    bob = member(house, acme, "member")
    steps: list[tuple[Change, tuple[str, int] | None]] = [
        (becomes(acme, bob, "admin"), ("admin", 2)),
        (becomes(acme, bob, "admin"), ("admin", 2)),
        (leaves(acme, bob), None),
        (joins(acme, bob, "admin"), ("admin", 4)),
        (becomes(acme, bob, "member"), ("member", 5)),
    ]
    for change, expected in steps:
        assert done(house, change) == "done"
        found = membership(house, acme, bob)
        assert (None if found is None else (found.role, found.version)) == expected
    assert membership(house, acme, ada) == Membership(acme, ada.id, "owner", 1)


def test_what_has_ended_is_nowhere(house: Database, acme: str, ada: User) -> None:
    bob = member(house, acme, "member")
    assert done(house, leaves(acme, bob)) == "done"
    with house.reading() as connection:
        assert memberships.of_user(connection, bob.id) == []
        assert [each.user_id for each in memberships.listed(connection, acme)] == [ada.id]
    for change in (leaves(acme, bob), becomes(acme, bob, "admin")):
        assert done(house, change) == "UnknownRecord"


def test_of_two_who_add_the_same_user_one_does(house: Database, acme: str) -> None:
    bob = person(house)
    assert interleaved(house, joins(acme, bob), joins(acme, bob, "admin")) == "RecordConflict"
    assert membership(house, acme, bob) == Membership(acme, bob.id, "member", 1)


def test_the_last_owner_stays_an_owner(house: Database, acme: str, ada: User) -> None:
    member(house, acme, "admin")
    for change in (leaves(acme, ada), becomes(acme, ada, "admin")):
        assert done(house, change) == "RecordConflict"
    assert done(house, becomes(acme, ada, "owner")) == "done"
    member(house, acme, "owner")
    assert done(house, leaves(acme, ada)) == "done"


def test_an_owner_who_can_not_log_in_is_no_owner_who_stays(
    house: Database, acme: str, ada: User
) -> None:
    bob = member(house, acme, "owner")
    with house.begin() as connection:
        users.disable(connection, bob.id)
    assert done(house, leaves(acme, ada)) == "RecordConflict"
    assert done(house, leaves(acme, bob)) == "done"


@pytest.mark.parametrize("first", ["leaves", "becomes"])
@pytest.mark.parametrize("second", ["leaves", "becomes"])
def test_of_two_owners_who_go_in_the_same_moment_one_stays(
    house: Database, acme: str, ada: User, first: str, second: str
) -> None:
    bob = member(house, acme, "owner")
    changes = {
        "leaves": lambda user: leaves(acme, user),
        "becomes": lambda user: becomes(acme, user, "member"),
    }
    assert interleaved(house, changes[first](ada), changes[second](bob)) == "RecordConflict"
    assert owners(house, acme) == 1


def test_of_many_owners_who_go_in_the_same_moment_one_stays(house: Database, acme: str) -> None:
    going = [leaves(acme, member(house, acme, "owner")) for _ in range(6)]

    def go() -> None:
        with house.begin() as connection:
            going.pop()(connection)

    assert at_once(6, go) == ["RecordConflict"] + ["done"] * 5
    assert owners(house, acme) == 1


@only_postgresql
def test_an_owner_stays_also_where_transactions_see_the_past(
    house: Database, acme: str, ada: User
) -> None:
    bob = member(house, acme, "owner")
    level = {"options": r"-c default_transaction_isolation=repeatable\ read"}
    strict = Database(house.url.update_query_dict(level))
    assert interleaved(house, leaves(acme, ada), leaves(acme, bob), other=strict) != "done"
    assert owners(house, acme) == 1
    strict.close()


def test_nobody_changes_a_role_that_may_more_than_his_own(
    house: Database, acme: str, ada: User
) -> None:
    eve, bob = member(house, acme, "admin"), member(house, acme, "member")
    refused = [
        becomes(acme, eve, "owner", by=eve.id),
        becomes(acme, bob, "owner", by=eve.id),
        becomes(acme, ada, "member", by=eve.id),
        becomes(acme, eve, "admin", by=bob.id),
        becomes(acme, bob, "member", by=person(house).id),
        leaves(acme, ada, by=eve.id),
        leaves(acme, eve, by=bob.id),
        leaves(acme, bob, by=person(house).id),
    ]
    assert [done(house, each) for each in refused] == ["NotPermitted"] * len(refused)
    allowed = [
        becomes(acme, bob, "admin", by=eve.id),
        becomes(acme, bob, "member", by=eve.id),
        leaves(acme, bob, by=eve.id),
        leaves(acme, eve, by=eve.id),
        becomes(acme, ada, "owner", by=ada.id),
    ]
    assert [done(house, each) for each in allowed] == ["done"] * len(allowed)


def test_who_is_no_member_decides_also_on_nobody_who_may_nothing(
    house: Database, acme: str
) -> None:
    stranger = person(house)
    with house.begin() as connection:
        roles.define(connection, acme, "guest", [])
    guest, other = member(house, acme, "guest"), member(house, acme, "guest")
    for by in (stranger, other):
        assert done(house, leaves(acme, guest, by=by.id)) == "NotPermitted"
        assert done(house, becomes(acme, guest, "guest", by=by.id)) == "NotPermitted"


def test_who_leaves_in_this_moment_decides_on_nobody(house: Database, acme: str) -> None:
    eve, bob = member(house, acme, "admin"), member(house, acme, "member")
    outcome = interleaved(house, leaves(acme, eve), becomes(acme, bob, "admin", by=eve.id))
    assert outcome == "NotPermitted"


def test_who_is_disabled_decides_on_nobody(house: Database, acme: str, ada: User) -> None:
    bob = member(house, acme, "member")
    with house.begin() as connection:
        users.disable(connection, ada.id)
        with pytest.raises(NotPermitted):
            memberships.change_role(connection, acme, bob.id, "admin", by=ada.id)


def test_what_a_member_leaves_behind_does_not_come_back_with_him(
    house: Database, acme: str, ada: User
) -> None:
    bob, other = member(house, acme, "admin"), tenant(house)
    email = fresh()
    guest = person(house, email)
    with house.begin() as connection:
        memberships.add(connection, other, bob.id, "owner")
        for place in (acme, other):
            api_keys.create(connection, place, bob.id, "till", permissions={"members:read"})
        api_keys.create(connection, acme, ada.id, "hers", permissions={"members:read"})
        _, token = invitations.invite(connection, acme, email, "member", by=bob.id)
        invitations.invite(connection, acme, fresh(), "member", by=ada.id)
        invitations.invite(connection, other, fresh(), "member", by=bob.id)
        memberships.end(connection, acme, bob.id)
        memberships.add(connection, acme, bob.id, "admin")
        assert [each.name for each in api_keys.listed(connection, acme)] == ["hers"]
        assert len(api_keys.listed(connection, other)) == 1
        assert len(invitations.listed(connection, other)) == 1
        assert [each.invited_by for each in invitations.listed(connection, acme)] == [ada.id]
        with pytest.raises(UnknownRecord):
            invitations.accept(connection, token, guest.id)


def test_what_was_over_before_a_member_leaves_stays_as_it_was(house: Database, acme: str) -> None:
    bob, email = member(house, acme, "admin"), fresh()
    guest = person(house, email)
    keys, invited = tables.api_keys, tables.invitations
    with house.begin() as connection:
        key, _ = api_keys.create(connection, acme, bob.id, "till", permissions={"members:read"})
        api_keys.revoke(connection, acme, key.id)
        _, token = invitations.invite(connection, acme, email, "member", by=bob.id)
        invitations.accept(connection, token, guest.id)
        of_key = select(keys.c.revoked_at).where(keys.c.id == key.id)
        of_bob = select(invited.c.revoked_at).where(invited.c.invited_by == bob.id)
        before = connection.scalar(of_key)
        memberships.end(connection, acme, bob.id)
        assert before is not None
        assert connection.scalar(of_key) == before
        assert connection.scalars(of_bob).all() == [None]


def test_a_role_or_a_user_that_there_is_not_is_refused(
    house: Database, acme: str, ada: User
) -> None:
    bob, other = person(house), tenant(house)
    with house.begin() as connection:
        roles.define(connection, other, "clerk", ["invoices:read"])
        for role in ("", "clerk", "Owner", "*"):
            with pytest.raises(UnknownRecord):
                memberships.add(connection, acme, bob.id, role)
            with pytest.raises(UnknownRecord):
                memberships.change_role(connection, acme, ada.id, role)
        for nobody in (*NO_IDS, NOBODY):
            with pytest.raises(UnknownRecord):
                memberships.add(connection, acme, nobody, "member")
            with pytest.raises(UnknownRecord):
                memberships.end(connection, acme, nobody)
            with pytest.raises(UnknownTenant):
                memberships.add(connection, nobody, bob.id, "member")
            assert memberships.get(connection, nobody, ada.id) is None
            assert memberships.get(connection, acme, nobody) is None
            assert memberships.listed(connection, nobody) == []
            assert memberships.of_user(connection, nobody) == []
        assert memberships.get(connection, acme, bob.id) is None


def test_nobody_belongs_to_a_tenant_that_was_deleted(house: Database, acme: str) -> None:
    bob = person(house)
    with house.begin() as connection:
        tenants.set_status(connection, acme, "failed")
        tenants.set_status(connection, acme, "deleted")
        with pytest.raises(DeletedTenant):
            memberships.add(connection, acme, bob.id, "owner")


@only_postgresql
def test_every_change_is_announced(house: Database, acme: str) -> None:
    bob = person(house)
    both = {f"tenant:{acme}", f"user:{bob.id}"}
    for change in (joins(acme, bob), becomes(acme, bob, "admin")):
        with announced(house) as heard:
            assert done(house, change) == "done"
        assert heard == both
    with house.begin() as connection:
        _, secret = api_keys.create(connection, acme, bob.id, "till", permissions=["members:read"])
    with announced(house) as heard:
        assert done(house, leaves(acme, bob)) == "done"
    assert heard == both | {f"key:{api_keys.digest(secret).hex()}"}
