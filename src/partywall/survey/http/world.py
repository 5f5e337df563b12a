"""What each tenant has: made through the API itself, with canaries, found in lists where not."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.asking import asking
from partywall.survey.http.bodies import REFUSED as NO_BODY
from partywall.survey.http.bodies import VARIANTS, Body, Composer
from partywall.survey.http.complaints import REFUSED, unreadable
from partywall.survey.http.graph import Graph, Slot
from partywall.survey.http.learning import learn
from partywall.survey.http.nouns import PRINCIPALS
from partywall.survey.http.operations import SAFE, shape
from partywall.survey.http.recognising import found_before, identified
from partywall.survey.http.rendering import constant, references, render
from partywall.survey.http.resources import Exchange, Resource
from partywall.survey.http.values import Values
from partywall.survey.http.wire import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.doors import Doors
    from partywall.survey.http.graph import Kind
    from partywall.survey.http.hooks import Hooks
    from partywall.survey.http.journal import Journal
    from partywall.survey.http.ledger import Ledger
    from partywall.survey.http.operations import Api, Operation
    from partywall.survey.http.wire import Wire

TRIES = 7
MOST_ASKED = 16
SERVER_FAULT = 500
OFTEN = 3


@dataclass
class World:
    """All tenants' resources; whatever is asked of the API goes through here.

    Attributes:
        lacks: (owner, kind) -> why there is none.
        refused: (owner, operation) -> the owner's own attempt that failed last.
        made: what is to be removed in the end.
        orphans: requests that were under way when the run was stopped.
        history: id -> all that ever had it, the first first.
        controls: (owner, operation) -> the owner's own request that was accepted last.
        bases: (owner, kind) -> the base, as far as they were made.
        examples: (owner, kind) -> what its owner was shown of one.
        stayed: id -> what could not be removed, to be tried once more in the end.
        waited: how often what was made was there only a moment later, and at once.
        left_out: tells an operation that must not be asked at all.
    """

    api: Api
    graph: Graph
    ledger: Ledger
    wire: Wire
    doors: Doors
    hooks: Hooks
    journal: Journal
    actors: Mapping[str, Actor]
    composer: Composer
    left_out: Callable[[Operation], bool]
    lacks: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: dict[tuple[str, str], Exchange] = field(default_factory=dict)
    made: list[Resource] = field(default_factory=list)
    history: dict[str, list[Resource]] = field(default_factory=dict)
    orphans: list[Exchange] = field(default_factory=list)
    controls: dict[tuple[str, str], Exchange] = field(default_factory=dict)
    bases: dict[tuple[str, str], Resource | None] = field(default_factory=dict)
    examples: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    stayed: dict[str, Resource] = field(default_factory=dict)
    waited: Counter[bool] = field(default_factory=Counter)

    def _ids(self, owner: str) -> list[Any]:
        """The owner's ids, of what was made last first."""
        made = [one.id for one in reversed(self.made) if one.owner == owner]
        based = [one.id for (name, _), one in self.bases.items() if name == owner and one]
        return list(dict.fromkeys([*made, *based, *self.actors[owner].own.values()]))

    def _like(self, operation: Operation, owner: str) -> Any:  # noqa: ANN401 - any JSON
        """What the owner was shown of what an operation makes or changes."""
        kinds = [kind for kind in self.graph.kinds.values() if operation in kind.makers[:2]]
        path = [slot.kind for slot in self.graph.slots[operation.at] if slot.place == "path"]
        for name in [*(kind.name for kind in kinds), *path[-1:]]:
            for text in self.examples.get((owner, name), ()):
                return text
        return None

    @property
    def prompt(self) -> bool:
        """Whether what an operation does is there as soon as it answers, as far as was seen."""
        return not self.waited[True] and self.waited[False] >= OFTEN

    @property
    def tenants(self) -> dict[str, Actor]:
        """The actors that are tenants."""
        return {n: actor for n, actor in self.actors.items() if n not in {"nobody", "stranger"}}

    def __post_init__(self) -> None:
        """Begin with what the tenants declare as their own."""
        self._making: set[tuple[str, str]] = set()
        self.composer.ids = self._ids
        self.composer.shown = self._like
        self.fixed = {word for one in self.api.operations for word in one.words}
        for one in self.api.operations:
            paths = {slot.path for slot in self.graph.slots[one.at] if slot.place == "body"}
            self.composer.reserved[one.at] = paths
            if not any(one in kind.makers[:1] for kind in self.graph.kinds.values()):
                self.composer.changing.add(one.at)
        for name, actor in self.actors.items():
            for parameter, value in actor.own.items():
                kind = self.graph.own_kind(parameter)
                self.bases.setdefault((name, kind), Resource(kind, name, value, {kind: value}))

    async def ask(self, actor: Actor, request: Request, canaries: tuple[str, ...] = ()) -> Exchange:
        """Send one request, and remember what it told of others."""
        self.ledger.sends(actor.name, request.text)
        if request.method in SAFE:
            return Exchange(actor, request, await self.doors.send(actor, request), canaries)
        sent = asyncio.ensure_future(self.doors.send(actor, request))
        try:
            answer = await asyncio.shield(sent)
        except asyncio.CancelledError:  # what is under way may make something all the same
            self.orphans.append(Exchange(actor, request, await sent, canaries))
            raise
        return Exchange(actor, request, answer, canaries)

    async def perform(
        self, owner: str, operation: Operation, binding: Mapping[Slot, Any]
    ) -> Exchange:
        """The owner's own request, with a body corrected until the server takes it, or gives up."""
        actor = self.actors[owner]
        known = self.composer.variants.get(operation.at)
        done, body, asked = None, Body(), 0
        for variant in (known,) if known else VARIANTS:
            for _ in range(TRIES):
                body = self.composer.compose(operation, owner, references(binding), variant)
                if body.media == NO_BODY:
                    break
                request = render(self.api, operation, binding, body, self.ledger, owner)
                done = await self.ask(actor, request, body.canaries)
                asked += 1
                if done.answer.accepted:
                    self.composer.variants[operation.at] = variant
                    self.controls[owner, operation.at] = done
                    self.refused.pop((owner, operation.at), None)
                    return done
                wrong = done.answer.status in REFUSED or unreadable(done.answer)
                if not wrong or not await learn(self, owner, operation, done.answer):
                    break
            if body.media != NO_BODY and self._hopeless(operation, done):
                break
            if asked >= MOST_ASKED:
                break
        assert done is not None  # noqa: S101 - each loop runs at least once
        self.refused[owner, operation.at] = done
        return done

    def _hopeless(self, operation: Operation, done: Exchange | None) -> bool:
        """Whether another body would change nothing."""
        if done is None or done.answer.status not in REFUSED | {404, SERVER_FAULT}:
            return True
        if operation.payloads or operation.at in self.composer.assumed:
            return False
        if operation.safe or operation.method == "DELETE":
            return True
        self.composer.assumed.add(operation.at)  # nothing says so, but it may want a body
        return False

    async def base(self, owner: str, kind: str) -> Resource | None:
        """The one that everything else of *owner* stands below; the same each time."""
        key = owner, kind
        if key not in self.bases and key not in self._making:
            self._making.add(key)
            try:
                made = await self.fresh(owner, kind)
                self.bases[key] = made or await found_before(self, owner, kind)
            finally:
                self._making.discard(key)
        return self.bases.get(key)

    async def fresh(
        self, owner: str, kind: str, chain: Mapping[str, Any] | None = None
    ) -> Resource | None:
        """A new one; None where none can be made, `lacks` says why.

        Args:
            owner: whose it is to be.
            kind: what it is to be.
            chain: ids of what it is to stand below, where not the owner's bases.
        """
        known = self.graph.kinds.get(kind)
        for maker in known.makers if known else ():
            if self.left_out(maker):
                continue
            bound = await self._bound(owner, maker, kind, chain or {})
            if isinstance(bound, str):
                self.lacks[owner, kind] = bound
                continue
            done = await self.perform(owner, maker, bound)
            if not done.answer.accepted:
                self.lacks[owner, kind] = f"{maker.at} as {owner}: {done.answer.words}"
                continue
            above = {slot.kind: value for slot, value in bound.items() if slot.place == "path"}
            try:
                one = await identified(self, owner, known, done, above) if known else None
            except asyncio.CancelledError:
                self.orphans.append(done)
                raise
            if one is not None:
                self.made.append(one)
                self.journal.made(one)
                self.remembers(one)
                self.ledger.owns(owner, one.id)
                self.lacks.pop((owner, kind), None)
                return one
            self.lacks[owner, kind] = f"{maker.at} answered {done.answer.status} without an id"
        self.lacks.setdefault((owner, kind), "no operation makes one")
        actor = self.actors[owner]
        made = await self.hooks.create(kind, actor, asking(self.wire, actor))
        if made is None:
            return None
        self.ledger.owns(owner, made)
        return Resource(kind, owner, made, {**(chain or {}), kind: made})

    def remembers(self, one: Resource) -> None:
        """Note that it was made, also when it is gone."""
        self.history.setdefault(str(one.id), []).append(one)

    async def _bound(
        self, owner: str, maker: Operation, kind: str, chain: Mapping[str, Any]
    ) -> dict[Slot, Any] | str:
        """Ids for the slots of an operation that makes one of *kind*; else what is lacking."""
        bound: dict[Slot, Any] = {}
        for slot in self.graph.slots[maker.at]:
            if slot.kind == kind and slot.place == "path":
                parameter = maker.parameter("path", slot.name)
                values = Values(self.ledger, owner)  # PUT: the client chooses
                bound[slot] = constant(self.api, parameter, slot.name, values)
                continue
            if slot.place == "path" and slot.kind in chain:
                bound[slot] = chain[slot.kind]
                continue
            if not slot.required and slot.kind in {kind} | PRINCIPALS:
                continue
            used = slot.place == "body" and any(other.kind == slot.kind for other in bound)
            value = await self.value(owner, slot, another=used)
            if value is None and slot.required:
                return (
                    f"it needs a {slot.kind}: {self.lacks.get((owner, slot.kind), 'none is there')}"
                )
            if value is not None:
                bound[slot] = value
        return bound

    async def value(self, owner: str, slot: Slot, *, another: bool = False) -> Any:  # noqa: ANN401 - an id
        """The id of *owner*'s base for a slot; of *another* one than that if asked for."""
        own = self.actors[owner].own
        if slot.path[-1] in own and not another:
            return own[slot.path[-1]]
        one = await self.base(owner, slot.kind)
        if another and one is not None and one.ours:
            one = await self.fresh(owner, slot.kind, one.chain)
        if one is None:
            return None
        found = one.value(slot.path[-1] if slot.place != "body" else slot.kind)
        return slot.holding(found)

    async def read(self, one: Resource, kind: Kind) -> Exchange | None:
        """Its owner reads it; None where no operation shows one."""
        for reader in kind.readers:
            if self.left_out(reader):
                continue
            bound = await self.bound_by(one, reader)
            if bound is not None:
                request = render(self.api, reader, bound, Body(), self.ledger, one.owner)
                return await self.ask(self.actors[one.owner], request)
        return None

    async def listing(
        self, owner: str, lister: Operation, above: Mapping[str, Any]
    ) -> Answer | None:
        """What a list answers *owner*; None where it must not or can not be asked.

        Args:
            owner: who asks.
            lister: the operation.
            above: kind -> id of what it lists below, where not the owner's bases.
        """
        if self.left_out(lister):
            return None
        bound: dict[Slot, Any] = {}
        for slot in self.graph.slots[lister.at]:
            if slot.place != "path" and not slot.required:
                continue
            value = above.get(slot.kind)
            if value is None and (one := self.bases.get((owner, slot.kind))) is not None:
                value = one.value(slot.path[-1])
            if value is None:
                return None
            bound[slot] = value
        request = render(self.api, lister, bound, Body(), self.ledger, owner)
        return (await self.ask(self.actors[owner], request)).answer

    async def bound_by(self, one: Resource, operation: Operation) -> dict[Slot, Any] | None:
        """Ids for the path of *operation* so that it is about *one*; None where that can't be."""
        bound: dict[Slot, Any] = {}
        about = False
        for slot in reversed(self.graph.slots[operation.at]):
            if slot.place != "path" and not slot.required:
                continue
            if slot.kind == one.kind and not about and slot.place in {"path", "query", "body"}:
                value = one.value(slot.path[-1]) if slot.place != "body" else one.id
                bound[slot] = slot.holding(value)
                about = True
            elif slot.kind in one.chain:
                bound[slot] = one.chain[slot.kind]
            else:
                base = self.bases.get((one.owner, slot.kind))
                if base is None:
                    return None
                bound[slot] = base.value(slot.path[-1])
        return bound if about else None

    def holding(self, owner: str, kind: str, id_: object) -> Resource | None:
        """The resource of *owner* with that id."""
        one = self.bases.get((owner, kind))
        if one is not None and one.id == id_:
            return one
        return next((r for r in self.made if r.kind == kind and r.id == id_), None)

    def replaced(self, owner: str, kind: str, one: Resource | None) -> Resource | None:
        """Put another base in the place of one; the one that was there."""
        before = self.bases.get((owner, kind))
        self.bases[owner, kind] = one
        return before

    def based(self, owner: str, kind: str) -> Resource | None:
        """The base that is there already."""
        return self.bases.get((owner, kind))

    def linking(self, operation: Operation) -> Operation | None:
        """What puts there what *operation* takes away: POST or PUT at the same path, of two ids."""
        path = [s for s in self.graph.slots[operation.at] if s.place == "path"]
        if operation.method != "DELETE" or len(path) < 2:  # noqa: PLR2004 - of what, and which
            return None
        for one in self.api.operations:
            same = shape(one.path) == shape(operation.path)
            if one.method in {"POST", "PUT"} and same and not self.left_out(one):
                return one
        return None
