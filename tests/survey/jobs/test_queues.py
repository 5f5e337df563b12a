"""Celery's broker and results in a real Redis, with a login for each tenant."""

from __future__ import annotations

import pytest
from redis import Redis

from partywall.survey.attack import Breach
from partywall.survey.explaining.docstrings import parts
from partywall.survey.jobs.attacks import QUEUES, named
from partywall.survey.jobs.queues import Queue, QueueScene
from partywall.survey.jobs.settings import JobsLogin, JobsSettings
from partywall.survey.jobs.surveying import survey
from partywall.survey.trying import Outcome
from tests.survey.cache.servers import TENANTS, address, executed, sound

[ATTACK] = named(QUEUES)


def settings(url: str) -> JobsSettings:
    tenants = {
        name: JobsLogin(name, address(url, name), queue="work", prefix=f"{name}:")
        for name in TENANTS
    }
    return JobsSettings("celery", address(url, "admin"), tenants)


@pytest.fixture
def broker(redis_url: str) -> str:
    sound(redis_url)
    executed(address(redis_url, "admin"), "ACL SETUSER default on nopass ~* &* +@all")
    return redis_url


def test_the_wrong_keys_of_a_login_are_read_written_and_emptied(broker: str) -> None:
    executed(broker, parts(ATTACK.doc)[2]["Breaches"])
    report = survey(settings(broker))
    assert {(one.attacker, one.at, one.effect) for one in report.findings} == {
        ("acme", f"jobs {at}", effect)
        for at, effect in (("queue", "read"), ("queue", "write"), ("queue", "destroy"),
                           ("result", "read"), ("result", "write"))
    }  # fmt: skip


def test_a_login_with_keys_of_its_own_holds_and_no_key_is_left(broker: str) -> None:
    executed(broker, parts(ATTACK.doc)[2]["Holds"])
    report = survey(settings(broker))
    assert report.verdict == "held"
    with Redis.from_url(broker) as client:
        assert client.keys() == []


def test_a_queue_that_could_not_be_looked_at_is_not_said_to_be_emptied() -> None:
    acme, globex = (
        Queue(JobsLogin(name, ""), "run", f"canary-of-{name}") for name in ("acme", "globex")
    )
    emptied = next(a for a in ATTACK.plan(QueueScene(acme, globex)) if a.way == "queue: DEL")
    refused, lost = Outcome(error="NOPERM", refused=True), Outcome(error="no answer: Timeout")
    assert emptied.judge([refused, lost, lost]) is None
    assert isinstance(emptied.judge([Outcome("1"), Outcome(""), lost]), Breach)
