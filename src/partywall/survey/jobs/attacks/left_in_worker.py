"""PW708: a worker still has of one tenant's job what it needs for another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach
from partywall.survey.recorded import Record
from partywall.survey.trying import Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.jobs.ran import Ran
    from partywall.survey.trying import Outcome


@attack(
    "PW708",
    effect="read",
    fix="give each job its tenant as an argument, enter it at the job's beginning and leave it in "
    "a `finally`; keep nothing of a job in globals, class attributes or a reused connection",
)
def left_in_worker(ran: Ran) -> Iterator[Attempt[Record]]:
    """Run jobs of two tenants in turn, some failing, and look for the one's in the other's result.

    A worker takes the next job where it finished, or broke off, the last. A tenant that is set for
    the process, a session that wasn't reset or a cache of arguments is then the wrong one's.

    Affected:
        Applications whose workers set the tenant globally, or on a connection that they keep.

    Breaches:
        current = current or tenant
        globex runs a job, and it fails
        acme runs a job: its result holds what is globex's

    Holds:
        current = tenant
        globex runs a job, and it fails
        acme runs a job: its result holds its own

    Source:
        https://cwe.mitre.org/data/definitions/488.html
    """
    if not ran.rounds:
        return
    wrong = next((one for one in ran.rounds if ran.victim.marks(one.told.text)), None)
    shown = wrong or ran.rounds[-1]
    name = ran.attacker.name

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        del outcomes
        if wrong is None:
            return None
        return Breach(f"the result of {name}'s job holds what is {ran.victim.name}'s")

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if ran.attacker.marks("\n".join(one.text for one in outcomes)):
            return ""
        return f"no result of {name}'s own jobs holds anything of its own"

    yield Attempt(
        f"jobs worker of {ran.at}", name, ran.victim.name,
        (Step(ran.victim.name, Record(shown.before.request, shown.before.text)),
         Step(name, Record(shown.told.request, shown.told.text))),
        judge, tuple(Step(name, Record(one.told.request, one.told.text)) for one in ran.rounds),
        controlled,
    )  # fmt: skip
