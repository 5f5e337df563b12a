"""PW705: another tenant's queue or results in Redis, as Celery keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.calls import Call
from partywall.survey.trying import ADMINISTRATOR, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.jobs.queues import Queue, QueueScene
    from partywall.survey.trying import Judge, Outcome


@attack(
    "PW705",
    effect="read",
    fix="give each tenant's producers a login of their own, with keys of their own: "
    "`global_keyprefix` in `broker_transport_options`, and `ACL SETUSER acme resetkeys ~acme:*`",
)
def queue_of_another(scene: QueueScene) -> Iterator[Attempt[Call]]:
    """Read, write and empty another tenant's queue, and read and replace the result of its task.

    A message in Celery's queue is a task with its arguments, and a result lies open under
    `celery-task-meta-` and the task's id. Nothing is laid into the queue itself, from which a
    worker would take it: a key beside it, whose name begins with the queue's, stands for it.

    Affected:
        Whoever has one Redis as the broker or the result store of all tenants' tasks.

    Breaches:
        ACL SETUSER acme ~*

    Holds:
        ACL SETUSER acme resetkeys ~acme:*

    Source:
        https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html
    """
    attacker, victim = scene.attacker, scene.victim
    forged = attacker.canary
    ways: tuple[tuple[str, Call, Judge], ...] = (
        ("queue: LRANGE", Call(("LRANGE", victim.beside, "0", "-1")), _reads(victim)),
        ("queue: LPUSH", Call(("LPUSH", victim.beside, forged)), _writes(victim, forged)),
        ("queue: DEL", Call(("DEL", victim.beside)), _removes(victim)),
        ("result: GET", Call(("GET", victim.result)), _reads(victim)),
        ("result: SET", Call(("SET", victim.result, forged)), _writes(victim, forged)),
    )
    for way, call, judge in ways:
        yield Attempt(
            at=f"jobs {way.partition(':')[0]}",
            attacker=attacker.owner,
            victim=victim.owner,
            before=tuple(Step(ADMINISTRATOR, one) for one in planted(victim)),
            steps=(
                Step(attacker.owner, call),
                Step(ADMINISTRATOR, Call(("LRANGE", victim.beside, "0", "-1")), quiet=True),
                Step(ADMINISTRATOR, Call(("GET", victim.result)), quiet=True),
            ),
            judge=judge,
            control=(Step(victim.owner, call),),
            after=(Step(ADMINISTRATOR, Call(("DEL", victim.beside, victim.result))),),
            way=way,
        )


def planted(queue: Queue) -> tuple[Call, ...]:
    """What stands for a task of that tenant's, and for the result of one."""
    return (
        Call(("DEL", queue.beside)),
        Call(("RPUSH", queue.beside, queue.canary)),
        Call(("SET", queue.result, queue.canary)),
    )


def _reads(victim: Queue) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if victim.canary in outcomes[0].text:
            return Breach(f"what a task of {victim.owner} holds came back", "read")
        return _allowed(outcomes)

    return judge


def _writes(victim: Queue, forged: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if any(forged in one.text for one in outcomes[1:]):
            return Breach(f"what another tenant wrote stands where {victim.owner}'s does", "write")
        return _allowed(outcomes)

    return judge


def _removes(victim: Queue) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[1].ok and victim.canary not in outcomes[1].text:
            return Breach(f"{victim.owner}'s queue was emptied", "destroy")
        return _allowed(outcomes)

    return judge


def _allowed(outcomes: Sequence[Outcome]) -> Judgement:
    first = outcomes[0]
    return None if first.refused else Unclear(f"the server answered {first.told[:80]!r}")
