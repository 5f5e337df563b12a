"""Invitations: for one address, once, for a while, and never to more than who invites has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select, update

from partywall.control import invitations, memberships, roles, tables, tenants, users
from partywall.control.database import Database, now
from partywall.control.invitations import PREFIX, REFUSED, Invitation, accept, found, invite
from partywall.control.memberships import Membership
from partywall.control.users import User
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
    at_once,
    done,
    fresh,
    interleaved,
    member,
    membership,
    opened,
    person,
    tenant,
)

HOUR = dt.timedelta(hours=1)


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


@pytest.fixture
def bob(house: Database) -> User:
    return person(house, fresh("Bob"))


def invited(
    house: Database, tenant_id: str, email: str, by: User, role: str = "member"
) -> tuple[Invitation, str]:
    with house.begin() as connection:
        return invite(connection, tenant_id, email, role, by=by.id)


def refusal(house: Database, token: str, user: User) -> tuple[str, str]:
    """How an acceptance is refused; the transaction goes on and is committed."""
    with house.begin() as connection:
        with pytest.raises((UnknownRecord, NotPermitted, RecordConflict)) as caught:
            accept(connection, token, user.id)
        assert users.get(connection, user.id) is not None
    assert not token or token not in str(caught.value)
    return type(caught.value).__name__, str(caught.value)


def test_the_invited_user_becomes_a_member(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    made, token = invited(house, acme, bob.email.upper(), ada, "admin")
    with house.begin() as connection:
        assert found(connection, token) == made
        assert accept(connection, token, bob.id) == Membership(acme, bob.id, "admin", 1)
        assert found(connection, token) is None
        assert invitations.listed(connection, acme) == []
    assert membership(house, acme, bob) == Membership(acme, bob.id, "admin", 1)
    assert made.expires_at - now() > 6 * 24 * HOUR


def test_an_invitation_is_used_once(house: Database, acme: str, ada: User, bob: User) -> None:
    _, token = invited(house, acme, bob.email, ada)
    with house.begin() as connection:
        accept(connection, token, bob.id)
        memberships.end(connection, acme, bob.id)
    assert refusal(house, token, bob) == ("UnknownRecord", REFUSED)


def test_of_two_acceptances_in_the_same_moment_one_is_heard(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    _, token = invited(house, acme, bob.email, ada)

    def accepts(connection: Connection) -> None:
        accept(connection, token, bob.id)

    def accepts_and_leaves(connection: Connection) -> None:
        accepts(connection)
        memberships.end(connection, acme, bob.id)

    # Were he still a member, that alone would refuse the second one.
    assert interleaved(house, accepts_and_leaves, accepts) == "UnknownRecord"
    assert membership(house, acme, bob) is None


def test_of_many_acceptances_in_the_same_moment_one_is_heard(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    _, token = invited(house, acme, bob.email, ada)

    def accepts() -> None:
        with house.begin() as connection:
            accept(connection, token, bob.id)

    assert at_once(5, accepts) == ["UnknownRecord"] * 4 + ["done"]


def test_every_token_that_does_not_hold_is_answered_alike(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    eve = person(house)
    _, fine = invited(house, acme, bob.email, ada)
    _, expired = invited(house, acme, eve.email, ada)
    withdrawn, revoked = invited(house, acme, fresh(), ada)
    with house.begin() as connection:
        connection.execute(
            update(tables.invitations)
            .where(tables.invitations.c.email == eve.email)
            .values(expires_at=now())
        )
        invitations.revoke(connection, acme, withdrawn.id)
    digit = "0" if fine[-1] != "0" else "1"
    for token, user in (
        (fine, eve),
        (expired, eve),
        (revoked, eve),
        (fine[:-1] + digit, bob),
        (fine.upper(), bob),
        (fine + " ", bob),
        ("", bob),
        (PREFIX, bob),
        ("\0", bob),
        ("\ud83d", bob),
        ("x" * 100_000, bob),
    ):
        assert refusal(house, token, user) == ("UnknownRecord", REFUSED)
    with house.begin() as connection:  # and none of that has used up the one that holds
        assert accept(connection, fine, bob.id).role == "member"


def test_who_is_disabled_or_nobody_accepts_nothing(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    _, token = invited(house, acme, bob.email, ada)
    with house.begin() as connection:
        users.disable(connection, bob.id)
        for user_id in (bob.id, NOBODY, *NO_IDS):
            with pytest.raises(UnknownRecord):
                accept(connection, token, user_id)


def test_the_token_is_kept_as_a_hash(house: Database, acme: str, ada: User) -> None:
    made, token = invited(house, acme, fresh(), ada)
    assert token not in repr(made)
    assert len(token.removeprefix(PREFIX)) * 4 >= 256
    with house.reading() as connection:
        here = tables.invitations
        row = connection.execute(select(here).where(here.c.id == made.id)).one()
    assert len(row.token_hash) == 32
    assert not [each for each in row if token in str(each) or each == token.encode()]
    assert invited(house, acme, fresh(), ada)[1] != token


def test_nobody_invites_to_a_role_that_may_more_than_his_own(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    eve = member(house, acme, "admin")
    outsider = member(house, tenant(house), "owner")
    with house.begin() as connection:
        for role, by in (("owner", eve), ("member", outsider), ("member", person_in(connection))):
            with pytest.raises(NotPermitted):
                invite(connection, acme, bob.email, role, by=by.id)
        assert invitations.listed(connection, acme) == []
        for role, by in (("admin", eve), ("owner", ada)):
            invite(connection, acme, bob.email, role, by=by.id)


def person_in(connection: Connection) -> User:
    """A new user, of the same transaction."""
    return users.add(connection, fresh())


def test_who_has_left_has_invited_nobody(house: Database, acme: str, bob: User) -> None:
    eve = member(house, acme, "admin")
    _, token = invited(house, acme, bob.email, eve)
    here = tables.memberships.c
    with house.begin() as connection:  # past memberships.end, which takes the invitation back
        connection.execute(
            update(tables.memberships).where(here.user_id == eve.id).values(ended_at=now())
        )
    assert refusal(house, token, bob)[0] == "NotPermitted"
    with house.begin() as connection:
        memberships.add(connection, acme, eve.id, "admin")
        memberships.end(connection, acme, eve.id)
    assert refusal(house, token, bob) == ("UnknownRecord", REFUSED)


def test_who_leaves_in_this_moment_has_invited_nobody(
    house: Database, acme: str, bob: User
) -> None:
    eve = member(house, acme, "admin")
    _, token = invited(house, acme, bob.email, eve)
    outcome = interleaved(
        house,
        lambda connection: memberships.end(connection, acme, eve.id),
        lambda connection: accept(connection, token, bob.id),
    )
    assert outcome == "UnknownRecord"
    assert membership(house, acme, bob) is None


def test_what_who_invited_may_no_more_is_not_given(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    eve, zoe = member(house, acme, "admin"), member(house, acme, "owner")
    _, by_eve = invited(house, acme, bob.email, eve, "admin")
    other = person(house)
    _, by_zoe = invited(house, acme, other.email, zoe, "owner")
    with house.begin() as connection:
        memberships.change_role(connection, acme, eve.id, "member", by=ada.id)
        users.disable(connection, zoe.id)
    assert refusal(house, by_eve, bob)[0] == "NotPermitted"
    assert refusal(house, by_zoe, other)[0] == "NotPermitted"


def test_a_role_that_may_more_by_now_is_not_given(house: Database, acme: str, bob: User) -> None:
    eve = member(house, acme, "admin")
    _, token = invited(house, acme, bob.email, eve, "member")
    with house.begin() as connection:
        roles.define(connection, acme, "member", {"invoices:write"})
    assert refusal(house, token, bob)[0] == "NotPermitted"


def test_a_member_is_not_invited_and_uses_up_nothing(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    _, token = invited(house, acme, bob.email, ada, "admin")
    with house.begin() as connection:
        memberships.add(connection, acme, bob.id, "member")
        with pytest.raises(RecordConflict):
            invite(connection, acme, bob.email, "member", by=ada.id)
    assert refusal(house, token, bob)[0] == "RecordConflict"
    assert membership(house, acme, bob) == Membership(acme, bob.id, "member", 1)
    with house.reading() as connection:
        assert found(connection, token) is not None


def test_a_later_invitation_takes_the_place_of_an_earlier_one(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    _, first = invited(house, acme, bob.email, ada, "admin")
    elsewhere = tenant(house)
    _, other = invited(house, elsewhere, bob.email, member(house, elsewhere, "owner"))
    second, token = invited(house, acme, bob.email.upper(), ada)
    assert refusal(house, first, bob) == ("UnknownRecord", REFUSED)
    with house.begin() as connection:
        assert invitations.listed(connection, acme) == [second]
        assert accept(connection, token, bob.id).role == "member"
        assert accept(connection, other, bob.id).tenant_id == elsewhere


def test_an_invitation_is_taken_back_only_by_its_tenant(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    made, token = invited(house, acme, bob.email, ada)
    other = tenant(house)
    with house.begin() as connection:
        for invitation_id in (*NO_IDS, NOBODY):
            with pytest.raises(UnknownRecord):
                invitations.revoke(connection, acme, invitation_id)
        with pytest.raises(UnknownRecord):
            invitations.revoke(connection, other, made.id)
        invitations.revoke(connection, acme, made.id)
        with pytest.raises(UnknownRecord):
            invitations.revoke(connection, acme, made.id)
    assert refusal(house, token, bob) == ("UnknownRecord", REFUSED)


def test_what_is_taken_back_in_this_moment_is_not_accepted(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    made, token = invited(house, acme, bob.email, ada)
    outcome = interleaved(
        house,
        lambda connection: invitations.revoke(connection, acme, made.id),
        lambda connection: accept(connection, token, bob.id),
    )
    assert outcome == "UnknownRecord"
    assert membership(house, acme, bob) is None


@pytest.mark.parametrize("valid", [dt.timedelta(), -HOUR, dt.timedelta(days=91)])
def test_a_time_that_can_not_be_is_refused(
    house: Database, acme: str, ada: User, valid: dt.timedelta
) -> None:
    with house.begin() as connection, pytest.raises(InvalidRecord):
        invite(connection, acme, fresh(), "member", by=ada.id, valid=valid)


def test_what_there_is_not_is_refused(house: Database, acme: str, ada: User) -> None:
    with house.begin() as connection:
        with pytest.raises(InvalidRecord):
            invite(connection, acme, "no address", "member", by=ada.id)
        with pytest.raises(UnknownRecord):
            invite(connection, acme, fresh(), "boss", by=ada.id)
        for nobody in (*NO_IDS, NOBODY):
            with pytest.raises(UnknownTenant):
                invite(connection, nobody, fresh(), "member", by=ada.id)
            with pytest.raises(NotPermitted):
                invite(connection, acme, fresh(), "member", by=nobody)
            assert invitations.listed(connection, nobody) == []


def test_a_tenant_that_was_deleted_lets_nobody_in(
    house: Database, acme: str, ada: User, bob: User
) -> None:
    _, token = invited(house, acme, bob.email, ada)
    with house.begin() as connection:
        tenants.set_status(connection, acme, "failed")
        tenants.set_status(connection, acme, "deleted")
        with pytest.raises(DeletedTenant):
            accept(connection, token, bob.id)
    assert done(house, lambda c: invite(c, acme, fresh(), "member", by=ada.id)) == "DeletedTenant"
