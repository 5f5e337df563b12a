from __future__ import annotations

import asyncio
import datetime as dt
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError

from partywall.control import memberships, metering, quotas, tables
from partywall.control.database import Database, new_id, now
from partywall.control.metering import Block, Meter
from partywall.errors import InvalidRecord, QuotaExceeded, Unavailable, UnknownTenant
from tests.control import people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from partywall.servers import Postgres

MINUTE = "requests_per_minute"


@pytest.fixture
def acme(house: Database) -> str:
    with house.begin() as connection:
        return people.tenant(connection, "acme").id


@pytest.fixture
def meter(house: Database) -> Iterator[Meter]:
    with Meter(house) as opened:
        yield opened


def limit(house: Database, tenant_id: str, kind: str, most: int | None) -> None:
    with house.begin() as connection:
        quotas.set_limit(connection, tenant_id, kind, most)


def used(house: Database, tenant_id: str, kind: str) -> int:
    with house.reading() as connection:
        return {each.kind: each.used for each in quotas.usage(connection, tenant_id)}[kind]


def taken(meter: Meter, tenant_id: str, kind: str, times: int) -> int:
    """How many of so many uses were allowed."""
    count = 0
    for _ in range(times):
        try:
            meter.take(tenant_id, kind)
        except QuotaExceeded:
            continue
        count += 1
    return count


@pytest.mark.parametrize("most", [0, 1, 7, 250])
@pytest.mark.parametrize("block", [1, 100])
def test_the_limit_is_reached_and_not_exceeded(
    house: Database, acme: str, most: int, block: int
) -> None:
    limit(house, acme, "members", most)
    with Meter(house, block=block) as meter:
        assert taken(meter, acme, "members", most + 20) == most
    assert used(house, acme, "members") == most


def in_a_process(url: str, tenant_id: str, kind: str, times: int) -> int:
    with Meter(Database(url)) as meter:
        return taken(meter, tenant_id, kind, times)


def test_processes_together_reach_it_and_do_not_exceed_it(house: Database, acme: str) -> None:
    limit(house, acme, "rows", 500)
    url = house.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
        counts = list(processes.map(in_a_process, [url] * 3, [acme] * 3, ["rows"] * 3, [300] * 3))
    with Meter(house) as meter:
        counts.append(taken(meter, acme, "rows", 500))  # what the others have given back
    assert sum(counts) == 500
    assert used(house, acme, "rows") == 500


def test_threads_of_one_meter(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 150)
    with ThreadPoolExecutor(6) as threads:
        counts = list(threads.map(lambda _: taken(meter, acme, "rows", 60), range(6)))
    assert sum(counts) == 150


def test_most_uses_ask_no_database(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 1_000_000)
    meter.take(acme, "rows")
    asked: list[str] = []

    def counted(connection: Connection, *_: object) -> None:
        del connection
        asked.append("query")

    event.listen(house.engine, "before_cursor_execute", counted)
    try:
        assert taken(meter, acme, "rows", 99) == 99
    finally:
        event.remove(house.engine, "before_cursor_execute", counted)
    assert asked == []


def test_a_refusal_is_remembered_for_a_moment(house: Database, acme: str, meter: Meter) -> None:
    """Who has used up all must not keep the database busy with being refused."""
    limit(house, acme, "rows", 0)
    assert taken(meter, acme, "rows", 1) == 0
    limit(house, acme, "rows", 1)
    assert taken(meter, acme, "rows", 1) == 0
    time.sleep(metering.IDLE_S + 0.1)
    assert taken(meter, acme, "rows", 2) == 1


def test_what_is_not_used_comes_back_by_itself(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 10_000)
    meter.take(acme, "rows")
    assert used(house, acme, "rows") > 1
    deadline = time.monotonic() + 10
    while used(house, acme, "rows") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_is_deleted_counts_no_more(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 2)
    assert taken(meter, acme, "rows", 3) == 2
    meter.give_back(acme, "rows")
    assert taken(meter, acme, "rows", 2) == 1


def test_nothing_is_given_back_of_a_rate(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, MINUTE, 1)
    begun()
    assert taken(meter, acme, MINUTE, 1) == 1
    meter.give_back(acme, MINUTE)
    with pytest.raises(QuotaExceeded) as refused:
        meter.take(acme, MINUTE)
    assert refused.value.kind == MINUTE
    assert refused.value.retry_after_s is not None
    assert 0 < refused.value.retry_after_s <= 60


def begun() -> None:
    """Wait for the next minute where this one is about to end."""
    left_s = 60 - time.time() % 60
    if left_s < 3:
        time.sleep(left_s + 0.1)


def test_a_window_begins_anew(house: Database, acme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(quotas.WINDOWS_S, "requests_per_second", 1)
    kind = "requests_per_second"
    limit(house, acme, kind, 3)
    with Meter(house) as meter:
        for _ in range(2):
            time.sleep(1.02 - time.time() % 1)
            assert taken(meter, acme, kind, 6) == 3
            assert used(house, acme, kind) == 3
        time.sleep(1.02 - time.time() % 1)
        assert used(house, acme, kind) == 0


def test_more_at_once_than_is_left(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "storage_bytes", 1000)
    meter.take(acme, "storage_bytes", 900)
    with pytest.raises(QuotaExceeded):
        meter.take(acme, "storage_bytes", 101)
    meter.take(acme, "storage_bytes", 100)
    assert used(house, acme, "storage_bytes") == 1000


def test_without_a_limit_it_is_counted(house: Database, acme: str) -> None:
    with Meter(house) as meter:
        assert taken(meter, acme, "exports", 250) == 250
    assert used(house, acme, "exports") == 250


def test_a_recount_is_what_counts(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 10)
    with house.begin() as connection:
        quotas.recount(connection, acme, "rows", 9)
    assert taken(meter, acme, "rows", 3) == 1


def test_tenants_use_up_their_own(house: Database, acme: str, meter: Meter) -> None:
    with house.begin() as connection:
        globex = people.tenant(connection, "globex").id
    limit(house, acme, "rows", 1)
    limit(house, globex, "rows", 1)
    assert taken(meter, acme, "rows", 5) == 1
    assert taken(meter, globex, "rows", 5) == 1
    with house.begin() as connection:
        quotas.discount(connection, globex, "rows")
        assert quotas.usage(connection, acme) == [quotas.Quota("rows", 1, 1)]
        assert quotas.usage(connection, globex) == [quotas.Quota("rows", 1, 0)]


def test_of_two_at_once_the_second_sees_what_the_first_has_taken(
    house: Database, acme: str
) -> None:
    limit(house, acme, "rows", 1)

    def second() -> bool:
        try:
            with house.begin() as connection:
                quotas.count(connection, acme, "rows")
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(1) as threads:
        with house.begin() as connection:
            quotas.count(connection, acme, "rows")
            other = threads.submit(second)
            time.sleep(0.1)
            assert not other.done()
        assert not other.result()
    assert used(house, acme, "rows") == 1


def test_a_window_never_begins_earlier_than_it_did(house: Database, acme: str) -> None:
    """A server that takes another's place may have a clock that is behind."""
    limit(house, acme, MINUTE, 1)
    with Meter(house, block=1) as meter:
        meter.take(acme, MINUTE)
        later = tables.quotas.update().values(begun_at=now() + dt.timedelta(minutes=5), used=1)
        with house.begin() as connection:
            connection.execute(later)
        with pytest.raises(QuotaExceeded):
            meter.take(acme, MINUTE)


def test_what_was_held_in_an_earlier_window_is_no_more(house: Database, acme: str) -> None:
    begun()
    limit(house, acme, MINUTE, 100)
    earlier = now() - dt.timedelta(minutes=5)
    with house.begin() as connection:
        assert quotas.reserved(connection, (acme, MINUTE), 60, 0, None, 0).left == 0
        assert quotas.reserved(connection, (acme, MINUTE), 41, 50, earlier, 0).refused
        assert not quotas.reserved(connection, (acme, MINUTE), 40, 50, earlier, 0).refused
    assert used(house, acme, MINUTE) == 100


def test_each_kind_is_counted_by_itself(house: Database, acme: str, meter: Meter) -> None:
    for kind, most in (("rows", 1), ("files", 2)):
        limit(house, acme, kind, most)
    assert [taken(meter, acme, kind, 5) for kind in ("rows", "files")] == [1, 2]


def test_what_was_not_counted_is_not_counted_off(house: Database, acme: str) -> None:
    with house.begin() as connection:
        quotas.recount(connection, acme, "rows", 2)
        quotas.discount(connection, acme, "rows", 3)
        assert quotas.usage(connection, acme) == [quotas.Quota("rows", None, 2)]


def test_nobody_uses_nothing(meter: Meter) -> None:
    with pytest.raises(UnknownTenant):
        meter.take(new_id(), "rows")


def test_a_limit_below_nothing(house: Database, acme: str) -> None:
    with house.begin() as connection, pytest.raises(InvalidRecord):
        quotas.set_limit(connection, acme, "rows", -1)


def test_async_code(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 5)

    async def attempt() -> bool:
        try:
            await meter.async_take(acme, "rows")
        except QuotaExceeded:
            return False
        return True

    async def main() -> list[bool]:
        return await asyncio.gather(*(attempt() for _ in range(12)))

    assert sum(asyncio.run(main())) == 5


def test_what_the_block_did_not_do_counts_no_more(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 3)
    with meter.using(acme, "rows", 2):
        pass
    with pytest.raises(LookupError), meter.using(acme, "rows"):
        raise LookupError
    with meter.using(acme, "rows"):
        pass
    begun: list[str] = []
    with pytest.raises(QuotaExceeded), meter.using(acme, "rows"):
        begun.append("block")
    assert not begun
    assert used(house, acme, "rows") == 3


def test_what_the_server_refused_counts_no_more(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "rows", 1)
    with pytest.raises(DBAPIError), meter.using(acme, "rows"), house.begin() as connection:
        connection.exec_driver_sql("SELECT nothing_of_this_name")
    meter.take(acme, "rows")


def test_a_commit_that_may_have_gone_through_counts(
    postgres15: Postgres, acme: str, meter: Meter, house: Database
) -> None:
    limit(house, acme, "rows", 1)
    other = Database(postgres15.url())
    with pytest.raises(DBAPIError), meter.using(acme, "rows"), other.begin() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    other.close()
    with pytest.raises(QuotaExceeded):
        meter.take(acme, "rows")


def test_a_task_that_was_cancelled_may_have_committed(
    house: Database, acme: str, meter: Meter
) -> None:
    limit(house, acme, "rows", 1)

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            async with meter.async_using(acme, "rows"):
                raise asyncio.CancelledError
        with pytest.raises(QuotaExceeded):
            async with meter.async_using(acme, "rows"):
                pass
        await meter.async_give_back(acme, "rows")
        with pytest.raises(LookupError):
            async with meter.async_using(acme, "rows"):
                raise LookupError
        async with meter.async_using(acme, "rows"):
            pass

    asyncio.run(main())
    assert used(house, acme, "rows") == 1


def test_large_uses_ask_no_database_either(house: Database, acme: str, meter: Meter) -> None:
    limit(house, acme, "storage_bytes", 2**40)
    meter.take(acme, "storage_bytes", 2**20)
    asked: list[str] = []

    def counted(*_: object) -> None:
        asked.append("query")

    event.listen(house.engine, "before_cursor_execute", counted)
    try:
        for _ in range(90):
            meter.take(acme, "storage_bytes", 2**20)
    finally:
        event.remove(house.engine, "before_cursor_execute", counted)
    assert asked == []


def test_members_count_with_their_memberships(house: Database, acme: str) -> None:
    limit(house, acme, "members", 2)
    with house.begin() as connection:
        ann, bob, eve = (people.user(connection, name) for name in ("ann", "bob", "eve"))
        memberships.add(connection, acme, ann.id, "owner")
        memberships.add(connection, acme, bob.id, "member")
    with pytest.raises(QuotaExceeded, match="members"), house.begin() as connection:
        memberships.add(connection, acme, eve.id, "member")
    assert used(house, acme, "members") == 2
    with house.begin() as connection:
        memberships.end(connection, acme, bob.id)
        memberships.add(connection, acme, eve.id, "member")
    assert used(house, acme, "members") == 2


def test_of_many_who_join_at_once_the_limit_lets_in_as_many(house: Database, acme: str) -> None:
    limit(house, acme, "members", 3)
    with house.begin() as connection:
        ids = [people.user(connection, f"user{number}").id for number in range(8)]

    def join(user_id: str) -> bool:
        try:
            with house.begin() as connection:
                memberships.add(connection, acme, user_id, "member")
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(5) as threads:
        assert sum(threads.map(join, ids)) == 3
    assert used(house, acme, "members") == 3


def test_a_process_whose_clock_is_wrong_uses_up_no_more(
    house: Database, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may ask more often, and neither keeps others waiting nor counts what nobody used."""
    begun()
    limit(house, acme, MINUTE, 1000)
    for hours in (1, -1):
        with monkeypatch.context() as wrong, Meter(house) as meter:
            wrong.setattr(quotas, "now", lambda hours=hours: now() + dt.timedelta(hours=hours))
            assert taken(meter, acme, MINUTE, 10) == 10
        assert used(house, acme, MINUTE) <= 20
    limit(house, acme, MINUTE, used(house, acme, MINUTE))
    with Meter(house) as meter, pytest.raises(QuotaExceeded) as refused:
        meter.take(acme, MINUTE)
    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s <= 60


def test_what_was_held_is_held_when_the_database_was_down(
    house: Database, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(house, acme, "rows", 200)
    with Meter(house) as meter:
        meter.take(acme, "rows")
        held = meter._blocks[acme, "rows"].left  # noqa: SLF001 - in memory
        with monkeypatch.context() as down:
            down.setattr(house, "engine", create_engine("sqlite:////nowhere/house.db"))
            with pytest.raises(Unavailable):
                meter.take(acme, "rows", held + 1)
        assert taken(meter, acme, "rows", 250) == 199


def test_nothing_counts_for_nothing_and_less_can_not_be(
    house: Database, acme: str, meter: Meter
) -> None:
    limit(house, acme, "rows", 0)
    meter.take(acme, "rows", 0)
    meter.give_back(acme, "rows", 0)
    for counted in (meter.take, meter.give_back):
        with pytest.raises(InvalidRecord, match="less than nothing"):
            counted(acme, "rows", -1)
    with pytest.raises(InvalidRecord), meter.using(acme, "rows", -1):
        pytest.fail("it was begun")
    assert used(house, acme, "rows") == 0


def test_the_last_ones_are_held_by_nobody(house: Database, acme: str) -> None:
    limit(house, acme, "storage_bytes", 5000)
    with Meter(house) as one, Meter(house) as other:
        for meter in (one, other, one, other, one):
            meter.take(acme, "storage_bytes", 1000)
        with pytest.raises(QuotaExceeded):
            other.take(acme, "storage_bytes", 1)


@contextmanager
def updating(house: Database, does: Callable[[], object]) -> Iterator[None]:
    """In the block, *does* comes before each change of a quota."""

    def before(*told: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        if told[2].startswith("UPDATE"):
            does()

    event.listen(house.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(house.engine, "before_cursor_execute", before)


def test_a_block_ends_with_its_window(
    house: Database, acme: str, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun()
    limit(house, acme, MINUTE, 1000)
    asked: list[str] = []
    meter.take(acme, MINUTE)
    with updating(house, lambda: asked.append("query")):
        meter.take(acme, MINUTE)
        assert asked == []
        monkeypatch.setattr(quotas, "now", lambda: now() + dt.timedelta(minutes=1))
        meter.take(acme, MINUTE)
        assert asked == ["query"]


def test_a_block_of_another_window_is_not_added_to(
    house: Database, acme: str, meter: Meter
) -> None:
    """One thread asks just before a window ends, and another one just after."""
    limit(house, acme, MINUTE, 1000)
    late = Block(500, now() - dt.timedelta(minutes=5), time.monotonic())

    def another_thread() -> None:
        meter._blocks[acme, MINUTE] = late  # noqa: SLF001 - in the middle of what is tested

    with updating(house, another_thread):
        meter.take(acme, MINUTE)
    assert meter._blocks[acme, MINUTE].left <= 100  # noqa: SLF001 - in memory


def test_what_is_given_back_is_not_hoarded(house: Database, acme: str, meter: Meter) -> None:
    with house.begin() as connection:
        quotas.recount(connection, acme, "rows", 5000)
    meter.take(acme, "rows")
    before = used(house, acme, "rows")
    meter.give_back(acme, "rows", 4000)
    assert used(house, acme, "rows") == before - 4000


def test_what_was_held_is_given_back_to_its_own_window(house: Database, acme: str) -> None:
    limit(house, acme, MINUTE, 1000)
    with Meter(house) as meter:
        meter.take(acme, MINUTE)
        later = tables.quotas.update().values(begun_at=now() + dt.timedelta(minutes=5), used=60)
        with house.begin() as connection:
            connection.execute(later)
    assert used(house, acme, MINUTE) == 60


def test_what_was_recounted_meanwhile_is_not_given_back(house: Database, acme: str) -> None:
    with Meter(house) as meter:
        meter.take(acme, "rows")
        with house.begin() as connection:
            quotas.recount(connection, acme, "rows", 1)
    assert used(house, acme, "rows") == 1
