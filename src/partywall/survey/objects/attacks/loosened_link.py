"""PW906: a signed link is bent, and still answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach
from partywall.survey.recorded import Record
from partywall.survey.trying import Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.driven import Driven
    from partywall.survey.objects.links import Bent, Linked
    from partywall.survey.trying import Controlled, Judge, Outcome


@attack(
    "PW906",
    effect="read",
    fix="sign method, host, the whole path and the end of the link together, compare in constant "
    "time, and give links to the caller's own objects only",
)
def loosened_link(linked: Linked) -> Iterator[Attempt[Record]]:
    """Bend a link that the application gave out: another key, another end, another method.

    A link is all that its holder needs, so it has to say all of what is allowed: a signature that
    doesn't cover the key opens every object, one that doesn't cover the end never ends.

    Affected:
        Applications that give out links to files, signed by themselves or by an object store.

    Breaches:
        signed = expires
        acme has a link to its own file: 200
        the same signature with globex's key: 200, with globex's file

    Holds:
        signed = f"{method} {path} {expires}"
        acme has a link to its own file: 200
        the same signature with globex's key: 403

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    for bent in linked.bent:
        before, after = bent.owners or (linked.rightful, None)
        rightful = (_step(linked.owner, before),)
        steps = (*rightful, _step(bent.actor, bent.driven))
        yield Attempt(
            f"objects link of {linked.at}", bent.actor, linked.owner,
            steps if after is None else (*steps, _step(linked.owner, after)),
            _judge(linked, bent), rightful, _controlled(linked), way=bent.way, effect=bent.effect,
        )  # fmt: skip


def _step(who: str, driven: Driven) -> Step[Record]:
    return Step(who, Record(driven.request, driven.text))


def _controlled(linked: Linked) -> Controlled:
    def controlled(outcomes: Sequence[Outcome]) -> str:
        if linked.marks(outcomes[0].text):
            return ""
        return "the link as it was given shows nothing of its owner either"

    return controlled


def _judge(linked: Linked, bent: Bent) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        before, *_, after = (linked.marks(one.text) for one in outcomes)
        if bent.effect == "read" and after:
            return Breach(f"{linked.owner}'s file was answered to {bent.way}", "read")
        if bent.effect != "read" and before and not after:
            return Breach(
                f"{linked.owner}'s file was gone or changed after {bent.way}", bent.effect
            )
        return None

    return judge
