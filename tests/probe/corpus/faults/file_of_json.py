"""A file is imported into any board; it must be JSON, which only the server's complaint says."""

from __future__ import annotations

import json
from itertools import count
from typing import Annotated

from fastapi import File, UploadFile
from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got


class New(BaseModel):
    title: str


def case() -> Case:
    app, boards = api("Boards"), Shelf(count(11))

    @app.post("/boards", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        return boards.add(tenant, title=new.title, cards=[])

    @app.get("/boards/{board_id}")
    async def read(board_id: int, tenant: Caller) -> Row:
        return boards.own(tenant, board_id)

    @app.post("/boards/{board_id}/import", dependencies=[TOKEN])
    async def load(board_id: int, file: Annotated[UploadFile, File()]) -> Row:
        try:
            boards.any(board_id)["cards"].append(json.loads(await file.read()))
        except ValueError as error:
            raise DeniedError(400, f"could not read it: {error}") from error
        return {"imported": 1}

    leaks = {("POST /boards/{board_id}/import", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    board = got(a.post("/boards", json={"title": "x"}))["id"]
    assert b.get(f"/boards/{board}").status_code == 404
    text = b.post(f"/boards/{board}/import", files={"file": ("a.txt", b"plain text")})
    assert (text.status_code, "Expecting value" in text.text) == (400, True)
    got(b.post(f"/boards/{board}/import", files={"file": ("a.json", b'{"title": "card"}')}))
    assert got(a.get(f"/boards/{board}"))["cards"] == [{"title": "card"}]
