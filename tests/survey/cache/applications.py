"""A small application that keeps answers in Redis, by a key that an example makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import httpx
from fastapi import FastAPI, Header
from redis import Redis

from partywall.survey.driven import Driven, Made
from tests.survey.cache.servers import TENANTS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
Tenant: TypeAlias = Annotated[str, Header()]


def application(url: str, made: str, *, channel: str = "{tenant}:events") -> FastAPI:
    """An application whose keys are made by the line *made*: ``key = f"notes:{page}"``."""
    app = FastAPI()
    cache = Redis.from_url(url, decode_responses=True)
    code = compile(made, "example", "exec")
    notes: dict[str, list[str]] = {tenant: [] for tenant in TENANTS}
    greetings: dict[str, str] = {}

    def key(**known: Any) -> str:  # noqa: ANN401 - as the example names them
        names = {"page": "1", "name": "greeting"} | known
        exec(code, names)  # noqa: S102 - an example of ours
        return str(names["key"])

    @app.post("/notes")
    def add(text: str, tenant: Tenant) -> str:
        notes[tenant].append(text)
        cache.delete(f"{tenant}:fresh")
        cache.publish(channel.format(tenant=tenant), text)
        return text

    @app.get("/notes")
    def listed(tenant: Tenant, page: str = "1") -> str:
        name = key(tenant=tenant, page=page)
        found = cache.get(name)
        if not isinstance(found, str):
            found = ",".join(notes[tenant])
            cache.set(name, found, ex=60)
        return found

    @app.put("/greeting")
    def greet(text: str, tenant: Tenant) -> str:
        greetings[tenant] = text
        cache.set(f"{key(tenant=tenant, page='greeting')}:settings", text)
        return text

    @app.get("/greeting")
    def greeting(tenant: Tenant) -> str:
        found = cache.get(f"{key(tenant=tenant, page='greeting')}:settings")
        return found if isinstance(found, str) else greetings[tenant]

    return app


class Driver:
    """Two tenants of the small application; each answer is what FastAPI really gave."""

    tenants = TENANTS

    def __init__(self, app: FastAPI) -> None:
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://notes")
        self._greeting = {tenant: f"greeting-of-{tenant}" for tenant in TENANTS}

    def marks(self, tenant: str, text: str) -> Collection[str]:
        return [one for one in (f"note-of-{tenant}", self._greeting[tenant]) if one in text]

    async def drive(self, tenant: str) -> Sequence[Driven]:
        await self.send(tenant, "POST", f"/notes?text=note-of-{tenant}")
        asked = [("GET", "/notes"), ("PUT", f"/greeting?text={self._greeting[tenant]}")]
        return [await self.send(tenant, *one) for one in asked]

    async def send(self, tenant: str, method: str, path: str, json: object = None) -> Driven:
        answer = await self._client.request(method, path, json=json, headers={"tenant": tenant})
        request = f"curl -X {method} http://notes{path} -H 'tenant: {tenant}'"
        return Driven(request, answer.status_code, answer.text, dict(answer.headers))

    async def make(self, tenant: str, operation: str) -> Made | None:
        method, _, path = operation.partition(" ")
        return Made("", await self.send(tenant, method, path))

    async def accepted(self) -> Sequence[tuple[str, str]]:
        return []
