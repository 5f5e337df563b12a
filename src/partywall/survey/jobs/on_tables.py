"""Attempts on the tables of an engine: one for each table in which something of a job stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.attack import Breach
from partywall.survey.jobs.tables import Job, Sql
from partywall.survey.planted import Direction
from partywall.survey.trying import CLOSED, Attempt, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.trying import Outcome


TableScene: TypeAlias = Direction[Job]


def attempts(
    scene: TableScene, statement: Callable[[Job, str], str], reached: str, because: str
) -> Iterator[Attempt[Sql]]:
    """Run *statement* on each table of the victim's job, as the attacker.

    Args:
        scene: who attacks whom.
        statement: made from the job and the table.
        reached: what the answer begins with, or holds, where a row was reached.
        because: the finding's sentence.
    """
    victim = scene.victim

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        return Breach(because) if hit(outcomes[-1], reached) else None

    def controlled(outcomes: Sequence[Outcome]) -> str:
        last = outcomes[-1]
        if last.refused:
            return CLOSED
        if hit(last, reached):
            return ""
        return f"the rightful tenant did not reach its own job this way: {last.told}"

    for table in victim.forms:
        call = Sql((statement(victim, table),))
        yield Attempt(
            f"jobs {victim.login.schema}.{table}", scene.attacker.owner, victim.owner,
            (Step(scene.attacker.owner, call),), judge, (Step(victim.owner, call),), controlled,
        )  # fmt: skip


def hit(outcome: Outcome, reached: str) -> bool:
    """Whether a row was reached: one came back, or the tag counts one."""
    tag = outcome.text.rpartition("\n")[2]
    return outcome.ok and tag.startswith(reached) and not tag.endswith(" 0")
