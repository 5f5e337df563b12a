"""Whoever restores a deleted drawing gets it."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed


class NewDrawing(BaseModel):
    title: str


def case() -> Case:
    app, drawings, bin_ = api("Drawings"), Shelf(prefixed("drw")), dict[str, Row]()

    @app.post("/drawings", status_code=201)
    async def draw(new: NewDrawing, tenant: Caller) -> Row:
        return drawings.add(tenant, title=new.title)

    @app.get("/drawings/{drawing_id}")
    async def read(drawing_id: str, tenant: Caller) -> Row:
        return drawings.own(tenant, drawing_id)

    @app.delete("/drawings/{drawing_id}", status_code=204)
    async def delete(drawing_id: str, tenant: Caller) -> None:
        bin_[drawing_id] = drawings.own(tenant, drawing_id)
        drawings.drop(drawing_id)

    @app.post("/drawings/{drawing_id}/restore")
    async def restore(drawing_id: str, tenant: Caller) -> Row:
        if drawing_id not in bin_:
            raise DeniedError(404, "not found")
        return drawings.add(tenant, **bin_.pop(drawing_id))

    return Case(
        app,
        bearers("acme", "globex"),
        leaks=frozenset({("POST /drawings/{drawing_id}/restore", "read")}),
        also=frozenset(
            ("POST /drawings/{drawing_id}/restore", one) for one in ("write", "destroy")
        ),
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/drawings", json={"title": "secret"}))
    assert b.post(f"/drawings/{made['id']}/restore").status_code == 404
    got(a.delete(f"/drawings/{made['id']}"))
    assert got(b.post(f"/drawings/{made['id']}/restore")) == made
    assert a.get(f"/drawings/{made['id']}").status_code == 404
