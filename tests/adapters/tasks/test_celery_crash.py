"""Celery workers that are killed: nothing is lost, nothing crosses over, nobody is shut out."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from partywall.context import TenantContext
from tests.adapters.tasks.processes import LONGEST_S, until, worker

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.adapters.tasks.processes import Worker

# Celery's Redis backend calls what redis-py has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")

ACME, SLOW = TenantContext("acme", roles={"owner"}), TenantContext("slow")


def test_after_a_kill_work_goes_on_in_its_tenant_and_places_are_given_back(
    redis_url: str, tmp_path: Path
) -> None:
    os.environ["TASKS_REDIS"] = redis_url
    from tests.adapters.tasks import celery_app as shop  # noqa: PLC0415 - it reads the address

    tasks = shop.tasks
    server: Any = Redis.from_url(redis_url, decode_responses=True)
    arguments = ["celery", "-A", "tests.adapters.tasks.celery_app", "worker", "-c", "2"]
    arguments += ["--without-gossip", "--without-mingle", "-l", "INFO"]
    environment = {"TASKS_REDIS": redis_url, "TASKS_LEASE": "1", "TASKS_VISIBILITY": "1"}

    def started() -> AbstractContextManager[Worker]:
        return worker(arguments, environment, tmp_path, "ready.")

    def ran() -> list[list[str]]:
        return [json.loads(line) for line in server.lrange("ran", 0, -1)]

    with started() as first:
        late = tasks.start(ACME, shop.carries, "late")  # given out again
        tasks.start(SLOW, shop.holds, "early")  # acknowledged, so it is lost, as Celery says
        until(lambda: len(ran()) == 2)
        behind = tasks.start(SLOW, shop.add, 7)  # only one of this tenant may run at once
        held = server.zrange("partywall:tasks:held:celery/slow", 0, -1)
        first.killed()
    assert len(held) == 1
    # A worker looks for what dead ones took when it starts, and then every hundred seconds.
    [(_, taken)] = server.zrange("unacked_index", 0, -1, withscores=True)
    until(lambda: server.time()[0] > taken + 2)
    with started():
        assert tasks.result(SLOW, behind.id, timeout_s=LONGEST_S)[0]["tenant_id"] == "slow"
        until(lambda: ran().count(["acme", "late"]) == 2)
        server.rpush("go:late", 1)  # not before: a dead process may still stand in line for it
        assert tasks.result(ACME, late.id, timeout_s=LONGEST_S) == "acme"
    assert [found.name.rpartition(".")[2] for found in tasks.executions(ACME)] == ["carries"]
    server.close()
