"""The ways to ask a GraphQL query for what is another's."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import get_named_type

from partywall.survey.http.gql.documents import Ids, Part, document
from partywall.survey.http.nouns import snake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from partywall.survey.http.gql.ground import Ground
    from partywall.survey.http.gql.schema import Call
    from partywall.survey.http.resources import Exchange

Attempted: TypeAlias = "AsyncIterator[tuple[str, Exchange]]"

SEARCHED = frozenset(
    {"search", "q", "query", "term", "text", "filter", "name", "title", "contains"}
)
SPELLINGS = ("", "global", "bare")


@dataclass(frozen=True)
class Way:
    """A query as it is attacked: the call, what it is reached through, and for which kind."""

    call: Call
    through: Call | None = None
    kind: str = ""

    @property
    def name(self) -> str:
        """How reports call it."""
        before = f"{self.through.name}." if self.through else ""
        return f"{before}{self.call.name}{f' ({self.kind})' if self.kind else ''}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """Where its answer stands."""
        return ("it", "it") if self.through else ("it",)


@dataclass(frozen=True)
class Bent:
    """One way in one direction.

    Attributes:
        theirs, mine: ids of the victim's and of the attacker's own; {} for none.
        spelled: how its owner wrote them, so that they were taken.
    """

    ground: Ground
    way: Way
    attacker: str
    victim: str
    theirs: Ids
    mine: Ids
    spelled: str

    async def attempts(self) -> Attempted:
        """Each request of the attacker: in words, and as it was answered."""
        for mode, ids, spelled in self._sides():
            if (written := spelled_as(self.way, ids, spelled)) is not None:
                said = f"{mode}, {spelled} id" if spelled else mode
                async for each in self._asked(said, written):
                    yield each
        async for each in self._widened():
            yield each
        if self.theirs and self.mine and not self.way.through:
            async for each in self._together():
                yield each

    async def _widened(self) -> Attempted:
        """With what may be said besides: the victim's id as a filter, a text that is searched."""
        for place in self.way.call.places:
            got = (
                "" if place.required else await self.ground.ids(self.victim, [place], self.way.kind)
            )
            if not isinstance(got, str):
                async for each in self._asked(f"{place.name}: victim", self.mine | got[0]):
                    yield each
        if not self.way.call.required and _searched(self.way.call):
            text = self.ground.engine.world.ledger.prefix(self.victim)
            async for each in self._asked(f"searched for {text}", {}, text):
                yield each

    def _sides(self) -> Iterator[tuple[str, Ids, str]]:
        """Whose id goes where: in words, the ids, and how they are written."""
        paths = [one.path for one in self.way.call.required]
        if not paths:
            yield "as it is", {}, ""
            return
        for sides in product(("victim", "own"), repeat=len(paths)):
            chosen = dict(zip(paths, sides, strict=True))
            ids = {
                p: (self.theirs if s == "victim" else self.mine).get(p) for p, s in chosen.items()
            }
            if "victim" in sides and None not in ids.values():
                words = ", ".join(f"{'.'.join(path)}: {side}" for path, side in chosen.items())
                for spelled in dict.fromkeys((self.spelled, *SPELLINGS)):
                    yield words, ids, spelled

    async def _asked(self, mode: str, ids: Ids, searched: str = "") -> Attempted:
        part = await part_of(self.ground, self.way, self.attacker, ids, searched)
        if part is not None:
            yield mode, await self.ground.asked(self.attacker, [part])

    async def _together(self) -> Attempted:
        """The attacker's own and the victim's in one request: by aliases, and as a batch."""
        parts = []
        for ids in (self.mine, self.theirs):
            written = spelled_as(self.way, ids, self.spelled) or ids
            parts.append(
                self.ground.part(self.way.call, self.attacker, written, kind=self.way.kind)[0]
            )
        own, other = parts
        aliased = [replace(own, alias="a"), replace(other, alias="b"), replace(other, alias="c")]
        done = await self.ground.asked(self.attacker, aliased)
        yield "own and victim's under aliases", done
        depth = self.ground.depths.get(own.name, 0)
        documents = (document(self.ground.schema, [one], depth) for one in parts)
        batch = [{"query": text, "variables": variables} for text, variables in documents]
        done = await self.ground.endpoint.send(self.attacker, batch)
        yield "own and victim's in a batch", done


async def part_of(
    ground: Ground, way: Way, actor: str, ids: Ids, searched: str = ""
) -> Part | None:
    """The query as a part, below what *actor* reaches it through; None where it has no such."""
    part, _ = ground.part(way.call, actor, ids, kind=way.kind)
    if searched:
        part = replace(part, values={**part.values, **dict.fromkeys(_searched(way.call), searched)})
    if way.through is None:
        return part
    got = await ground.ids(actor, way.through.required)
    if isinstance(got, str):
        return None
    above = got[0]
    if way.through.required:
        _, spelled = ground.shows[way.through.required[0].kind][way.through.name]
        above = spelled_as(Way(way.through), above, spelled) or above
    outer, _ = ground.part(way.through, actor, above)
    return replace(outer, within=part)


def _searched(call: Call) -> list[str]:
    """Its arguments that look for a text."""
    return [
        name
        for name, one in call.field.args.items()
        if snake(name) in SEARCHED and str(get_named_type(one.type)) == "String"
    ]


def spelled_as(way: Way, ids: Ids, spelled: str) -> Ids | None:
    """The ids written otherwise; None where they can't be."""
    if not spelled:
        return ids
    kinds = {one.path: way.kind or one.kind for one in way.call.places}
    found: Ids = {}
    for path, value in ids.items():
        several = value if isinstance(value, list) else [value]
        made = [written(one, kinds[path], spelled) for one in several]
        if None in made:
            return None
        found[path] = made if isinstance(value, list) else made[0]
    return found


def written(id_: Any, kind: str, spelled: str) -> str | None:  # noqa: ANN401 - an id of any type
    """An id as a global one (base64 of type and id), or the bare id of a global one."""
    text = str(id_)
    if spelled == "global":
        return base64.b64encode(f"{kind}:{text}".encode()).decode()
    try:
        inside = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    _, colon, bare = inside.rpartition(":")
    return bare if colon else None
