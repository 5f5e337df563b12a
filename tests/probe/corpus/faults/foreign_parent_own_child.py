"""An own card can be moved onto another tenant's board: only the card is checked."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewBoard(BaseModel):
    name: str


class NewCard(BaseModel):
    text: str


def case() -> Case:
    app, boards, cards = api("Boards"), Shelf(uuids(1)), Shelf(uuids(2))

    @app.post("/boards", status_code=201)
    async def make_board(new: NewBoard, tenant: Caller) -> Row:
        return boards.add(tenant, name=new.name)

    @app.get("/boards/{board_id}")
    async def read_board(board_id: str, tenant: Caller) -> Row:
        return {**boards.own(tenant, board_id), "cards": cards.all(board=board_id)}

    @app.post("/boards/{board_id}/cards", status_code=201)
    async def add_card(board_id: str, new: NewCard, tenant: Caller) -> Row:
        boards.own(tenant, board_id)
        return cards.add(tenant, text=new.text, board=board_id)

    @app.put("/boards/{board_id}/cards/{card_id}", status_code=204)
    async def move_card(board_id: str, card_id: str, tenant: Caller) -> None:
        boards.any(board_id)
        cards.own(tenant, card_id)["board"] = board_id

    leaks = {("PUT /boards/{board_id}/cards/{card_id}", "write")}
    return Case(app, bearers("initech", "umbrella"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/boards", json={"name": "theirs"}))["id"]
    mine = got(b.post("/boards", json={"name": "mine"}))["id"]
    card = got(b.post(f"/boards/{mine}/cards", json={"text": "graffiti"}))["id"]
    assert b.post(f"/boards/{theirs}/cards", json={"text": "x"}).status_code == 404
    got(b.put(f"/boards/{theirs}/cards/{card}"))
    assert [one["text"] for one in got(a.get(f"/boards/{theirs}"))["cards"]] == ["graffiti"]
