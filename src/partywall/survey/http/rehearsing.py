"""A recipe is played once before it is handed out: a test that can't fail proves nothing.

It is played when all of the run is removed, so that nothing that it doesn't make itself can help.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from partywall.errors import TargetError
from partywall.survey.http.following import pointed
from partywall.survey.http.hiding import variable, variables
from partywall.survey.http.ledger import LETTERS
from partywall.survey.http.recipe import NAME, HttpFinding
from partywall.survey.http.wire import Answer, Upload, segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.recipe import Recipe, Step
    from partywall.survey.http.wire import Request
    from partywall.survey.http.world import World

PAUSES_S = (0.0, 0.1, 0.3, 0.6)
"""Some applications commit after they answer."""
DONE = range(200, 300)
FRESH = 8
LARGEST = 2**31


async def rehearse(engine: Engine) -> bool:
    """Keep the recipes that show their breach from nothing; return whether any was played."""
    played = False
    for key, finding in engine.findings.items():
        if isinstance(finding, HttpFinding) and finding.recipe:
            played = True
            try:
                shown = await _Play(engine.world).shows(finding.recipe)
            except TargetError:
                shown = False
            if not shown:
                engine.findings[key] = replace(finding, recipe=None)
    return played


@dataclass
class _Play:
    """One recipe as it is played.

    Attributes:
        known: name -> what it stands for.
    """

    world: World
    known: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Know what the environment of a test would say, and texts that are new."""
        ledger = self.world.ledger
        self.known = {
            "fresh": f"pw{ledger.run}{''.join(ledger.random.choices(LETTERS, k=FRESH))}",
            "fresh_number": ledger.random.randrange(LARGEST),
        }
        for actor in self.world.actors.values():
            self.known |= variables(actor)
            self.known |= {variable(actor.name, name): value for name, value in actor.own.items()}
            if actor.base:
                self.known[variable(actor.name, "base")] = actor.base

    async def shows(self, recipe: Recipe) -> bool:
        """Whether the breach is there, and nothing but the attack makes it seen."""
        try:
            return await self._shown(recipe)
        except LookupError:
            return False
        finally:
            for step in recipe.after:
                await self._attacked(step)

    async def _shown(self, recipe: Recipe) -> bool:
        for step in recipe.before:
            if (await self._asked(step)).status not in DONE:
                return False
        view = recipe.view
        seen = await self._asked(view) if view else None
        if view and seen and not await self._same(seen, view, PAUSES_S[:2]):
            return False  # it changes by itself
        answer = Answer(0)
        for step in recipe.attack:
            answer = await self._attacked(step)
        if recipe.absent and self._filled(recipe.absent).lower() in answer.all.lower():
            return True
        if recipe.alike and answer.status != (await self._attacked(recipe.alike)).status:
            return True
        return bool(view and seen and not await self._same(seen, view))

    async def _asked(self, step: Step) -> Answer:
        """The owner asks, for a moment again where it reads."""
        answer = Answer(0)
        for pause_s in PAUSES_S:
            await asyncio.sleep(pause_s)
            answer = await self._sent(step)
            if answer.status in DONE or step.request.method != "GET":
                break
        return answer

    async def _attacked(self, step: Step) -> Answer:
        """Somebody asks who may be refused; nothing comes back where something is lacking."""
        try:
            return await self._sent(step)
        except LookupError:
            return Answer(0)

    async def _same(self, before: Answer, view: Step, pauses_s: Sequence[float] = PAUSES_S) -> bool:
        """Whether the owner goes on seeing the same, also a while later."""
        for pause_s in pauses_s:
            await asyncio.sleep(pause_s)
            now = await self._attacked(view)
            if (now.status, now.text) != (before.status, before.text):
                return False
        return True

    async def _sent(self, step: Step) -> Answer:
        answer = (
            await self.world.ask(self.world.actors[step.actor], self._of(step.request))
        ).answer
        for name, pointer in step.takes.items():
            self.known.pop(name, None)
            if (found := pointed(answer.json, pointer)) is not None:
                self.known[name] = found
        return answer

    def _of(self, told: Request) -> Request:
        """A request with its names filled in."""
        path = NAME.sub(lambda match: segment(self.known[match[1]]), told.path)
        return told.but(
            base=self._filled(told.base),
            path=path,
            query=self._pairs(told.query),
            headers=self._pairs(told.headers),
            cookies=self._pairs(told.cookies),
            body=self._filled(told.body),
        )

    def _pairs(self, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((self._text(name), self._text(value)) for name, value in pairs)

    def _text(self, text: str) -> str:
        return NAME.sub(lambda match: str(self.known[match[1]]), text)

    def _filled(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, Upload):
            return Upload(self._text(value.name), self._text(value.content), value.media)
        if isinstance(value, dict):
            return {self._text(key): self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        if not isinstance(value, str):
            return value
        whole = NAME.fullmatch(value)
        return self.known[whole[1]] if whole else self._text(value)
