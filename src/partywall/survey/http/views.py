"""What an owner reads back: all that the API shows of a thing, before and after."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.bodies import Body
from partywall.survey.http.events import streams
from partywall.survey.http.paging import paged
from partywall.survey.http.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange, Resource
    from partywall.survey.http.wire import Request
    from partywall.survey.http.world import World

MOST = 12
ABOUT = 4
"""So many requests make up a view, so many about one thing; and so many lists."""
NEAREST = 2
FAR = 1000
REFUSED = 400
PATIENCE = 3
"""So often an operation may refuse its owner before it isn't looked at any more."""
SETTLING_S = (0.0, 0.1, 0.3)
"""What was just made may come late: only what goes on changing is noise."""


@dataclass(frozen=True)
class Seen:
    """One answer, in a form that two can be compared in: leaves by path, lists without order."""

    operation: Operation
    exchange: Exchange
    leaves: Counter[tuple[str, str]]
    about: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return self.exchange.answer.all


@dataclass
class View:
    """All that was read, by what was asked."""

    seen: dict[str, Seen] = field(default_factory=dict)

    def changed(self, later: View, noise: Noise) -> list[str]:
        """What in *later* differs from this, noise aside."""
        return [
            key
            for key, one in self.seen.items()
            if key in later.seen and noise.differ(one, later.seen[key])
        ]


@dataclass
class Noise:
    """What changes by itself: whole answers of an operation, or single fields of them.

    Attributes:
        known: operations that were looked at twice.
    """

    whole: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def learn(self, one: View, other: View) -> None:
        """Everything that differs between two views in whose time nothing was done."""
        for key, seen in one.seen.items():
            again = other.seen.get(key)
            at = seen.operation.at
            self.known.add(at)
            if again is None or again.leaves == seen.leaves:
                continue
            gone, come = seen.leaves - again.leaves, again.leaves - seen.leaves
            if Counter(p for p, _ in gone.elements()) == Counter(p for p, _ in come.elements()):
                self.fields |= {(at, path) for path, _ in gone}
            else:
                self.whole.add(at)

    def differ(self, one: Seen, other: Seen) -> bool:
        """Whether two answers differ in what is no noise."""
        at = one.operation.at
        if at in self.whole or one.leaves == other.leaves:
            return False
        differing = {p for p, _ in ((one.leaves - other.leaves) + (other.leaves - one.leaves))}
        return any((at, path) not in self.fields for path in differing)


def leaves(value: Any, path: str = "") -> Counter[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Each scalar of a JSON value with its path, the places in lists left out."""
    found: Counter[tuple[str, str]] = Counter()
    if isinstance(value, dict):
        if not value:
            found[path, "{}"] += 1
        for key, inner in value.items():
            found += leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        if not value:
            found[path, "[]"] += 1
        for inner in value:
            found += leaves(inner, f"{path}/*")
    else:
        found[path, repr(value)] += 1
    return found


def compared(exchange: Exchange) -> Counter[tuple[str, str]]:
    """An answer as leaves; of what is no JSON, the text."""
    answer = exchange.answer
    found: Counter[tuple[str, str]] = Counter({("status", str(answer.status)): 1})
    if answer.json is not None:
        return found + leaves(answer.json)
    found["text", answer.text] += 1
    return found


class Views:
    """Looks at what owners have.

    Attributes:
        carrying: owner -> operations without a slot of their own whose answer holds its canaries.
        answering: the same, whose answer holds none.
        noise: what is known to change by itself.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.carrying: dict[str, dict[str, Operation]] = {}
        self.answering: dict[str, dict[str, Operation]] = {}
        self.noise = Noise()
        self._blind: Counter[str] = Counter()

    def requests(
        self, asked: Operation, owner: str, things: Iterable[Resource]
    ) -> dict[str, tuple[Operation, Request, str]]:
        """Everything that shows one of *things* to its owner, and the lists nearest to *asked*."""
        world = self._world
        found: dict[str, tuple[Operation, Request, str]] = {}
        kinds = set()
        for thing in things:
            kinds.add(thing.kind)
            own = self._world.graph.kinds[thing.kind].readers
            about = sorted(
                self._about(thing),
                key=lambda each: (each[0] not in own, -self._near(each[0], asked, set())),
            )
            for operation, bound in about[:ABOUT]:
                request = render(world.api, operation, bound, Body(), world.ledger, owner)
                page = paged(operation, world.api.document)
                request = request.but(query=(*request.query, *page))
                found.setdefault(request.target, (operation, request, thing.kind))
        near: list[Operation] = []
        rooted = len(self._root(asked))
        for lists in (self.carrying.get(owner, {}), self.answering.get(owner, {})):
            ranked = sorted(lists.values(), key=lambda one: -self._near(one, asked, kinds))
            if lists is self.answering.get(owner):
                ranked = [one for one in ranked if self._near(one, asked, kinds) >= max(rooted, 1)]
            near += [one for one in ranked if one not in near][:NEAREST]
        for operation in near:
            bound = {}
            for slot in world.graph.slots[operation.at]:
                base = world.based(owner, slot.kind)
                if slot.required and base is not None:
                    bound[slot] = base.value(slot.path[-1])
            request = render(world.api, operation, bound, Body(), world.ledger, owner)
            found.setdefault(request.target, (operation, request, ""))
        return dict([*list(found.items())[:MOST], *list(found.items())[-2 * NEAREST :]])

    def _root(self, asked: Operation) -> list[str]:
        """The segments of a path up to its first id; more than there can be where it has none."""
        parts = [part for part in asked.path.split("/") if part]
        first = next((i for i, part in enumerate(parts) if part.startswith("{")), None)
        return parts * FAR if first is None else parts[: first + 1]

    def _near(self, one: Operation, asked: Operation, kinds: set[str]) -> int:
        """How much a list has to do with an operation: it lists its kinds, its path is alike."""
        known = self._world.graph.kinds
        lists = any(one in known[kind].listers for kind in kinds if kind in known)
        same = 0
        paths = one.path.strip("/").split("/"), asked.path.strip("/").split("/")
        for mine, other in zip(*paths, strict=False):
            if mine != other:
                break
            same += 1
        return 100 * lists + same

    async def still(self, owner: str, asked: dict[str, tuple[Operation, Request, str]]) -> View:
        """Look; the first time at an operation twice, to know what changes by itself."""
        one = await self.look(owner, asked)
        for key, seen in list(one.seen.items()):
            at = seen.operation.at
            if seen.exchange.answer.status >= REFUSED:  # what its owner isn't shown shows nothing
                self._blind[at] += 1
                del one.seen[key], asked[key]
            else:
                self._blind[at] = -FAR
        if all(seen.operation.at in self.noise.known for seen in one.seen.values()):
            return one
        other = one
        for wait_s in SETTLING_S:
            await asyncio.sleep(wait_s)
            one, other = other, await self.look(owner, asked)
            if not one.changed(other, self.noise):
                break
        self.noise.learn(one, other)
        return other

    def _about(self, thing: Resource) -> list[tuple[Operation, dict[Any, Any]]]:
        world = self._world
        found = []
        for operation in world.api.operations:
            if operation.method != "GET" or world.left_out(operation):
                continue
            if streams(world.wire, operation) or self._blind[operation.at] >= PATIENCE:
                continue
            named = [s for s in world.graph.slots[operation.at] if s.place in {"path", "query"}]
            if not any(slot.kind == thing.kind for slot in named):
                continue
            bound = self._bound(thing, operation)
            if bound is not None:
                found.append((operation, bound))
        return found

    def _bound(self, thing: Resource, operation: Operation) -> dict[Any, Any] | None:
        """Ids for a request about *thing*; None where one that it doesn't have is needed."""
        bound: dict[Any, Any] = {}
        for slot in self._world.graph.slots[operation.at]:
            named = slot.place == "query" and slot.kind == thing.kind
            if not slot.required and not named:
                continue
            if slot.kind == thing.kind:
                bound[slot] = slot.holding(thing.value(slot.path[-1]))
            elif slot.kind in thing.chain:
                bound[slot] = thing.chain[slot.kind]
            elif base := self._world.based(thing.owner, slot.kind):
                bound[slot] = base.value(slot.path[-1])
            else:
                return None
        return bound

    async def look(self, owner: str, asked: dict[str, tuple[Operation, Request, str]]) -> View:
        """Ask all of them as *owner*, at once."""
        actor = self._world.actors[owner]
        done = await asyncio.gather(
            *(self._world.ask(actor, request) for _, request, _ in asked.values())
        )
        return View(
            {
                key: Seen(operation, exchange, compared(exchange), kind)
                for (key, (operation, _, kind)), exchange in zip(asked.items(), done, strict=True)
            }
        )
