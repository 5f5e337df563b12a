"""Only a link of the description says that what is submitted can be tracked, and by which field."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed

LINKS: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "taken",
        "links": {
            "progress": {
                "operationId": "progress",
                "parameters": {"number": "$response.body#/ticket"},
            }
        },
    }
}


class New(BaseModel):
    text: str


def case() -> Case:
    app, taken = api("Submissions"), Shelf(prefixed("t"))

    @app.post("/submissions", status_code=201, responses=LINKS)
    async def submit(new: New, tenant: Caller) -> Row:
        return {"ticket": taken.add(tenant, text=new.text)["id"]}

    @app.get("/track/{number}", operation_id="progress", dependencies=[TOKEN])
    async def track(number: str) -> Row:
        return {"about": taken.any(number)["text"], "state": "waiting"}

    return Case(app, bearers("acme", "globex"), frozenset({("GET /track/{number}", "read")}))


def truth(a: Client, b: Client) -> None:
    ticket = got(a.post("/submissions", json={"text": "the secret"}))["ticket"]
    assert got(b.get(f"/track/{ticket}"))["about"] == "the secret"
