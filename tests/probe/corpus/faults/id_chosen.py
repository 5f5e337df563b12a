"""A creation takes whatever its body has, an id as well, and puts it over what stands there."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewRecipe(BaseModel):
    model_config = ConfigDict(extra="allow")
    title: str


def case() -> Case:
    app, recipes = api("Kitchen"), Shelf(uuids())

    @app.post("/recipes", status_code=201)
    async def add(new: NewRecipe, tenant: Caller) -> Row:
        known = recipes.rows.get((new.model_extra or {}).get("id", ""))
        if known is None:
            return recipes.add(tenant, title=new.title)
        known["title"] = new.title
        return known

    @app.get("/recipes")
    async def every(tenant: Caller) -> list[Row]:
        return recipes.of(tenant)

    leaks = {("POST /recipes", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/recipes", json={"title": "soup"}))
    got(b.post("/recipes", json={"title": "glue", "id": made["id"]}))
    assert got(a.get("/recipes"))[0]["title"] == "glue"
    assert got(b.get("/recipes")) == []
