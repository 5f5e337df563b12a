"""The current draft is named in a cookie, and opened for whoever shows it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Cookie
from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewDraft(BaseModel):
    subject: str
    text: str = ""


def case() -> Case:
    app, drafts = api("Mail"), Shelf(prefixed("draft"))

    @app.post("/drafts", status_code=201)
    async def begin(new: NewDraft, tenant: Caller) -> Row:
        return {"draft_id": drafts.add(tenant, **new.model_dump())["id"]}

    @app.get("/drafts")
    async def every(tenant: Caller) -> Row:
        return {"drafts": drafts.of(tenant)}

    @app.get("/draft", dependencies=[TOKEN])
    async def current(draft_id: Annotated[str, Cookie()]) -> Row:
        return drafts.any(draft_id)

    leaks = {("GET /draft", "read")}
    return Case(app, bearers("initech", "umbrella"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/drafts", json={"subject": "secret"}))["draft_id"]
    assert got(b.get("/drafts")) == {"drafts": []}
    found = b.get("/draft", headers={"Cookie": f"draft_id={made}"})
    assert got(found)["subject"] == "secret"
