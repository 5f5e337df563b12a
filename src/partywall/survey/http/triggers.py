"""What an owner does so that its channel has something to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.survey.http.clearing import made_by
from partywall.survey.http.nouns import PRINCIPALS, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange, Resource
    from partywall.survey.http.world import World

CHANGES = frozenset({"POST", "PUT", "PATCH"})
MOST = 8
"""So many ways to change something are tried for one channel."""


@dataclass(frozen=True)
class Trigger:
    """One way: something of a kind is made, or an operation is performed.

    Attributes:
        about: what it belongs to; None where a kind stands by itself.
    """

    kind: str = ""
    operation: Operation | None = None
    about: Resource | None = None

    async def pulled(self, world: World, owner: str) -> Exchange | None:
        """The owner's request that was accepted; None where it was not."""
        if self.operation is None:
            chain = self.about.chain if self.about else None
            made = await world.fresh(owner, self.kind, chain)
            return made.made if made else None
        assert self.about is not None  # noqa: S101 - an operation is performed on something
        bound = await world.bound_by(self.about, self.operation)
        if bound is None:
            return None
        done = await world.perform(owner, self.operation, bound)
        if not done.answer.ok:
            return None
        if self.operation.method != "PATCH":
            made_by(world, self.operation, owner, done, bound)
        return done


def triggers(
    world: World, channel: Operation, owner: str, things: Sequence[Resource]
) -> list[Trigger]:
    """The ways, those nearest to the channel first."""
    known = [one for one in things if one.kind in world.graph.kinds]
    found = list(_about(world, known) if known else ())
    found += [one for one in _all(world, owner) if one not in found]
    words = {snake(word) for word in channel.words}
    kinds = {one.kind for one in known}

    def far(one: Trigger) -> tuple[bool, bool]:
        said = {one.kind, *(one.operation.words if one.operation else ())}
        related = one.about is not None and one.about.kind in kinds
        return not related, not words & {snake(word) for word in said}

    return sorted(found, key=far)[:MOST]


def _about(world: World, things: Sequence[Resource]) -> Iterator[Trigger]:
    """What stands below one of *things*, and what changes it."""
    for thing in reversed(things):
        performed = []
        for operation in world.api.operations:
            slots = [s for s in world.graph.slots[operation.at] if s.place == "path"]
            inner = bool(slots) and slots[-1].kind == thing.kind
            if inner and operation.method in CHANGES and _takes(world, operation):
                performed.append(operation)
                yield Trigger(operation=operation, about=thing)
        for kind in world.graph.kinds.values():
            for maker in kind.makers[:1]:
                below = any(slot.kind == thing.kind for slot in world.graph.slots[maker.at])
                if below and maker not in performed and not world.left_out(maker):
                    yield Trigger(kind.name, about=thing)


def _all(world: World, owner: str) -> Iterator[Trigger]:
    """What can be made at all, and what can be changed in what is there."""
    for kind in world.graph.kinds.values():
        if any(not world.left_out(one) for one in kind.makers):
            yield Trigger(kind.name)
    for operation in world.api.operations:
        slots: list[Any] = [s for s in world.graph.slots[operation.at] if s.place == "path"]
        base = world.based(owner, slots[-1].kind) if slots else None
        changes = operation.method in {"PUT", "PATCH"} and _takes(world, operation)
        if changes and base is not None and snake(base.kind) not in PRINCIPALS:
            yield Trigger(operation=operation, about=base)


def _takes(world: World, operation: Operation) -> bool:
    return bool(operation.payloads) and not world.left_out(operation)
