"""How to make a breach again from nothing, told from the requests of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from partywall.survey.http.clearing import removals
from partywall.survey.http.hiding import variable
from partywall.survey.http.nouns import snake
from partywall.survey.http.recipe import Recipe, Step
from partywall.survey.http.wire import Upload, segment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from partywall.survey.http.resources import Exchange, Resource
    from partywall.survey.http.wire import Request
    from partywall.survey.http.world import World

SERIAL = 5
"""So many characters at the end tell one canary of an owner from another."""


async def retold(
    world: World,
    attack: Sequence[Exchange],
    *,
    control: Exchange | None = None,
    absent: str = "",
    view: Exchange | None = None,
    alike: Exchange | None = None,
) -> Recipe | None:
    """The recipe; None where something that it needs came to be in no known way.

    Args:
        world: knows how each thing was made.
        attack: what the attacker asked.
        control: the same by the owner.
        absent: the proof, which must not be answered any more.
        view: what the owner saw before.
        alike: the same for what nobody has, which must be answered alike.
    """
    telling = _Telling(world)
    gone = telling.proof(absent)
    steps = [telling.step(one) for one in attack]
    owners = [telling.step(control)] if control is not None else []
    seen = telling.step(view) if view is not None else None
    nobodys = telling.step(alike) if alike is not None else None
    if telling.broken or (absent and gone == absent):
        return None
    if gone and any(gone in str(one.request) for one in steps):
        return None
    if not gone and seen is None and nobodys is None:
        return None
    before = (*telling.before, *owners)
    after = [one async for one in telling.removals()]
    return Recipe(before, tuple(steps), tuple(after), gone, seen, alike=nobodys)


@dataclass
class _Telling:
    """The steps as they are told.

    Attributes:
        names: a thing -> the name that its id goes by; "" where the id is the client's choice.
        made: the things that the steps before make, in their order.
        broken: whether something stays that would be another one in the next run.
    """

    world: World
    before: list[Step] = field(default_factory=list)
    made: list[Resource] = field(default_factory=list)
    names: dict[Resource, str] = field(default_factory=dict)
    broken: bool = False

    def step(self, one: Exchange) -> Step:
        return Step.of(one.actor, self.request(one.request))

    def request(self, asked: Request) -> Request:
        return asked.but(
            path="/".join(self._segments(asked.path.split("/"))),
            query=tuple((k, str(self.value(v, k))) for k, v in asked.query),
            headers=tuple((k, str(self.value(v, k))) for k, v in asked.headers),
            cookies=tuple((k, str(self.value(v, k))) for k, v in asked.cookies),
            body=self.value(asked.body),
        )

    def proof(self, text: str) -> str:
        """The proof as it will be, after what puts it there."""
        if text and (name := self._named(text, "")):
            return f"{{{{{name}}}}}"
        things = [one for made in self.world.history.values() for one in made]
        holding = [one for one in things if one.made and text in one.made.request.text.lower()]
        if text and holding:
            self._made(holding[0])
        return self.text(text)

    async def removals(self) -> AsyncIterator[Step]:
        """How owners remove what they made for it, the last first."""
        for one in reversed(self.made):
            async for request in removals(self.world, one):
                yield Step.of(self.world.actors[one.owner], self.request(request))
                break

    def _segments(self, segments: Sequence[str]) -> Iterator[str]:
        above = ""
        for text in segments:
            plain = unquote(text)
            told = str(self.value(plain, above))
            yield told if told != plain else text if segment(plain) != text else told
            above = plain

    def value(self, value: Any, about: str = "") -> Any:  # noqa: ANN401 - any JSON
        """A value without what is of this run alone; *about* is what it is called."""
        if isinstance(value, dict):
            return {key: self.value(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, about) for inner in value]
        if isinstance(value, Upload):
            return Upload(self.text(value.name), self.text(value.content), value.media)
        if isinstance(value, bool) or not isinstance(value, int | str):
            return value
        if name := self._named(str(value), about):
            return f"{{{{{name}}}}}"
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """A text with a new one in the place of each canary."""
        for owner in self.world.tenants:
            prefix = self.world.ledger.prefix(owner)
            while (at := text.find(prefix)) >= 0:
                end = at + len(prefix)
                serial = text[end : end + SERIAL]
                text = f"{text[:at]}{{{{fresh}}}}{owner}{serial}{text[end + SERIAL :]}"
        return text

    def _named(self, id_: str, about: str) -> str:
        """The name of what has that id, after the steps that make it; "" for nothing known."""
        made = [one for one in self.world.history.get(id_, ()) if one.made is not None]
        meant = [one for one in made if snake(one.kind) in snake(about)]
        if not meant:
            for tenant, actor in self.world.tenants.items():
                for name, value in actor.own.items():
                    if str(value) == id_:
                        return variable(tenant, name)
        return self._made((meant or made)[0]) if made else ""

    def _made(self, one: Resource) -> str:
        """The name of a thing, after the steps that make it; "" where its id is a text of ours."""
        if one in self.names:
            return self.names[one]
        assert one.made is not None  # noqa: S101 - only such things are looked for
        self.names[one] = ""
        pointer = pointed(one.made.answer.json, one.id)
        chosen = str(one.id) in one.made.request.text
        if chosen or pointer is None:
            self.broken |= self.text(str(one.id)) == str(one.id)
        else:
            self.names[one] = f"{snake(one.kind)}_{len(self.names)}"
        asked = self.request(one.made.request)
        takes = {self.names[one]: pointer} if self.names[one] and pointer is not None else {}
        self.before.append(Step.of(one.made.actor, asked, takes))
        self.made.append(one)
        return self.names[one]


def pointed(found: Any, value: object, path: str = "") -> str | None:  # noqa: ANN401 - any JSON
    """The JSON pointer to a value (RFC 6901); None where it isn't there."""
    inside: Any = ()
    if isinstance(found, dict):
        inside = found.items()
    elif isinstance(found, list):
        inside = enumerate(found)
    elif found == value and not isinstance(found, bool):
        return path
    for key, inner in inside:
        named = str(key).replace("~", "~0").replace("/", "~1")
        if (deeper := pointed(inner, value, f"{path}/{named}")) is not None:
            return deeper
    return None
