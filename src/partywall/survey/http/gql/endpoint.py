"""A GraphQL endpoint: whether one is there, what it says of itself, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import get_introspection_query

from partywall.survey.http.engine import matches
from partywall.survey.http.gql.schema import Schema
from partywall.survey.http.operations import Operation
from partywall.survey.http.schemas import resolve
from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Api
    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.world import World

ENDINGS = ("/graphql", "/graphiql", "/gql")
GUESSES = ("/graphql", "/api/graphql", "/graphql/")
TYPENAME = "{ __typename }"
INTROSPECTION = get_introspection_query(descriptions=False)


@dataclass
class Endpoint:
    """One of them.

    Attributes:
        schemas: what each tenant was told of the schema.
        refusals: why another was told nothing.
        proven: call and effect of what was found already.
    """

    world: World
    operation: Operation
    schemas: dict[str, Schema] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    proven: set[tuple[str, str]] = field(default_factory=set)

    async def ask(
        self,
        actor: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        canaries: tuple[str, ...] = (),
    ) -> Exchange:
        """Send one document."""
        body = {"query": query, **({"variables": dict(variables)} if variables else {})}
        return await self.send(actor, body, canaries)

    async def send(self, actor: str, body: Any, canaries: tuple[str, ...] = ()) -> Exchange:  # noqa: ANN401 - one document, or a batch
        """Send what a body holds."""
        path = self.operation.prefix + self.operation.path
        request = Request("POST", path, media="application/json", body=body)
        return await self.world.ask(self.world.actors[actor], request, canaries)

    async def introspect(self, actor: str) -> None:
        """Learn the schema, as *actor* is told it."""
        done = await self.ask(actor, INTROSPECTION)
        data = _member(done.answer.json, "data")
        try:
            self.schemas[actor] = Schema(data)
        except (TypeError, ValueError, KeyError):
            self.refusals[actor] = f"as {actor}, introspection: {said(done)}"


async def endpoints(engine: Engine) -> list[Operation]:
    """The operations that speak GraphQL; a guess where none is known."""
    world = engine.world
    likely = {one.prefix + one.path: one for one in world.api.operations if _likely(world.api, one)}
    tenant = next(iter(world.tenants))
    found: set[str] = set()
    for path in likely or GUESSES:
        one = Endpoint(world, Operation("POST", path, known_from="guess"))
        if any(matches(pattern, one.operation) for pattern in engine.settings.deny):
            continue
        answer = (await one.ask(tenant, TYPENAME)).answer.json
        if _speaks(answer, complaining=path.rstrip("/").endswith(ENDINGS) and bool(likely)):
            found.add(path)
            if not likely:
                return [one.operation]
    return [one for one in world.api.operations if one.prefix + one.path in found]


def _likely(api: Api, operation: Operation) -> bool:
    if operation.path.rstrip("/").endswith(ENDINGS):
        return True
    told = [resolve(one.schema, api.document) for one in operation.payloads]
    return any({"query", "variables"} <= set(one.get("properties", ())) for one in told)


def _speaks(answer: Any, *, complaining: bool) -> bool:  # noqa: ANN401 - any JSON
    """Whether that is GraphQL; a complaint is enough where the path says so too."""
    if isinstance(_member(_member(answer, "data"), "__typename"), str):
        return True
    errors = _member(answer, "errors") if complaining else None
    return isinstance(errors, list) and bool(errors) and bool(_member(errors[0], "message"))


def _member(value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON
    return value.get(name) if isinstance(value, dict) else None


def told(done: Exchange, *aliases: str) -> Any:  # noqa: ANN401 - any JSON
    """What stands below some aliases in an answer; None where nothing does."""
    found = _member(done.answer.json, "data")
    for alias in aliases or ("it",):
        found = _member(found, alias)
    return found


def accepted(done: Exchange, *aliases: str) -> bool:
    """Whether a call was answered with something, and nothing in it says that it failed."""
    found = told(done, *aliases)
    if found is None or found is False:
        return False
    if isinstance(found, dict):
        failed = any(found.get(name) for name in ("errors", "userErrors", "error"))
        denied = any(found.get(name) is False for name in ("ok", "success", "successful"))
        return not failed and not denied
    return True


def said(done: Exchange) -> str:
    """What a server said, in a line: its errors where it has any."""
    errors = _member(done.answer.json, "errors")
    if isinstance(errors, list) and errors:
        first = str(_member(errors[0], "message") or errors[0])
        return f"{done.answer.status} {' '.join(first.split())[:200]}"
    return done.answer.words
