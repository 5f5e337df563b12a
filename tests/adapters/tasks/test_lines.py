"""Lines of tenants in a real Redis: what is moved, held and given back; no worker."""

# ruff: noqa: ANN401 - what redis-py answers depends on how it was asked

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from partywall.adapters.celery.line import PREFIX, Lines, Place
from partywall.adapters.executions import Limits
from partywall.errors import ConfigurationError, QuotaExceeded
from tests.adapters.tasks.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ACME = Place("celery", "acme")
GLOBEX = Place("celery", "globex")


@pytest.fixture
def server(redis_url: str) -> Iterator[Any]:
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def lines(server: Any, limits: Limits, *, lease_s: float = 60, visibility_s: float = 3600) -> Lines:
    return Lines(server, limits, prefix="", lease_s=lease_s, visibility_s=visibility_s)


def publish(server: Any, place: Place, message_id: str, due: float | None = None) -> None:
    headers = {"id": message_id, **({} if due is None else {"partywall-due": repr(due)})}
    server.lpush(place.name, json.dumps({"body": "", "headers": headers}))


def ids(server: Any, name: str) -> list[str]:
    """From the first to be taken to the last."""
    return [json.loads(m)["headers"]["id"] for m in reversed(server.lrange(name, 0, -1))]


steps = st.lists(
    st.tuples(
        st.sampled_from(["publish", "take", "end", "give back", "look"]),
        st.sampled_from([ACME, GLOBEX]),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps, at_once=st.integers(1, 3))
def test_whatever_happens_no_message_is_lost_or_doubled_and_no_limit_passed(
    server: Any, steps: list[tuple[str, Place]], at_once: int
) -> None:
    server.flushall()
    all_lines = lines(server, Limits(at_once))
    published: dict[str, Place] = {}
    running: list[str] = []
    ended: list[str] = []
    for step, place in steps:
        if step == "publish":
            message_id = f"{place.tenant}/{len(published)}"
            published[message_id] = place
            all_lines.enter(place)
            publish(server, place, message_id)
            all_lines.release(place)
        elif step == "take" and (message := server.rpop("celery")):
            running.append(json.loads(str(message))["headers"]["id"])
        elif step == "end" and running:
            ended.append(running.pop(0))
            all_lines.release(published[ended[-1]], ended=ended[-1])
        elif step == "give back" and running:  # as kombu does when a worker ends
            message_id = running.pop()
            back = json.dumps({"body": "", "headers": {"id": message_id}})
            server.rpush(published[message_id].name, back)
            all_lines.release(published[message_id])
        else:
            all_lines.look()
        queued = ids(server, "celery")
        waiting = [i for p in (ACME, GLOBEX) for i in ids(server, p.name)]
        assert sorted([*queued, *waiting, *running, *ended]) == sorted(published)
        for tenant in (ACME, GLOBEX):
            here = [i for i in [*queued, *running] if published[i] == tenant]
            assert len(here) <= at_once
            if ids(server, tenant.name):
                assert len(here) == at_once  # nobody waits for nothing
    for tenant in (ACME, GLOBEX):
        gone = [i for i in ended if published[i] == tenant]
        assert len(gone) == len(set(gone))


def test_a_message_whose_publisher_died_is_found_by_the_workers(server: Any) -> None:
    all_lines = lines(server, Limits())
    all_lines.enter(ACME)
    publish(server, ACME, "acme/1")  # and no release
    assert ids(server, "celery") == []
    server.zadd(f"{PREFIX}agenda", {ACME.name: 0})  # a minute later
    all_lines.look()
    assert ids(server, "celery") == ["acme/1"]


def test_what_is_due_later_waits_without_a_place_and_comes_when_it_is_due(server: Any) -> None:
    all_lines = lines(server, Limits(at_once=1))
    publish(server, ACME, "acme/later", due=time.time() + 3600)
    publish(server, ACME, "acme/now")
    all_lines.release(ACME)
    assert ids(server, "celery") == ["acme/now"]
    later = f"{PREFIX}later:{ACME.name}"
    [(message, _)] = server.zrange(later, 0, -1, withscores=True)
    moved = json.loads(message)
    moved["headers"]["partywall-due"] = "1"
    server.delete(later)
    server.zadd(later, {json.dumps(moved): 1})
    server.zadd(f"{PREFIX}agenda", {ACME.name: 0})
    all_lines.release(ACME, ended="acme/now")
    assert ids(server, "celery") == ["acme/now", "acme/later"]


def test_the_place_of_a_dead_worker_is_free_when_its_lease_has_run_out(server: Any) -> None:
    all_lines = lines(server, Limits(at_once=1), lease_s=0.001)
    publish(server, ACME, "acme/1")
    publish(server, ACME, "acme/2")
    all_lines.release(ACME)
    server.rpop("celery")
    all_lines.renew(ACME, ["acme/1"])  # its last sign of life

    def looked() -> list[str]:
        all_lines.look()
        return ids(server, "celery")

    until(looked)
    assert ids(server, "celery") == ["acme/2"]
    assert server.zrange(f"{PREFIX}lost:{ACME.name}", 0, -1) == ["acme/1"]
    assert server.zscore(f"{PREFIX}agenda", ACME.name) is not None  # it may come back


def test_a_lease_that_is_renewed_lasts(server: Any) -> None:
    all_lines = lines(server, Limits(at_once=1))
    publish(server, ACME, "acme/1")
    publish(server, ACME, "acme/2")
    all_lines.release(ACME)
    all_lines.renew(ACME, ["acme/1", "acme/stranger"])
    all_lines.release(ACME)
    assert ids(server, "celery") == ["acme/1"]
    assert server.zrange(f"{PREFIX}held:{ACME.name}", 0, -1) == ["acme/1"]


def test_a_line_that_has_nothing_left_leaves_nothing_behind(server: Any) -> None:
    all_lines = lines(server, Limits())
    all_lines.enter(ACME)
    publish(server, ACME, "acme/1")
    all_lines.release(ACME)
    server.rpop("celery")
    all_lines.release(ACME, ended="acme/1")
    assert server.keys("*") == []


def test_as_many_wait_as_may(server: Any) -> None:
    all_lines = lines(server, Limits(at_once=1, waiting=2))
    for n in range(3):
        all_lines.enter(ACME)
        publish(server, ACME, f"acme/{n}")
        all_lines.release(ACME)
    with pytest.raises(QuotaExceeded):
        all_lines.enter(ACME)
    all_lines.enter(GLOBEX)


def test_a_line_that_can_t_be_read_keeps_no_other_waiting(server: Any) -> None:
    all_lines = lines(server, Limits())
    server.lpush(ACME.name, "no message at all")
    publish(server, GLOBEX, "globex/1")
    server.zadd(f"{PREFIX}agenda", {ACME.name: 1, GLOBEX.name: 2})
    all_lines.look()
    assert ids(server, "celery") == ["globex/1"]


def test_a_name_of_a_line_says_its_queue_and_its_tenant() -> None:
    assert Place.of("reports/daily/a.b:c@d") == Place("reports/daily", "a.b:c@d")
    assert Place.of("celery") is None


def test_limits_of_less_than_one_are_refused() -> None:
    with pytest.raises(ConfigurationError):
        Limits(at_once=0)
    with pytest.raises(ConfigurationError):
        Limits(waiting=0)
