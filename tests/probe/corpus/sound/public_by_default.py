"""Packages are for all who have a token unless they are private, and then they are not."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewPackage(BaseModel):
    name: str
    readme: str = ""
    visibility: Literal["public", "private"] = "public"


def case() -> Case:
    app, packages = api("Registry"), Shelf(prefixed("pkg"))

    def seen(one: Row, tenant: str) -> bool:
        return one["visibility"] == "public" or packages.owners[one["id"]] == tenant

    @app.post("/packages", status_code=201)
    async def publish(new: NewPackage, tenant: Caller) -> Row:
        return packages.add(tenant, **new.model_dump())

    @app.get("/packages")
    async def every(tenant: Caller) -> list[Row]:
        return [one for one in packages.all() if seen(one, tenant)]

    @app.get("/packages/{package_id}")
    async def read(package_id: str, tenant: Caller) -> Row:
        found = packages.any(package_id)
        return found if seen(found, tenant) else packages.own(tenant, package_id)

    return Case(
        app,
        bearers("acme", "globex"),
        shared=frozenset({"GET /packages", "GET /packages/{package_id}"}),
    )


def truth(a: Client, b: Client) -> None:
    open_ = got(a.post("/packages", json={"name": "for all"}))
    secret = got(a.post("/packages", json={"name": "secret", "visibility": "private"}))
    assert got(b.get("/packages")) == [open_]
    assert got(b.get(f"/packages/{open_['id']}")) == open_
    assert b.get(f"/packages/{secret['id']}").status_code == 404
