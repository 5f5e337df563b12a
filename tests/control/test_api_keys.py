"""API keys: what they may, when they end, and how one is told from any other text."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from partywall.control import api_keys, credentials, memberships, roles, tables, tenants, users
from partywall.control.access import Access
from partywall.control.api_keys import ApiKey, create, listed, plausible, revoke
from partywall.control.database import Database, now
from partywall.control.users import User
from partywall.errors import (
    DeletedTenant,
    InvalidRecord,
    NotPermitted,
    UnknownRecord,
    UnknownTenant,
)
from tests.control.neighbours import (
    KINDS,
    NO_IDS,
    NOBODY,
    announced,
    interleaved,
    member,
    only_postgresql,
    opened,
    tenant,
)

SCANNED = re.compile(r"\bpw_[0-9a-f]{72}\b")
READ = frozenset({"members:read"})
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
def bob(house: Database, acme: str) -> User:
    member(house, acme, "owner")
    return member(house, acme, "admin")


def made(
    house: Database, tenant_id: str, user: User, expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    with house.begin() as connection:
        return create(
            connection, tenant_id, user.id, " till ", permissions=READ, expires_at=expires_at
        )


def test_a_key_is_made_and_listed(house: Database, acme: str, bob: User) -> None:
    ends = now() + HOUR
    first, _ = made(house, acme, bob)
    second, _ = made(house, acme, bob, ends.astimezone(dt.timezone(HOUR)))
    other = tenant(house)
    with house.reading() as connection:
        assert listed(connection, acme) == [second, first]
        assert listed(connection, other) == []
    assert (first.name, first.permissions, first.expires_at) == ("till", READ, None)
    assert second.expires_at == ends


def test_the_secret_is_kept_as_a_hash(house: Database, acme: str, bob: User) -> None:
    key, secret = made(house, acme, bob)
    assert secret not in repr(key)
    with house.reading() as connection:
        row = connection.execute(
            select(tables.api_keys).where(tables.api_keys.c.id == key.id)
        ).one()
    assert row.key_hash == hashlib.sha256(secret.encode()).digest()
    assert not [each for each in row if secret in str(each) or each == secret.encode()]


def test_a_leaked_key_is_told_from_any_other_text(house: Database, acme: str, bob: User) -> None:
    _, secret = made(house, acme, bob)
    assert SCANNED.findall(f"KEY='{secret}'\n") == [secret]
    assert plausible(secret)
    digit = "0" if secret[20] != "0" else "1"
    for other in (
        secret[:20] + digit + secret[21:],
        secret[:-1],
        secret + "0",
        secret + "\n",
        secret.upper(),
        secret.removeprefix("pw_"),
        "pw_",
        "",
        "pw_" + "\ud83d" * 72,
        credentials.made("pw_invitation_"),
    ):
        assert not plausible(other)


def test_every_key_has_256_bits_of_its_own() -> None:
    secrets = {credentials.made("pw_")[3:67] for _ in range(200)}
    assert len(secrets) == 200
    assert {len(each) * 4 for each in secrets} == {256}


@pytest.mark.parametrize(
    "permissions",
    [
        [],
        ["*"],
        ["members"],
        ["members:*"],
        ["Members:read"],
        ["members:read\n"],
        ["a" * 41 + ":b"],
    ],
)
def test_a_key_names_what_it_may(
    house: Database, acme: str, bob: User, permissions: list[str]
) -> None:
    with house.begin() as connection, pytest.raises(InvalidRecord):
        create(connection, acme, bob.id, "till", permissions=permissions)


def test_a_key_names_no_more_than_a_role_can(house: Database, acme: str, bob: User) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = [f"{one}{two}:read" for one in letters for two in letters]
    with house.begin() as connection, pytest.raises(InvalidRecord):
        create(connection, acme, bob.id, "till", permissions=many)


@pytest.mark.parametrize("name", ["", " ", "till\0", "ti\nll", "till\ud83d", "x" * 201])
def test_a_key_has_a_name(house: Database, acme: str, bob: User, name: str) -> None:
    with house.begin() as connection, pytest.raises(InvalidRecord):
        create(connection, acme, bob.id, name, permissions=READ)


@pytest.mark.parametrize("late", [dt.timedelta(), -HOUR, None])
def test_a_key_ends_in_the_time_to_come(
    house: Database, acme: str, bob: User, late: dt.timedelta | None
) -> None:
    ends = now() + HOUR if late is None else now() + late
    with pytest.raises(InvalidRecord):
        made(house, acme, bob, ends.replace(tzinfo=None) if late is None else ends)


def test_nobody_makes_a_key_that_may_more_than_he(house: Database, acme: str, bob: User) -> None:
    outsider = member(house, tenant(house), "owner")
    ann = member(house, acme, "owner")
    with house.begin() as connection:
        for user_id, wanted in (
            (bob.id, {"members:read", "invoices:read"}),
            (outsider.id, READ),
            (NOBODY, READ),
            *((no_id, READ) for no_id in NO_IDS),
        ):
            with pytest.raises(NotPermitted):
                create(connection, acme, user_id, "till", permissions=wanted)
        create(connection, acme, ann.id, "till", permissions={"invoices:read"})
        users.disable(connection, ann.id)
        with pytest.raises(NotPermitted):
            create(connection, acme, ann.id, "till", permissions=READ)


def test_a_key_is_revoked_once_and_only_by_its_tenant(
    house: Database, acme: str, bob: User
) -> None:
    key, _ = made(house, acme, bob)
    other = tenant(house)
    with house.begin() as connection:
        for tenant_id, key_id in (
            (other, key.id),
            (acme, NOBODY),
            *((acme, no_id) for no_id in NO_IDS),
            *((no_id, key.id) for no_id in NO_IDS),
        ):
            with pytest.raises(UnknownRecord):
                revoke(connection, tenant_id, key_id)
        assert listed(connection, acme) == [key]
        revoke(connection, acme, key.id)
        assert listed(connection, acme) == []
        with pytest.raises(UnknownRecord):
            revoke(connection, acme, key.id)


def test_no_key_outlives_the_membership_in_which_it_was_made(
    house: Database, acme: str, bob: User
) -> None:
    outcome = interleaved(
        house,
        lambda connection: create(connection, acme, bob.id, "till", permissions=READ),
        lambda connection: memberships.end(connection, acme, bob.id),
    )
    assert outcome == "done"
    with house.reading() as connection:
        assert listed(connection, acme) == []


def test_no_key_is_made_in_a_membership_that_ends(house: Database, acme: str, bob: User) -> None:
    outcome = interleaved(
        house,
        lambda connection: memberships.end(connection, acme, bob.id),
        lambda connection: create(connection, acme, bob.id, "till", permissions=READ),
    )
    assert outcome == "NotPermitted"


def test_a_key_is_let_in_until_it_is_revoked_has_expired_or_its_member_is_gone(
    house: Database, acme: str, bob: User
) -> None:
    soon = now() + dt.timedelta(seconds=0.5)
    (lasting, first), (_, second), (_, third) = (
        made(house, acme, bob),
        made(house, acme, bob, soon),
        made(house, acme, bob),
    )
    with Access(house) as access:
        for secret in (first, third):
            found = access.key(secret)
            assert found is not None
            assert (found.tenant_id, found.user_id, found.permissions) == (acme, bob.id, READ)
        time.sleep(0.5)
        assert access.key(second) is None
    with house.begin() as connection:
        revoke(connection, acme, lasting.id)
    with Access(house) as access:
        assert access.key(first) is None
        assert access.key(third) is not None
    with house.begin() as connection:
        memberships.end(connection, acme, bob.id)
        memberships.add(connection, acme, bob.id, "owner")
    with Access(house) as access:
        assert access.key(third) is None


def test_a_key_may_what_its_member_may_by_now(house: Database, acme: str, bob: User) -> None:
    _, secret = made(house, acme, bob)
    with house.begin() as connection:
        roles.define(connection, acme, "admin", {"invoices:read"})
    with Access(house) as access:
        found = access.key(secret)
    assert found is not None
    assert found.permissions == frozenset()


def test_a_tenant_that_there_is_not_has_no_keys(house: Database, acme: str, bob: User) -> None:
    with house.begin() as connection:
        for nobody in (*NO_IDS, NOBODY):
            assert listed(connection, nobody) == []
            with pytest.raises(UnknownTenant):
                create(connection, nobody, bob.id, "till", permissions=READ)
        tenants.set_status(connection, acme, "failed")
        tenants.set_status(connection, acme, "deleted")
        with pytest.raises(DeletedTenant):
            create(connection, acme, bob.id, "till", permissions=READ)


@only_postgresql
def test_every_change_is_announced(house: Database, acme: str, bob: User) -> None:
    with announced(house) as heard:
        key, secret = made(house, acme, bob)
    its = {f"key:{api_keys.digest(secret).hex()}"}
    assert heard == its
    with announced(house) as heard, house.begin() as connection:
        revoke(connection, acme, key.id)
    assert heard == its
