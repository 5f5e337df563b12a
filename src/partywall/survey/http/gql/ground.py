"""What tenants have behind a GraphQL endpoint: made by mutations, else found in lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.gql.documents import Ids, Part, arguments, document
from partywall.survey.http.gql.endpoint import Endpoint, accepted, said, told
from partywall.survey.http.gql.schema import ANY, Call, Place, Schema
from partywall.survey.http.nouns import snake
from partywall.survey.http.operations import Operation
from partywall.survey.http.order import dangerous
from partywall.survey.http.recognising import NATURAL
from partywall.survey.http.resources import Resource, listed, outermost
from partywall.survey.http.values import Values
from partywall.survey.http.views import Noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.resources import Exchange

DEPTH = 2
MAKERS = 4


@dataclass
class Ground:
    """One endpoint, its schema, and all that was learned there.

    Attributes:
        depths: call -> how deep its answer may be shown.
        shows: kind -> calls that showed one to its owner, as parts that want its id.
        lists: owner -> calls without ids that showed it something of its own.
    """

    engine: Engine
    endpoint: Endpoint
    schema: Schema
    depths: dict[str, int] = field(default_factory=dict)
    lacks: dict[tuple[str, str], str] = field(default_factory=dict)
    made: list[Resource] = field(default_factory=list)
    shows: dict[str, dict[str, tuple[Call, str]]] = field(default_factory=dict)
    lists: dict[str, dict[str, Call]] = field(default_factory=dict)
    visible: dict[tuple[str, str], bool] = field(default_factory=dict)
    noise: Noise = field(default_factory=Noise)
    _bases: dict[tuple[str, str], Resource | None] = field(default_factory=dict)

    def left_out(self, call: Call) -> bool:
        """Whether it must not be asked: by its name, or since it changes something."""
        if call.root == "query":
            return False
        named = Operation("POST", f"/{snake(call.name)}/{'/'.join(call.words)}")
        return self.engine.settings.read_only or (not call.places and dangerous(named))

    async def asked(
        self,
        actor: str,
        parts: Sequence[Part],
        canaries: tuple[str, ...] = (),
        *,
        learn: bool = False,
    ) -> Exchange:
        """Send calls in one document; to *learn*, ever less deep until something is answered."""
        name = parts[0].name
        depth = self.depths.get(name, DEPTH)
        while True:
            text, variables = document(self.schema, parts, depth)
            done = await self.endpoint.ask(actor, text, variables, canaries)
            answered = told(done, *parts[0].way) is not None
            if answered and learn:
                self.depths[name] = depth
            if answered or not learn or depth == 0:
                return done
            depth -= 1

    def part(
        self,
        call: Call,
        owner: str,
        ids: Ids,
        *,
        full: bool = False,
        kind: str = "",
        alias: str = "it",
    ) -> tuple[Part, tuple[str, ...]]:
        """A call as *owner* would make it, with these ids, and the canaries in it."""
        values = Values(self.engine.world.ledger, owner)
        filled = arguments(call, values, ids, full=full)
        return Part(call, filled, kind=kind, alias=alias), tuple(values.planted)

    async def ids(
        self, owner: str, places: Iterable[Place], kind: str = "", *, fresh: bool = False
    ) -> tuple[Ids, list[Resource]] | str:
        """Ids of *owner*'s for places, and what they are the ids of; else what is lacking."""
        found: Ids = {}
        things = []
        for place in places:
            wanted = kind if place.kind == ANY else place.kind
            one = await self.fresh(owner, wanted) if fresh else None
            one = one or await self.base(owner, wanted)
            if one is None:
                because = self.lacks.get((owner, wanted), "none is there")
                return f"{owner} has no {wanted}: {because}"
            things.append(one)
            found[place.path] = [one.id] if place.listed else one.id
        return found, things

    async def base(self, owner: str, kind: str) -> Resource | None:
        """The one that is read, and that others refer to; the same each time."""
        key = owner, kind
        if key not in self._bases:
            self._bases[key] = None  # what it needs may need it
            self._bases[key] = (
                await self.fresh(owner, kind)
                or self.engine.world.based(owner, snake(kind))
                or await self._found(owner, kind)
            )
        return self._bases[key]

    async def fresh(self, owner: str, kind: str) -> Resource | None:
        """A new one; None where none can be made, `lacks` says why."""
        world = self.engine.world
        for maker in self.schema.makers(kind)[:MAKERS]:
            if self.left_out(maker):
                continue
            bound = await self.ids(owner, maker.required)
            if isinstance(bound, str):
                self.lacks[owner, kind] = bound
                continue
            for full in (True, False):
                part, canaries = self.part(maker, owner, bound[0], full=full)
                done = await self.asked(owner, [part], canaries, learn=True)
                if one := self.identified(maker, owner, done):
                    self.made.append(one)
                    world.remembers(one)
                    world.ledger.owns(owner, one.id)
                    return one
                self.lacks[owner, kind] = f"{maker.name} as {owner}: {said(done)}"
        self.lacks.setdefault((owner, kind), "no mutation makes one")
        return None

    def identified(self, maker: Call, owner: str, done: Exchange) -> Resource | None:
        """What a mutation made, as its answer has it."""
        found = told(done)
        if maker.inside and isinstance(found, dict):
            found = found.get(maker.inside)
        if isinstance(found, list):
            found = found[0] if found else None
        fields = outermost(found) if isinstance(found, dict) else {}
        id_ = found
        if isinstance(found, dict):
            id_ = found.get(self.schema.id_of(self.schema.kinds[maker.gives]))
        if not isinstance(id_, str | int) or isinstance(id_, bool):
            return None
        chain = {maker.gives: id_}
        return Resource(maker.gives, owner, id_, chain, fields, done.canaries, done)

    async def _found(self, owner: str, kind: str) -> Resource | None:
        """One that was there before: in the owner's list, and in nobody else's."""
        world = self.engine.world
        name = self.schema.id_of(self.schema.kinds[kind]) if kind in self.schema.kinds else ""
        for call in self.schema.queries:
            if call.gives != kind or call.required or self.left_out(call):
                continue
            part, _ = self.part(call, owner, {})
            answer = (await self.asked(owner, [part], learn=True)).answer
            others = [
                (await self.asked(other, [part])).answer.text
                for other in world.tenants
                if other != owner
            ]
            for each in listed(answer.json):
                id_ = each.get(name)
                if id_ is None or any(str(id_) in text for text in others):
                    continue
                world.ledger.owns(owner, id_)
                for text in outermost(each).values():
                    known = isinstance(text, str) and len(text) >= NATURAL
                    if known and not any(text in one for one in others):
                        world.ledger.owns(owner, text)
                return Resource(kind, owner, id_, {kind: id_}, outermost(each))
        return None

    def forget(self, ids: Iterable[Any]) -> None:
        """What has these ids was removed."""
        gone = {one for value in ids for one in (value if isinstance(value, list) else [value])}
        self.made = [one for one in self.made if one.id not in gone]

    async def cleared(self) -> None:
        """Let owners remove what they made, the last first; say what stays."""
        stays = [one for one in reversed(self.made) if not await self._removed(one)]
        self.made.clear()
        if stays:
            told = ", ".join(f"{one.kind} {one.id} of {one.owner}" for one in stays)
            self.engine.left.append(f"what could not be removed: {told}")

    async def _removed(self, one: Resource) -> bool:
        """Whether it is gone: by a mutation, or with what it belonged to."""
        for remover in self.schema.removers(one.kind):
            if not self.left_out(remover):
                done = await self._about(remover, one)
                if accepted(done):
                    return True
        for call, _ in self.shows.get(one.kind, {}).values():
            return told(await self._about(call, one)) is None
        return False

    async def _about(self, call: Call, one: Resource) -> Exchange:
        """A call as the owner of *one*, with its id."""
        place = call.required[0]
        ids = {place.path: [one.id] if place.listed else one.id}
        kind = one.kind if place.kind == ANY else ""
        return await self.asked(one.owner, [self.part(call, one.owner, ids, kind=kind)[0]])
