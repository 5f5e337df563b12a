"""What an operation wants, as its refusals tell: corrections to bodies, and what may be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.complaints import DROP, corrections, unreadable
from partywall.survey.http.kinds import Kind
from partywall.survey.http.nouns import noun, singular, snake
from partywall.survey.http.resources import rows
from partywall.survey.http.schemas import fields
from partywall.survey.http.verbs import last_word

if TYPE_CHECKING:
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.wire import Answer
    from partywall.survey.http.world import World

MOST_OFFERED = 6
"""So many ids are tried one after the other in a field that names nobody knows what."""


async def learn(world: World, owner: str, operation: Operation, answer: Answer) -> bool:
    """Whether the server's complaint says anything new."""
    composer = world.composer
    learned = composer.learned[operation.at]
    new: dict[tuple[str, ...], dict[str, Any]] = {}
    known = {
        path[0]
        for payload in operation.payloads[:1]
        for path, _, _ in fields(payload.schema, composer.document)
        if path
    }
    for path, fix in corrections(answer, known).items():
        before = learned.get(path)
        if "x-own" in fix:
            await _offer(world, owner, operation, path[-1])
            if (tried := (before or {}).get("x-own", -1) + 1) < MOST_OFFERED:
                new[path] = {"x-own": tried}
        elif before is None:
            new[path] = fix
        elif fix is not DROP and not fix.items() <= before.items():
            new[path] = {**before, **fix}
    learned.update(new)
    if unreadable(answer) and operation.at not in composer.filed:
        composer.filed[operation.at] = _beside(world, operation)
        return True
    return bool(new)


async def _offer(world: World, owner: str, operation: Operation, name: str) -> None:
    """Ids, or texts, that lists show to *owner* of what a field is named after."""
    offers = world.composer.offers
    if (owner, name) in offers:
        return
    offers[owner, name] = []
    stem = singular(noun(name) or name)
    above = operation.path.rstrip("/").rpartition("/")[0]
    for lister in world.api.operations:
        if lister.method != "GET" or lister.path.rstrip("/").endswith("}"):
            continue
        named = singular(last_word(lister)) == stem
        if not named and lister.path.rstrip("/").rpartition("/")[0] != above:
            continue
        answer = await world.listing(owner, lister, {})
        if answer is None or not answer.ok:
            continue
        if named:
            offers[owner, name][:0] = [one for one, _ in rows(Kind(stem), answer.json)]
        if isinstance(answer.json, list):  # plain words to choose from
            offers[owner, name] += [one for one in answer.json if isinstance(one, str)]


def _beside(world: World, operation: Operation) -> dict[str, Any]:
    """The schema of what the operation beside an upload takes: a file may hold the same."""
    place = operation.path.rstrip("/").rpartition("/")[0]
    for one in world.api.operations:
        if one.method == "POST" and one.path.rstrip("/") == place and one.payloads:
            return dict(one.payloads[0].schema)
    return {"type": "object", "properties": {snake("name"): {"type": "string"}}}
