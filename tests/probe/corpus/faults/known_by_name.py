"""Models have names and no ids, and verbs instead of methods; who has a name right is shown it."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, bearers, got


class New(BaseModel):
    name: str
    note: str = ""


class Named(BaseModel):
    name: str


def case() -> Case:
    app, models, owners = api("Registry"), dict[str, Row](), dict[str, str]()

    def own(tenant: str, name: str) -> Row:
        if owners.get(name) != tenant:
            raise DeniedError(404, "no such model")
        return models[name]

    @app.post("/models/create")
    async def create(new: New, tenant: Caller) -> Row:
        if new.name in models:
            raise DeniedError(400, "it is there already")
        models[new.name], owners[new.name] = new.model_dump(), tenant
        return {"model": models[new.name]}

    @app.get("/models/get")
    async def read(name: str, tenant: Caller) -> Row:
        return {"model": own(tenant, name)}

    @app.get("/models/card", dependencies=[TOKEN])
    async def card(name: str) -> Row:
        if name not in models:
            raise DeniedError(404, "no such model")
        return {"card": f"about: {models[name]['note']}"}

    @app.post("/models/delete")
    async def delete(gone: Named, tenant: Caller) -> Row:
        own(tenant, gone.name)
        del models[gone.name], owners[gone.name]
        return {}

    return Case(app, bearers("acme", "globex"), frozenset({("GET /models/card", "read")}))


def truth(a: Client, b: Client) -> None:
    got(a.post("/models/create", json={"name": "m", "note": "the secret"}))
    assert b.get("/models/get", params={"name": "m"}).status_code == 404
    assert b.post("/models/delete", json={"name": "m"}).status_code == 404
    assert got(b.get("/models/card", params={"name": "m"})) == {"card": "about: the secret"}
