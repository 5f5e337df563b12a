"""An import may bring ids along, and overwrites what has them already."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewPlant(BaseModel):
    species: str


class Imported(NewPlant):
    id: str | None = None


class Import(BaseModel):
    plants: list[Imported]


def case() -> Case:
    app, plants = api("Greenhouse"), Shelf(uuids())

    @app.post("/plants", status_code=201)
    async def add(new: NewPlant, tenant: Caller) -> Row:
        return plants.add(tenant, species=new.species)

    @app.get("/plants")
    async def every(tenant: Caller) -> list[Row]:
        return plants.of(tenant)

    @app.post("/plants/import")
    async def bring(new: Import, tenant: Caller) -> Row:
        for one in new.plants:
            if one.id in plants.rows:
                plants.rows[one.id]["species"] = one.species
            else:
                plants.add(tenant, **one.model_dump())
        return {"imported": len(new.plants)}

    leaks = {("POST /plants/import", "write")}
    return Case(app, bearers("initech", "umbrella"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/plants", json={"species": "fern"}))
    new = {"plants": [{"id": made["id"], "species": "weed"}]}
    assert got(b.post("/plants/import", json=new)) == {"imported": 1}
    assert got(a.get("/plants"))[0]["species"] == "weed"
    assert got(b.get("/plants")) == []
