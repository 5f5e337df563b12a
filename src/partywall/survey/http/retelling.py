"""How to make a breach again from nothing, told from the requests of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from partywall.survey.http.hiding import variable
from partywall.survey.http.recipe import Recipe, Step
from partywall.survey.http.wire import Upload, segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.wire import Request
    from partywall.survey.http.world import World

SERIAL = 5
"""So many characters at the end tell one canary of an owner from another."""


def retold(
    world: World,
    attack: Sequence[Exchange],
    *,
    control: Exchange | None = None,
    absent: str = "",
    view: Exchange | None = None,
) -> Recipe | None:
    """The recipe; None where something that it needs came to be in no known way.

    Args:
        world: knows how each thing was made.
        attack: what the attacker asked.
        control: the same by the owner.
        absent: the proof, which must not be answered any more.
        view: what the owner saw before.
    """
    telling = _Telling(world)
    steps = [telling.step(one) for one in attack]
    owners = [telling.step(control)] if control is not None else []
    seen = telling.step(view) if view is not None else None
    gone = telling.text(absent)
    if telling.broken or (absent and gone == absent):
        return None
    if gone and any(gone in str(one.request) for one in steps):
        return None
    before = (*telling.before, *owners)
    return Recipe(before, tuple(steps), absent=gone, view=seen) if gone or seen else None


@dataclass
class _Telling:
    world: World
    before: list[Step] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def step(self, one: Exchange) -> Step:
        return Step.of(one.actor, self.request(one.request))

    def request(self, asked: Request) -> Request:
        segments = asked.path.split("/")
        return asked.but(
            path="/".join(self._segment(each) for each in segments),
            query=tuple((k, str(self.value(v))) for k, v in asked.query),
            headers=tuple((k, str(self.value(v))) for k, v in asked.headers),
            cookies=tuple((k, str(self.value(v))) for k, v in asked.cookies),
            body=self.value(asked.body),
        )

    def _segment(self, text: str) -> str:
        plain = unquote(text)
        told = str(self.value(plain))
        return told if told != plain else text if segment(plain) != text else told

    def value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, dict):
            return {key: self.value(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        if isinstance(value, Upload):
            return Upload(self.text(value.name), self.text(value.content), value.media)
        if isinstance(value, bool) or not isinstance(value, int | str):
            return value
        return (
            f"{{{{{name}}}}}"
            if (name := self._named(str(value)))
            else (self.text(value) if isinstance(value, str) else value)
        )

    def text(self, text: str) -> str:
        """A text with a new one in the place of each canary."""
        if name := self.names.get(text):
            return f"{{{{{name}}}}}"
        for owner in self.world.tenants:
            prefix = self.world.ledger.prefix(owner)
            while (at := text.find(prefix)) >= 0:
                end = at + len(prefix)
                serial = text[end : end + SERIAL]
                text = f"{text[:at]}{{{{fresh}}}}{owner}{serial}{text[end + SERIAL :]}"
        return text

    def _named(self, id_: str) -> str:
        """The name of what has that id, after the steps that make it; "" for nothing known."""
        if id_ in self.names:
            return self.names[id_]
        for tenant, actor in self.world.tenants.items():
            for name, value in actor.own.items():
                if str(value) == id_:
                    return variable(tenant, name)
        one = self.world.history.get(id_)
        if one is None or one.made is None:
            return ""
        pointer = pointed(one.made.answer.json, one.id)
        if pointer is None:
            self.broken = True
            return ""
        name = f"{one.kind}_{len(self.names) + 1}"
        self.names[id_] = name  # before its own request is told, which may name it
        asked = self.request(one.made.request)
        self.before.append(Step.of(one.made.actor, asked, {name: pointer}))
        return name


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
