"""Administrators: who gets into a tenant, from where, for how long, and what its log says."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from partywall.control import administration, tables
from partywall.control.administration import appoint, dismiss, grant, permitted, revoke
from partywall.control.audit import entries
from partywall.control.database import Database, new_id, now
from partywall.errors import InvalidRecord, NotPermitted, UnknownRecord, UnknownTenant
from partywall.servers import Postgres
from tests.control.logs import ACME, BOTH, GLOBEX, log, only_postgresql, only_sqlite, opened

ADA = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
EVE = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
OFFICE, HERE, ELSEWHERE = "203.0.113.0/24", "203.0.113.7", "198.51.100.7"
WHY = "ticket 4711: a customer asks for help"
HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Two tenants, and two users of whom Ada is an administrator."""
    for database in opened(request, tmp_path):
        with database.begin() as connection:
            for tenant_id, slug in ((ACME, "acme"), (GLOBEX, "globex")):
                connection.execute(insert(tables.tenants), of_tenant(tenant_id, slug))
            for user_id, name in ((ADA, "ada"), (EVE, "eve")):
                connection.execute(insert(tables.users), of_user(user_id, name))
            appoint(connection, ADA, [OFFICE, "2001:db8::/32"])
        yield database


def of_tenant(tenant_id: str, slug: str) -> dict[str, Any]:
    moment = now()
    return {
        "id": tenant_id,
        "slug": slug,
        "skeleton": slug,
        "name": slug,
        "status": "active",
        "settings": {},
        "created_at": moment,
        "changed_at": moment,
    }


def of_user(user_id: str, name: str) -> dict[str, Any]:
    address = f"{name}@example.com"
    return {"id": user_id, "email": address, "email_key": address, "created_at": now()}


def let_in(
    house: Database, tenant: str | None = ACME, hours: float = 1, user: str = ADA
) -> administration.Grant:
    with house.begin() as connection:
        until = now() + hours * HOUR
        return grant(connection, user, tenant, reason=WHY, until=until)


def use(
    house: Database, tenant: str | None = ACME, source: str = HERE, user: str = ADA
) -> administration.Grant:
    with house.begin() as connection:
        return permitted(connection, user, tenant, source)


# -- who gets in --------------------------------------------------------------------------------


def test_a_grant_lets_an_administrator_in_and_each_use_is_in_the_tenant_s_log(
    house: Database,
) -> None:
    given = let_in(house)
    assert use(house) == given == use(house, source="2001:db8::1")
    granted, first, second = log(house)
    assert (granted.action, granted.actor, granted.subject) == (
        "administration.granted",
        ADA,
        given.id,
    )
    assert granted.detail["reason"] == WHY
    for entry, source in ((first, HERE), (second, "2001:db8::1")):
        assert (entry.action, entry.actor, entry.source) == ("administration.used", ADA, source)
        assert (entry.subject, entry.detail) == (given.id, {"reason": WHY})


def test_who_is_no_administrator_is_not_let_in(house: Database) -> None:
    with pytest.raises(NotPermitted, match="no administrator"):
        let_in(house, user=EVE)
    with pytest.raises(NotPermitted):
        use(house, user=EVE)


def test_to_be_an_administrator_alone_opens_nothing(house: Database) -> None:
    with pytest.raises(NotPermitted):
        use(house)


def test_another_administrator_s_grant_is_of_no_use(house: Database) -> None:
    with house.begin() as connection:
        appoint(connection, EVE, [OFFICE])
    let_in(house)
    with pytest.raises(NotPermitted):
        use(house, user=EVE)


def test_a_grant_for_one_tenant_is_none_for_another_nor_for_all(house: Database) -> None:
    let_in(house)
    for other in (GLOBEX, None):
        with pytest.raises(NotPermitted):
            use(house, other)


def test_a_grant_for_all_tenants_is_used_in_each_of_their_logs(house: Database) -> None:
    given = let_in(house, None)
    for tenant in (ACME, GLOBEX, None):
        assert use(house, tenant) == given
        assert log(house, tenant or "")[-1].action == "administration.used"
    with pytest.raises(UnknownTenant):
        use(house, new_id())


def test_the_tenant_s_own_grant_goes_first(house: Database) -> None:
    let_in(house, None, hours=2)
    own = let_in(house)
    assert use(house) == own


def test_a_grant_ends_by_itself(house: Database) -> None:
    with house.begin() as connection:
        until = now() + dt.timedelta(seconds=0.3)
        grant(connection, ADA, ACME, reason=WHY, until=until)
    use(house)
    time.sleep(max((until - now()).total_seconds(), 0) + 0.01)
    with pytest.raises(NotPermitted):
        use(house)
    with house.reading() as connection:
        assert administration.granted(connection, tenant_id=ACME) == []


@pytest.mark.parametrize(
    "source",
    [ELSEWHERE, "203.0.114.0", "::ffff:198.51.100.7", "2001:db9::1", "", "localhost",
     "203.0.113.007", "203.0.113.7, 198.51.100.7", "203.0.113.7:80", "3405803783"],
)  # fmt: skip
def test_from_another_network_nobody_gets_in(house: Database, source: str) -> None:
    let_in(house)
    with pytest.raises(NotPermitted):
        use(house, source=source)
    assert [entry.action for entry in log(house)] == ["administration.granted"]


def test_an_ipv4_address_written_in_ipv6_is_the_same(house: Database) -> None:
    let_in(house)
    use(house, source=f"::ffff:{HERE}")
    with house.begin() as connection:
        found = appoint(connection, ADA, ["::ffff:203.0.113.0/120"])
    assert found.networks == (OFFICE,)
    use(house)


def test_a_revoked_grant_is_used_no_more(house: Database) -> None:
    given = let_in(house)
    with house.begin() as connection:
        revoke(connection, given.id, by=EVE)
    with pytest.raises(NotPermitted):
        use(house)
    last = log(house)[-1]
    assert (last.action, last.actor, last.subject) == ("administration.revoked", EVE, given.id)
    with pytest.raises(UnknownRecord), house.begin() as connection:
        revoke(connection, given.id)


def test_a_dismissed_administrator_is_out_and_stays_out_when_appointed_again(
    house: Database,
) -> None:
    let_in(house)
    let_in(house, None)
    with house.begin() as connection:
        dismiss(connection, ADA, by=EVE)
    with pytest.raises(NotPermitted):
        use(house)
    with house.begin() as connection:
        appoint(connection, ADA, [OFFICE])
    with pytest.raises(NotPermitted):
        use(house)
    assert log(house)[-1].action == "administration.revoked"
    assert [entry.action for entry in log(house, "")][-3:] == [
        "administration.revoked",
        "administrator.dismissed",
        "administrator.appointed",
    ]
    with pytest.raises(UnknownRecord), house.begin() as connection:
        dismiss(connection, EVE)


def test_a_disabled_user_is_out(house: Database) -> None:
    let_in(house)
    with house.begin() as connection:
        connection.execute(update(tables.users).values(disabled_at=now()))
    with pytest.raises(NotPermitted):
        use(house)
    with pytest.raises(UnknownRecord), house.begin() as connection:
        appoint(connection, EVE, [OFFICE])


def test_other_networks_hold_at_once(house: Database) -> None:
    let_in(house)
    with house.begin() as connection:
        since = administration.listed(connection)[0].created_at
        again = appoint(connection, ADA, ["198.51.100.0/24", "198.51.100.0/24"])
        assert administration.listed(connection) == [again]
    assert (again.networks, again.created_at) == (("198.51.100.0/24",), since)
    use(house, source=ELSEWHERE)
    with pytest.raises(NotPermitted):
        use(house)


def test_every_refusal_says_the_same(house: Database) -> None:
    said = set()
    for user, tenant, source in ((EVE, ACME, HERE), (ADA, GLOBEX, HERE), (ADA, ACME, ELSEWHERE)):
        let_in(house)
        with pytest.raises(NotPermitted) as refused:
            use(house, tenant, source, user)
        said.add(str(refused.value))
    assert len(said) == 1


# -- what can't be granted ----------------------------------------------------------------------


@only_sqlite
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reason": "  "}, InvalidRecord),
        ({"reason": "x" * 501}, InvalidRecord),
        ({"reason": "nul\0"}, InvalidRecord),
        ({"until": -0.01}, InvalidRecord),
        ({"until": 8.01}, InvalidRecord),
        ({"until": dt.datetime(2100, 1, 1)}, InvalidRecord),  # noqa: DTZ001 - without its zone
        ({"tenant": new_id()}, UnknownTenant),
    ],
)
def test_a_grant_needs_a_reason_an_end_that_is_near_and_a_tenant(
    house: Database, change: dict[str, Any], error: type[Exception]
) -> None:
    asked: dict[str, Any] = {"reason": WHY, "until": 1, "tenant": ACME} | change
    until = asked["until"]
    if not isinstance(until, dt.datetime):
        until = now() + until * HOUR
    with pytest.raises(error), house.begin() as connection:
        grant(connection, ADA, asked["tenant"], reason=asked["reason"], until=until)
    with house.reading() as connection:
        assert connection.execute(select(tables.grants)).all() == []
        assert entries(connection, ACME) == []


@only_sqlite
def test_a_longer_grant_is_somebody_s_decision(house: Database) -> None:
    with house.begin() as connection:
        until, longest = now() + 24 * HOUR, dt.timedelta(days=2)
        given = grant(connection, ADA, ACME, reason=WHY, until=until, longest=longest, by=EVE)
    assert given.expires_at == until
    assert log(house)[0].actor == EVE


@only_sqlite
def test_a_deleted_tenant_is_entered_by_nobody(house: Database) -> None:
    let_in(house, None)
    with house.begin() as connection:
        connection.execute(update(tables.tenants).values(status="deleted"))
    with pytest.raises(UnknownTenant):
        let_in(house)
    with pytest.raises(UnknownTenant):
        use(house)


@only_sqlite
@pytest.mark.parametrize(
    "networks",
    [[], ["0.0.0.0/0"], ["::/0"], ["::ffff:0.0.0.0/96"], ["203.0.113.7/24"], ["office"], [""],
     [f"10.0.{n}.0/24" for n in range(33)]],
    ids=str,
)  # fmt: skip
def test_networks_are_networks_and_not_all_the_world(house: Database, networks: list[str]) -> None:
    with pytest.raises(InvalidRecord), house.begin() as connection:
        appoint(connection, ADA, networks)


@only_sqlite
def test_only_a_user_can_be_appointed(house: Database) -> None:
    with pytest.raises(UnknownRecord), house.begin() as connection:
        appoint(connection, new_id(), [OFFICE])


# -- at once ------------------------------------------------------------------------------------

ENDS: dict[str, Callable[[Connection, str], object]] = {
    "revoke": revoke,
    "dismiss": lambda connection, _: dismiss(connection, ADA),
    "other networks": lambda connection, _: appoint(connection, ADA, ["198.51.100.0/24"]),
}


@only_postgresql
@pytest.mark.parametrize("end", ENDS)
def test_a_use_waits_for_who_ends_it_and_is_refused(house: Database, end: str) -> None:
    given = let_in(house)
    refused: list[Exception] = []

    def attempt() -> None:
        try:
            use(house)
        except NotPermitted as error:
            refused.append(error)

    with house.begin() as connection:
        ENDS[end](connection, given.id)
        using = threading.Thread(target=attempt)
        using.start()
        using.join(0.3)
        assert using.is_alive()
    using.join(10)
    assert len(refused) == 1
