"""A comment goes to the example that the query names, as only the list of comments says."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, Request, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got


class New(BaseModel):
    text: str


def case() -> Case:
    app, examples, comments = api("Examples"), Shelf(count(41)), Shelf(count(801))

    @app.post("/examples", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        return examples.add(tenant, text=new.text)

    @app.get("/examples/{example_id}")
    async def read(example_id: int, tenant: Caller) -> Row:
        found = examples.own(tenant, example_id)
        return {**found, "comments": len(comments.all(example=example_id))}

    @app.get("/comments")
    async def listed(tenant: Caller, example: int) -> list[Row]:
        examples.own(tenant, example)
        return comments.all(example=example)

    @app.post("/comments", status_code=201)
    async def comment(new: New, tenant: Caller, request: Request) -> Row:
        example = request.query_params.get("example", "")
        if not example:
            raise DeniedError(500, "Internal Server Error")
        examples.any(int(example))
        return comments.add(tenant, text=new.text, example=int(example))

    leaks = {("POST /comments", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    example = got(a.post("/examples", json={"text": "x"}))["id"]
    assert b.get(f"/examples/{example}").status_code == 404
    assert b.post("/comments", json={"text": "y"}).status_code == 500
    got(b.post("/comments", params={"example": example}, json={"text": "y"}))
    assert got(a.get(f"/examples/{example}"))["comments"] == 1
