"""Channels: what stays open and tells by itself, and whose ids it is opened with."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from partywall.survey.http import messages, rooms, sockets
from partywall.survey.http.attacks.foreign_channel import foreign_channel
from partywall.survey.http.attacks.foreign_events import foreign_events
from partywall.survey.http.attacks.foreign_room import foreign_room
from partywall.survey.http.bodies import Body
from partywall.survey.http.events import EventEar, sending
from partywall.survey.http.nouns import noun, snake
from partywall.survey.http.rendering import render
from partywall.survey.http.resources import Resource
from partywall.survey.http.rooms import RoomEar
from partywall.survey.http.sockets import SocketEar
from partywall.survey.http.wire import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.aim import Aim
    from partywall.survey.http.attempt import Attack
    from partywall.survey.http.ears import Ear
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.graph import Slot
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.world import World

MOST = 3
"""So many ids of a channel are combined in every way; of more, the last ones."""
OWN_CHANNEL = "its own channel"


@dataclass
class Channel:
    """One channel, and what its owners were found to hear on it.

    Attributes:
        said: messages that may be sent on it, `{canary}` for what they say.
    """

    operation: Operation
    attack: Attack
    kind: type[Ear]
    said: tuple[str, ...] = ()
    controls: dict[str, Any] = field(default_factory=dict)

    def ear(self, world: World, actor: Actor, bound: Mapping[Slot, Any]) -> Ear:
        """Somebody who is to listen, with these ids."""
        request = render(world.api, self.operation, bound, Body(), world.ledger, actor.name)
        shown = messages.token(actor)
        query = tuple((n, shown if messages.shows(n) else value) for n, value in request.query)
        path, _, _ = request.path.partition("#")  # an event of socket.io, which is no place
        request = request.but(path=path, query=query)
        if self.kind is EventEar:
            request = request.but(headers=(*request.headers, ("Accept", EVENTS)))
        values = {slot.path[-1]: value for slot, value in bound.items()} | {messages.TOKEN: shown}
        texts = [messages.filled(one, values) for one in messages.opening(self.operation)]
        return self.kind(world.wire, actor, request, texts)

    def message(self, text: str, bound: Mapping[Slot, Any], canary: str) -> str:
        """A message to be sent on it that says *canary*."""
        values = {slot.path[-1]: value for slot, value in bound.items()}
        return messages.filled(text, {**values, "canary": canary})


async def channels(engine: Engine) -> list[Channel]:
    """Everything that is known to stay open."""
    world = engine.world
    found = [
        Channel(one, foreign_channel, SocketEar, (*messages.spoken(one), *sockets.GUESSES))
        for one in world.api.sockets
        if "/socket.io" not in one.path
    ]
    found += [Channel(one, foreign_events, EventEar) for one in sending(world.api, world.wire)]
    events = engine.settings.socketio_events
    if events or rooms.named(world.api) or await rooms.answers(world):
        found += [
            Channel(one, foreign_room, RoomEar, tuple(rooms.guesses(one)))
            for one in rooms.channels(events)
        ]
    for one in found:
        at = one.operation.at
        if at not in world.graph.slots:
            world.graph.slots[at] = messages.slots(world.graph, one.operation)
    return found


def bent(aimed: Aim) -> Iterator[tuple[str, dict[Slot, Any]]]:
    """Each way to open a channel as the attacker: whose ids, in words, and the ids."""
    slots = aimed.world.graph.slots[aimed.operation.at]
    required = [slot for slot in slots if slot.required]
    if all(slot in aimed.mine for slot in required):
        yield OWN_CHANNEL, {slot: aimed.mine[slot] for slot in required}
    free = [slot for slot in slots if slot in aimed.theirs][-MOST:]
    fixed = [slot for slot in required if slot not in free]
    for sides in product(("own", "victim"), repeat=len(free)):
        chosen = dict(zip(free, sides, strict=True))
        bound = {
            slot: (aimed.theirs if chosen.get(slot) == "victim" else aimed.mine).get(slot)
            for slot in (*fixed, *free)
            if slot.required or chosen.get(slot) == "victim"
        }
        if "victim" in sides and all(value is not None for value in bound.values()):
            yield ", ".join(f"{slot.name}: {chosen.get(slot, 'own')}" for slot in bound), bound


async def furnished(engine: Engine, channel: Channel) -> None:
    """Give each tenant an id for what only the channel names: one learned, or of its own choice."""
    world = engine.world
    for slot in world.graph.slots[channel.operation.at]:
        known = world.graph.kinds.get(slot.kind)
        for owner in world.tenants:
            if await world.base(owner, slot.kind) is not None or (known and known.makers):
                continue
            told = [
                one.values[owner]
                for one in engine.identities
                if slot.kind in {noun(one.name), snake(one.name)} and owner in one.values
            ]
            if told or slot.required:
                value = told[0] if told else world.ledger.canary(owner)
                chain = {slot.kind: value}
                world.bases[owner, slot.kind] = Resource(slot.kind, owner, value, chain)
