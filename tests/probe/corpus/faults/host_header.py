"""Behind a proxy the tenant is told by `X-Forwarded-Host`; one write believes whoever sends it."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, Request, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import KEYS, Client, DeniedError, Row, Shelf, got, uuids

DOMAINS = {"north.wiki.test": "north", "south.wiki.test": "south"}


class NewPage(BaseModel):
    heading: str
    text: str = ""


def site(request: Request) -> str:
    found = DOMAINS.get(request.headers.get("x-forwarded-host", ""))
    if found is None:
        raise DeniedError(404, "there is no such site")
    return found


def case() -> Case:
    app, pages = api("Wiki"), Shelf(uuids())

    @app.post("/pages", status_code=201, dependencies=[TOKEN])
    async def write(new: NewPage, request: Request) -> Row:
        return pages.add(site(request), **new.model_dump())

    @app.get("/pages")
    async def every(request: Request, tenant: Caller) -> Row:
        if site(request) != tenant:
            raise DeniedError(404, "there is no such site")
        return {"pages": pages.of(tenant)}

    tenants = {
        name: {"headers": {"Authorization": f"Bearer {KEYS[name]}", "X-Forwarded-Host": domain}}
        for domain, name in DOMAINS.items()
    }
    return Case(app, tenants, frozenset({("POST /pages", "write")}))


def truth(a: Client, b: Client) -> None:
    theirs = {"X-Forwarded-Host": "north.wiki.test"}
    assert b.get("/pages", headers=theirs).status_code == 404
    got(b.post("/pages", json={"heading": "graffiti"}, headers=theirs))
    assert [one["heading"] for one in got(a.get("/pages"))["pages"]] == ["graffiti"]
