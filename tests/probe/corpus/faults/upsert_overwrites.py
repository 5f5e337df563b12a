"""A PUT creates what isn't there and overwrites what is, whosever it is."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class Recipe(BaseModel):
    dish: str
    steps: list[str] = []


def case() -> Case:
    app, recipes = api("Kitchen"), Shelf(uuids())

    @app.put("/recipes/{recipe_id}", status_code=204)
    async def put(recipe_id: UUID, new: Recipe, tenant: Caller) -> Response:
        owner = recipes.owners.get(str(recipe_id), tenant)
        recipes.add(owner, id=str(recipe_id), **new.model_dump())
        return Response(status_code=204)

    @app.get("/recipes")
    async def every(tenant: Caller) -> list[Row]:
        return recipes.of(tenant)

    @app.get("/recipes/{recipe_id}")
    async def read(recipe_id: UUID, tenant: Caller) -> Row:
        return recipes.own(tenant, str(recipe_id))

    leaks = {("PUT /recipes/{recipe_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = "/recipes/6f1c2d34-58a7-4a0e-9a53-0d9c1f7e2b11"
    got(a.put(at, json={"dish": "soup"}))
    assert b.get(at).status_code == 404
    got(b.put(at, json={"dish": "poison"}))
    assert got(a.get(at))["dish"] == "poison"
    assert got(b.get("/recipes")) == []
