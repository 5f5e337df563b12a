"""What was deleted stays for its owner, who may look at it and bring it back; nobody else may."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewPhoto(BaseModel):
    caption: str


def case() -> Case:
    app, photos = api("Gallery"), Shelf(uuids())

    @app.post("/photos", status_code=201)
    async def hang(new: NewPhoto, tenant: Caller) -> Row:
        return photos.add(tenant, caption=new.caption, deleted=False)

    @app.get("/photos")
    async def every(tenant: Caller, *, deleted: bool = False) -> list[Row]:
        return photos.of(tenant, deleted=deleted)

    @app.get("/photos/{photo_id}")
    async def read(photo_id: str, tenant: Caller) -> Row:
        return photos.own(tenant, photo_id)

    @app.delete("/photos/{photo_id}", status_code=204)
    async def delete(photo_id: str, tenant: Caller) -> None:
        photos.own(tenant, photo_id)["deleted"] = True

    @app.post("/photos/{photo_id}/restore", status_code=204)
    async def restore(photo_id: str, tenant: Caller) -> None:
        photos.own(tenant, photo_id)["deleted"] = False

    return Case(app, bearers("initech", "umbrella"))


def truth(a: Client, b: Client) -> None:
    at = f"/photos/{got(a.post('/photos', json={'caption': 'x'}))['id']}"
    got(a.delete(at))
    assert got(a.get(at))["deleted"] is True
    assert b.get(at).status_code == b.post(f"{at}/restore").status_code == 404
    assert got(b.get("/photos", params={"deleted": True})) == []
    got(a.post(f"{at}/restore"))
    assert got(a.get(at))["deleted"] is False
