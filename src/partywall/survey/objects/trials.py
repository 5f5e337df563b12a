"""Attempts on an object: what came back, and what the administrator sees before and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.trying import ADMINISTRATOR, Attempt, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.attack import Effect, Judgement
    from partywall.survey.objects.store import Request, Scene, Thing
    from partywall.survey.trying import Judge, Outcome

GONE = re.compile(r"\((NoSuch\w+|404)\)")
"""How a store says that something isn't there; other errors say nothing of it."""


def attempts(
    scene: Scene,
    requests: Mapping[str, Request],
    *,
    own: Mapping[str, Request] | None = None,
    attacker: str = "",
    at: str = "objects keys",
    changing: bool = False,
) -> Iterator[Attempt[Request]]:
    """One for each of *requests*, by its words.

    Args:
        scene: who attacks whom.
        requests: about the victim's object.
        own: the same by the rightful tenant, where that is another request.
        attacker: who asks, where not the attacker of the scene.
        at: the surface.
        changing: they may change the object: it is looked at before and after, and made anew.
    """
    victim, who = scene.victim, attacker or scene.attacker.owner
    look = victim.looked() if changing else ()
    copied = Step(ADMINISTRATOR, scene.attacker.at("get_object", scene.attacker.copy), quiet=True)
    copies = Step(ADMINISTRATOR, scene.attacker.at("delete_object", scene.attacker.copy))
    for way, request in requests.items():
        yield Attempt(
            at=at,
            attacker=who,
            victim=victim.owner,
            before=victim.planted(),
            steps=(*look, Step(who, request), *look, copied),
            judge=_judge(victim, way, len(look), named="Key" in dict(request.arguments)),
            control=(Step(victim.owner, (own or requests)[way]),),
            after=(*victim.cleared(), copies),
            way=way,
        )


def _judge(victim: Thing, way: str, looks: int, *, named: bool) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        before, done = outcomes[:looks], outcomes[looks]
        after, copied = outcomes[looks + 1 : -1], outcomes[-1]
        if victim.canary in done.text or victim.canary in copied.text:
            return Breach(f"what {victim.owner} stored came back by {way}", "read")
        if changed := _changed(before, after):
            return Breach(f"{victim.owner}'s object was {changed[0]} by {way}", changed[1])
        if done.refused:
            return None
        if victim.key in done.text:
            return Breach(f"the name of {victim.owner}'s object came back by {way}", "detect")
        if done.ok and named and not looks:
            return Breach(f"the store answered {way} on {victim.owner}'s object", "detect")
        return Unclear(
            f"the store let it through ({done.told[:80]!r}), and nothing was seen of what it did"
        )

    return judge


def _changed(before: Sequence[Outcome], after: Sequence[Outcome]) -> tuple[str, Effect] | None:
    """What became of the object, or of the upload under its name."""
    for was, is_ in zip(before, after, strict=True):
        if was.ok and GONE.search(is_.error):
            return "removed", "destroy"
        if was.ok and is_.ok and was.text != is_.text:
            return "changed", "write"
    return None
