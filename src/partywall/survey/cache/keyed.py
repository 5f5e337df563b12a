"""Attempts by commands that take names of keys: the victim's key in one place, own ones elsewhere.

What is achieved is seen and not assumed: the victim's canary in the answer, or in a key of the
attacker's; the victim's keys before and after; an answer that is another where there is no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.calls import Call, look, plant, uproot
from partywall.survey.cache.filling import filled, places, required
from partywall.survey.trying import ADMINISTRATOR, CLOSED, Attempt, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Filling, Keys, Scene
    from partywall.survey.trying import Outcome

READ = "return redis.call('GET', KEYS[1])"
GONE = '["none",false,""]'


def attempts(scene: Scene, chosen: Callable[[Filling, int], bool]) -> Iterator[Attempt[Call]]:
    """An attempt for each command and each place of a key in it that *chosen* picks."""
    for filling in scene.fillings:
        for place in range(len(places(filling.command))):
            if chosen(filling, place):
                yield _attempt(scene, filling, place)


def flags(filling: Filling, place: int) -> frozenset[str]:
    """What the server says of the key in that place."""
    spec = places(filling.command)[place].spec or 0
    specs = filling.command.specs
    return specs[spec] if spec < len(specs) else frozenset()


def several(filling: Filling) -> bool:
    """Whether it takes keys in more than one place."""
    return len(places(filling.command)) > 1


def words(
    scene: Scene, filling: Filling, place: int, aimed: Keys, own: Keys, *, absent: bool = False
) -> tuple[str, ...]:
    """The command with a key of *aimed* in that place, and of *own* in all others."""
    needed = required(filling.command)

    def key(number: int) -> str | None:
        kind = "string" if places(filling.command)[number].type == "pattern" else filling.kind
        if number == place:
            return aimed.absent if absent else aimed.of[kind]
        return own.of[kind] if needed[number] else None

    given = dict(scene.given)
    if place and own is not aimed:  # the first place is the source, which is the attacker's own
        given |= {"member": own.canary, "element": own.canary}
    return filled(filling.command, key, given)


def _attempt(scene: Scene, filling: Filling, place: int) -> Attempt[Call]:
    attacker, victim = scene.attacker, scene.victim
    who, owner = attacker.owner, victim.owner
    there = Call(words(scene, filling, place, victim, attacker))
    nowhere = Call(words(scene, filling, place, victim, attacker, absent=True))
    others = several(filling)
    mode = f"{filling.command.name} ({places(filling.command)[place].name})" if others else ""
    return Attempt(
        at=f"cache {filling.command.group or 'other'} keys",
        attacker=who,
        victim=owner,
        before=(
            Step(ADMINISTRATOR, plant(victim)),
            Step(ADMINISTRATOR, plant(attacker)),
        ),
        steps=(
            Step(who, nowhere, quiet=True),
            Step(ADMINISTRATOR, plant(victim), quiet=True),
            Step(ADMINISTRATOR, plant(attacker), quiet=True),
            Step(ADMINISTRATOR, look(victim), quiet=True),
            Step(who, there),
            Step(ADMINISTRATOR, look(victim), quiet=True),
            Step(ADMINISTRATOR, look(attacker), quiet=True),
        ),
        judge=_judge(filling.command.name, who, victim),
        control=(Step(owner, Call(words(scene, filling, place, victim, victim))),),
        controlled=_permitted,
        after=(Step(ADMINISTRATOR, uproot(victim, attacker)),),
        way=mode or filling.command.name,
    )


def _judge(command: str, attacker: str, victim: Keys) -> Callable[[Sequence[Outcome]], Judgement]:
    owner = victim.owner

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        nowhere, _, _, before, there, after, own = outcomes
        name = f"by {command} on a key of {owner}"
        if victim.canary in there.told or victim.number in there.told:
            return Breach(f"what {owner} keeps came back {name}", "read")
        if victim.canary in own.text or victim.number in own.text:
            return Breach(f"what {owner} keeps went into a key of the attacker's {name}", "read")
        if before.ok and after.ok and before.text != after.text:
            lost = after.text.count(GONE) > before.text.count(GONE)
            return Breach(
                f"{owner}'s keys were {'removed' if lost else 'changed'} {name}",
                "destroy" if lost else "write",
            )
        if there.refused:
            return None
        answered = not (there.lost or nowhere.lost or nowhere.refused)
        if answered and there.told != nowhere.told:
            return Breach(
                f"the answer {name} is another than where there is no key: it tells what is there",
                "detect",
            )
        return Unclear(
            f"the server lets {attacker} use it on {owner}'s keys (it answered "
            f"{there.told[:80]!r}), and nothing was seen of what that brings: take it from the "
            "login, or judge it yourself"
        )

    return judge


def _permitted(outcomes: Sequence[Outcome]) -> str:
    """The owner gets past the server's check, which is what stopped the attacker.

    Whether the command then succeeds depends on settings (OBJECT FREQ, on the policy of eviction).
    """
    return CLOSED if outcomes[-1].refused else ""
