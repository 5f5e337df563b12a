"""Both sides of an attack on one operation: the ids of each, and the requests made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.bodies import Body
from partywall.survey.http.clearing import removed
from partywall.survey.http.graph import REMOVING, Slot, last_word
from partywall.survey.http.nouns import singular
from partywall.survey.http.rendering import Raw, nobodys, render, written
from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.attempt import Attempt, Choice, Extra, Side
    from partywall.survey.http.drafting import Variant
    from partywall.survey.http.graph import Kind
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Resource
    from partywall.survey.http.world import World

CHANGING = frozenset({"PUT", "PATCH", "DELETE"})
MOST_KINDS = 3
RESTORING = frozenset({"restore", "undelete", "untrash", "recover", "unarchive", "undo"})


@dataclass
class Aim:
    """One operation, who attacks it, and whose things.

    Attributes:
        theirs, mine: slot -> the victim's id, the attacker's own.
        victims: what of the victim's the request is about, the innermost last.
        none: slot -> an id that nobody has.
        common: slots whose ids are nobody's own: all tenants list them.
        products: kind -> one of the victim's, of each kind that the operation makes.
        vacant: the owner's own answer is an empty list: what others are shown proves nothing.
    """

    world: World
    operation: Operation
    attacker: str
    victim: str
    theirs: dict[Slot, Any] = field(default_factory=dict)
    mine: dict[Slot, Any] = field(default_factory=dict)
    none: dict[Slot, Any] = field(default_factory=dict)
    victims: list[Resource] = field(default_factory=list)
    own: list[Resource] = field(default_factory=list)
    products: dict[str, Resource] = field(default_factory=dict)
    common: set[Slot] = field(default_factory=set)
    vacant: bool = False

    @property
    def named(self) -> str:
        """All ids of the victim that a request may hold, in whatever spelling."""
        return "\n".join(str(value) for value in self.theirs.values())

    def request(self, attempt: Attempt, side: Side = "victim") -> tuple[Request, Body] | None:
        """The attempt's request, its aim on *side*; None where a side has nothing to put there."""
        bound: dict[Slot, Any] = {}
        known = self.world.graph.slots[self.operation.at]
        for slot in (*known, *(one for one in attempt.choices if one not in known)):
            choice = attempt.choices.get(slot)
            if choice is None and not slot.required:
                continue
            value = self._value(slot, choice, side)
            if value is None:
                return None
            bound[slot] = value
        in_body = {slot.path: value for slot, value in bound.items() if slot.place == "body"}
        for extra in attempt.extras:
            if extra.place == "body":
                in_body[extra.name,] = self._extra(extra, side)
        variant: Variant | None = "least" if attempt.alone else None
        body = self.world.composer.compose(self.operation, self.attacker, in_body, variant)
        request = render(
            self.world.api, self.operation, bound, body, self.world.ledger, self.attacker
        )
        return self._bent(request, attempt, side), body

    def _value(self, slot: Slot, choice: Choice | None, side: Side) -> Any:  # noqa: ANN401 - an id
        if choice is None or choice.side == "own":
            if choice is not None and choice.literal is not None:
                return choice.literal or Raw("")
            return self.mine.get(slot)
        if choice.side == "nobody" or (side == "nobody" and slot not in self.common):
            value = self._nobodys(slot)
        else:
            value = None if slot in self.common else self._chosen(slot, side)
        if value is None or choice.side == "nobody":
            return value
        if choice.spelled is not None:
            spelled = choice.spelled(str(value), slot.kind)
            return Raw(spelled) if choice.raw and spelled is not None else spelled
        return [*several(self.mine.get(slot)), *several(value)] if choice.listed else value

    def _chosen(self, slot: Slot, side: Side) -> Any:  # noqa: ANN401 - an id
        if side == "own":
            return self.mine.get(slot)
        if slot not in self.theirs and slot.kind in self.products:
            return self.products[slot.kind].value(slot.path[-1])
        return self.theirs.get(slot)

    def _nobodys(self, slot: Slot) -> Any:  # noqa: ANN401 - an id
        like = self.theirs.get(slot, self.mine.get(slot))
        if like is None and slot.kind in self.products:
            like = self.products[slot.kind].value(slot.path[-1])
        if slot not in self.none and like is not None:
            self.none[slot] = nobodys(like, self.world.ledger)
        return self.none.get(slot)

    def _extra(self, extra: Extra, side: Side) -> Any:  # noqa: ANN401 - any JSON
        if side in extra.values:
            return extra.values[side]
        return nobodys(extra.values["victim"], self.world.ledger)

    def _bent(self, request: Request, attempt: Attempt, side: Side) -> Request:
        more: dict[str, list[tuple[str, str]]] = {"query": [], "header": [], "cookie": []}
        for extra in attempt.extras:
            if extra.place in more:
                more[extra.place].append((extra.name, written(self._extra(extra, side))))
        base = self.world.actors[self.victim].base if attempt.elsewhere and side == "victim" else ""
        return request.but(
            method=attempt.method or request.method,
            query=(*request.query, *more["query"]),
            headers=(*request.headers, *more["header"]),
            cookies=(*request.cookies, *more["cookie"]),
            base=base,
        )


def removes(operation: Operation) -> bool:
    """Whether it takes something away."""
    return operation.method == "DELETE" or last_word(operation) in REMOVING


async def aim(
    world: World, operation: Operation, attacker: str, victim: str, *, fresh: bool
) -> Aim | str:
    """Both sides' ids for *operation*; the words of what the victim lacks where there are none.

    With *fresh* the victim's innermost objects are new ones, which nobody has touched.
    """
    found = Aim(world, operation, attacker, victim)
    slots = world.graph.slots[operation.at]
    if lack := await _filled(found, slots, victim, found.theirs, found.victims, fresh=fresh):
        return lack
    if fresh:
        for kind in _about(world, operation):
            if one := await world.fresh(victim, kind.name):
                found.products[kind.name] = one
                found.victims.append(one)
    # The attacker's own child is made anew where it may be destroyed in the attempt.
    await _filled(found, slots, attacker, found.mine, found.own, fresh=fresh and changes(operation))
    return found


def _about(world: World, operation: Operation) -> list[Kind]:
    """What an operation makes, or has to do with where its path names none."""
    kinds = list(world.graph.kinds.values())
    made = [kind for kind in kinds if operation in kind.makers[:1]]
    if made or any(slot.place == "path" for slot in world.graph.slots[operation.at]):
        return made
    words = {singular(word) for word in operation.words}
    return [kind for kind in kinds if kind.name in words] or kinds[:MOST_KINDS]


async def _filled(
    found: Aim,
    slots: tuple[Slot, ...],
    owner: str,
    into: dict[Slot, Any],
    things: list[Resource],
    *,
    fresh: bool,
) -> str:
    """Fill the slots with ids of *owner*; say what is lacking for a required one."""
    world = found.world
    chain: dict[str, Any] = {}
    path = [slot for slot in slots if slot.place == "path"]
    for slot in (*reversed(path), *(one for one in slots if one.place != "path")):
        in_path = slot.place == "path"
        if in_path and slot.kind in chain:
            into[slot] = chain[slot.kind]
            if (above := world.holding(owner, slot.kind, chain[slot.kind])) is not None:
                things.insert(0, above)
            continue
        innermost = in_path and not chain
        one = await _one(found, owner, slot, chain, fresh=fresh, innermost=innermost)
        if isinstance(one, str):
            return one
        if one is None:
            continue
        if in_path:
            chain = {**one.chain, **chain}
            things.insert(0, one)
        else:
            things.append(one)
        if not one.ours:
            found.common.add(slot)
        own = world.actors[owner].own.get(slot.path[-1]) if not one.made else None
        value = own or (one.value(slot.path[-1]) if slot.place != "body" else one.id)
        into[slot] = slot.holding(value)
    return ""


async def _one(
    found: Aim, owner: str, slot: Slot, chain: Mapping[str, Any], *, fresh: bool, innermost: bool
) -> Resource | str | None:
    """Something of *owner*'s for a slot; what is lacking, in words, where it must not be spoilt."""
    world, operation = found.world, found.operation
    in_path = slot.place == "path"
    one = await world.fresh(owner, slot.kind, chain if in_path else None) if fresh else None
    if one is not None:
        return one
    one = await world.base(owner, slot.kind)
    if one is None:
        lack = world.lacks.get((owner, slot.kind), "none is there")
        return f"{owner} has no {slot.kind}: {lack}" if slot.required else None
    kept = operation.method in {"PUT", "PATCH"}
    named = removes(operation) and not in_path and one.made is None and _removed(found, slot)
    if fresh and (named or (innermost and targets(operation) and not kept)):
        return f"no fresh {slot.kind} can be made to be destroyed"
    return one


def _removed(found: Aim, slot: Slot) -> bool:
    """Whether what a slot outside of the path names is what is removed, and not only whose."""
    slots = found.world.graph.slots[found.operation.at]
    if any(one.place == "path" for one in slots) and targets(found.operation):
        return False
    listed = {singular(word) for word in found.operation.words}
    said = {one.kind for one in slots if one.kind in listed and one.place != "path"}
    return slot.kind in said if said else True


def several(value: Any) -> list[Any]:  # noqa: ANN401 - an id, or a list of ids
    """A list of ids, also of one or none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def targets(operation: Operation) -> bool:
    """Whether it is the innermost thing of its path that it changes, and not what stands below."""
    ends = operation.path.rstrip("/").endswith("}")
    return changes(operation) and (ends or last_word(operation) in REMOVING)


def changes(operation: Operation) -> bool:
    """Whether it changes or removes what its path names."""
    return operation.method in CHANGING or removes(operation)


async def carried(world: World, aimed: Aim, binding: Mapping[Slot, Any]) -> None:
    """Prepare what an operation needs: what it unlinks is linked first, by its owner.

    What it restores is removed first.
    """
    if last_word(aimed.operation) in RESTORING and aimed.victims:
        await removed(world, aimed.victims[-1])
    link = world.linking(aimed.operation)
    if link is None:
        return
    by_name = {slot.path: value for slot, value in binding.items() if slot.place == "path"}
    slots = world.graph.slots[link.at]
    bound = {slot: by_name[slot.path] for slot in slots if slot.path in by_name}
    await world.perform(aimed.victim, link, bound)
