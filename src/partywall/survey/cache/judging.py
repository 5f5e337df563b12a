"""Attempts made of an observation: for each key that two tenants touched, and for none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.cache.observation import surfaces
from partywall.survey.driven import Driven
from partywall.survey.recorded import Record
from partywall.survey.trying import ADMINISTRATOR, Attempt, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.observation import Observation, Turn
    from partywall.survey.trying import Controlled, Outcome

NOTHING = Driven("", 0, "", {})
"""What stands for the answer of a tenant that asked nothing: its control proves nothing."""


def attempts(
    observation: Observation,
    attacker: str,
    filled: Turn,
    asked: Turn,
    judged: Callable[[str], Judgement],
) -> Iterator[Attempt[Record]]:
    """An attempt for each kind of key that both touched: *filled* first, then *asked*."""
    owner = filled.tenant if attacker != filled.tenant else asked.tenant
    for at, key in surfaces(list(observation.shared())).items():
        left = filled.shown(filled.answers) or next(iter(filled.answers), NOTHING)
        came = filled.shown(asked.answers) or next(iter(asked.answers), NOTHING)
        steps = (
            Step(filled.tenant, _record(left)),
            Step(ADMINISTRATOR, Record(_look(key), filled.values.get(key, ""))),
            Step(asked.tenant, _record(came)),
        )

        def judge(outcomes: Sequence[Outcome], key: str = key) -> Judgement:
            del outcomes
            return judged(key)

        control = tuple(Step(asked.tenant, _record(one)) for one in asked.answers)
        yield Attempt(at, attacker, owner, steps, judge, control=control, controlled=saw(asked))


def held(observation: Observation, attacker: str, victim: str) -> Iterator[Attempt[Record]]:
    """That no key is shared, which is worth knowing where there are keys, and own data is seen."""
    first, second = observation.first, observation.second
    if any(True for _ in observation.shared()):
        return
    steps = tuple(Step(second.tenant, _record(one)) for one in second.answers)
    control = tuple(Step(first.tenant, _record(one)) for one in first.answers)

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if not (first.touched and second.touched):
            return (
                "the requests that were driven touched no key of the database that [cache] url "
                "names: nothing was cached there"
            )
        return saw(first)(outcomes)

    yield Attempt(
        "cache keys of the application", attacker, victim, steps, lambda _: None, control,
        controlled,
    )  # fmt: skip


def saw(turn: Turn) -> Controlled:
    """The tenant was answered with what is its own: what is another's would have been seen."""

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if turn.marked("\n".join(one.text for one in outcomes)):
            return ""
        return f"{turn.tenant} was answered with nothing of its own either"

    return controlled


def _record(answer: Driven) -> Record:
    return Record(answer.request, answer.text)


def _look(key: str) -> str:
    return f'redis-cli -u "$CACHE_ADMIN_URL" DUMP {key!r}'
