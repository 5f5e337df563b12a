"""Attack the mutations of a GraphQL schema: what the owner reads back is the proof."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from partywall.survey.http.attacks.graphql_mutation import graphql_mutation
from partywall.survey.http.gql.endpoint import accepted, said, told
from partywall.survey.http.gql.judging import breach, leaked
from partywall.survey.http.gql.looking import later, look, still
from partywall.survey.http.gql.schema import ANY
from partywall.survey.http.rendering import nobodys
from partywall.survey.http.retelling import retold
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.http.gql.documents import Ids
    from partywall.survey.http.gql.ground import Ground
    from partywall.survey.http.gql.schema import Call, Place
    from partywall.survey.http.recipe import Recipe
    from partywall.survey.http.resources import Exchange, Resource
    from partywall.survey.verdict import WitnessStep

MOST = 3
"""So many ids of a mutation are combined in every way."""


@dataclass
class Sides:
    """The ids for a mutation: the victim's, nobody's in their places, the attacker's own."""

    theirs: Ids
    none: Ids
    mine: Ids
    victims: list[Resource]

    @property
    def others(self) -> Ids:
        """The attacker's own, beside what is aimed at."""
        return {path: value for path, value in self.mine.items() if path not in self.theirs}


async def write(ground: Ground, attacker: str, victim: str) -> None:
    """All mutations that take ids, in one direction; those that remove come last."""
    for call in ground.schema.mutations:
        known = any(name == call.name for name, _ in ground.endpoint.proven)
        aimed = any(one.kind != ANY for one in call.places)
        if aimed and not known and not ground.left_out(call):
            await _write(ground, call, attacker, victim)


async def _write(ground: Ground, call: Call, attacker: str, victim: str) -> None:
    """One mutation in one direction, after its control."""
    engine, operation = ground.engine, ground.endpoint.operation
    visible = await _control(ground, call, attacker, victim)
    if visible is None:
        return
    for places, words in _aims(call):
        sides = await _sides(ground, call, attacker, victim, places)
        if isinstance(sides, str):
            engine.open(operation, attacker, victim, f"{call.name}: {sides}")
            continue
        nobodys_ = await _called(ground, call, attacker, sides.others | sides.none)
        if not call.removes and set(sides.theirs) <= set(sides.mine):
            await _called(ground, call, attacker, sides.mine)
        proof, done = await _proof(ground, call, attacker, victim, sides)
        if proof is not None:
            effect = proof[0]
            direction = attacker, victim
            breach(ground, direction, graphql_mutation, call.name, words, effect, proof[1:])
            return
        doubtful = accepted(done) and not accepted(nobodys_) and not visible
        because = _suspicion(ground, call, victim, words) if doubtful else ""
        engine.record(
            operation, attacker, victim, graphql_mutation, f"{call.name}: {words}",
            "undecided" if because else "held", because,
        )  # fmt: skip


def _aims(call: Call) -> Iterator[tuple[list[Place], str]]:
    """Which of its ids are the victim's, and in words; one after the other, then together."""
    places = [one for one in call.places if one.kind != ANY][:MOST]
    chosen = [
        [place for place, taken in zip(places, mask, strict=True) if taken]
        for mask in product((True, False), repeat=len(places))
    ]
    for one in sorted(filter(None, chosen), key=len):
        yield one, ", ".join(f"{place.name}: victim" for place in one)


async def _sides(
    ground: Ground, call: Call, attacker: str, victim: str, places: Sequence[Place]
) -> Sides | str:
    """Fresh things of the victim for *places*, and the attacker's own for what else is needed."""
    got = await ground.ids(victim, places, fresh=True)
    if isinstance(got, str):
        return got
    theirs, victims = got
    base = next((one for one in victims if one.made is None), None)
    if base is not None and call.removes:
        return f"no fresh {base.kind} can be made to be destroyed"
    rest = [one for one in call.required if one not in places]
    own = await ground.ids(attacker, [*rest, *places], fresh=call.removes)
    if isinstance(own, str) and rest:
        return own
    mine = {} if isinstance(own, str) else own[0]
    ledger = ground.engine.world.ledger
    none = {path: nobodys(value, ledger) for path, value in theirs.items()}
    return Sides(theirs, none, mine, victims)


async def _control(ground: Ground, call: Call, attacker: str, victim: str) -> bool | None:
    """The owner's own: whether its effect can be seen; None where it fails."""
    key = victim, call.name
    if key in ground.visible:
        return ground.visible[key]
    engine, operation = ground.engine, ground.endpoint.operation
    got = await ground.ids(victim, call.required or call.places[:1], fresh=True)
    if isinstance(got, str):
        engine.open(operation, attacker, victim, f"{call.name}: {got}")
        return None
    ids, things = got
    before = await still(ground, victim, things)
    done = await _called(ground, call, victim, ids, learn=True)
    if not accepted(done):
        engine.open(operation, attacker, victim, f"{call.name} as {victim}: {said(done)}")
        return None
    engine.controls["proved"] += 1
    after = await later(ground, victim, things, before)
    ground.visible[key] = bool(before.changed(after, ground.noise))
    return ground.visible[key]


async def _proof(
    ground: Ground, call: Call, attacker: str, victim: str, sides: Sides
) -> tuple[tuple[Effect, str, list[WitnessStep], Recipe | None] | None, Exchange]:
    """The attempt itself: effect, reason and witness of a breach, and what was answered."""
    engine = ground.engine
    before = await still(ground, victim, sides.victims)
    done = await _called(ground, call, attacker, sides.others | sides.theirs)
    after = await later(ground, victim, sides.victims, before, patient=accepted(done))
    if changed := before.changed(after, ground.noise):
        was, now = (view.seen[changed[0]].exchange for view in (before, after))
        because = (
            f"after a request of {attacker}, {victim} reads something else; the same for an id "
            "that nobody has changed nothing"
        )
        steps = [engine.step(one) for one in (was, done, now)]
        gone = call.removes or (told(was) is not None and told(now) is None)
        recipe = await retold(engine.world, [done], view=was)
        return ("destroy" if gone else "write", because, steps, recipe), done
    if found := leaked(ground, attacker, victim, done):
        because = f"{attacker} was shown {found[0]}, which only {victim} has"
        recipe = await retold(engine.world, [done], absent=found[0])
        return ("read", because, [engine.step(done, found[0])], recipe), done
    made = ground.identified(call, attacker, done) if accepted(done) else None
    for seen in (await look(ground, attacker, [made])).seen.values() if made else ():
        if found := leaked(ground, attacker, victim, seen.exchange):
            because = f"what {attacker} then reads of its own shows {found[0]} of {victim}"
            steps = [engine.step(done), engine.step(seen.exchange, found[0])]
            shown = [done, seen.exchange]
            recipe = await retold(engine.world, shown, absent=found[0])
            return ("read", because, steps, recipe), done
    return None, done


def _suspicion(ground: Ground, call: Call, victim: str, words: str) -> str:
    """Accepted for the victim's id and refused for nobody's, and nothing shows what it did."""
    because = (
        f"{call.name}: accepted for the id of {victim} and refused for one that nobody has, but "
        f"nothing that {victim} can read shows what it did, not even its own ({words})"
    )
    attack, at = graphql_mutation, ground.endpoint.operation.at
    ground.engine.undecided.append(Undecided(attack.code, attack.name, "write", at, because))
    return because


async def _called(
    ground: Ground, call: Call, actor: str, ids: Ids, *, learn: bool = False
) -> Exchange:
    """One mutation as *actor*; what it made is kept in mind, to be removed."""
    part, canaries = ground.part(call, actor, ids, full=True)
    done = await ground.asked(actor, [part], canaries, learn=learn)
    if call.removes and accepted(done):
        ground.forget(ids.values())
    made = ground.identified(call, actor, done) if call.makes() else None
    if made is not None and not ground.engine.world.ledger.owner_of(made.id):
        ground.made.append(made)
    return done
