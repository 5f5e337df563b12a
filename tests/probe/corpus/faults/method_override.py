"""A POST that says it stands for a DELETE is dispatched behind the wall."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, Request, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewMemo(BaseModel):
    text: str


def case() -> Case:
    app, memos = api("Memos"), Shelf(uuids())

    @app.post("/memos", status_code=201)
    async def write(new: NewMemo, tenant: Caller) -> Row:
        return memos.add(tenant, text=new.text)

    @app.get("/memos/{memo_id}")
    async def read(memo_id: str, tenant: Caller) -> Row:
        return memos.own(tenant, memo_id)

    @app.delete("/memos/{memo_id}", status_code=204)
    async def delete(memo_id: str, tenant: Caller) -> None:
        memos.drop(memos.own(tenant, memo_id)["id"])

    @app.post("/memos/{memo_id}", include_in_schema=False, dependencies=[TOKEN])
    async def overridden(memo_id: str, request: Request) -> Response:
        if request.headers.get("x-http-method-override", "").upper() != "DELETE":
            raise DeniedError(405, "method not allowed")
        memos.drop(memos.any(memo_id)["id"])
        return Response(status_code=204)

    leaks = {("DELETE /memos/{memo_id}", "destroy")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/memos/{got(a.post('/memos', json={'text': 'x'}))['id']}"
    assert b.delete(at).status_code == 404
    assert b.post(at).status_code == 405
    got(b.post(at, headers={"X-HTTP-Method-Override": "DELETE"}))
    assert a.get(at).status_code == 404
