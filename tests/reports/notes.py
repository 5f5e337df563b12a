"""An API of notes, with the faults that a test asks for."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Any, TypeAlias

from fastapi import FastAPI, Header, HTTPException, Request, UploadFile
from pydantic import BaseModel

TENANTS = {"Bearer a-secret-of-acme": "acme", "Bearer a-secret-of-globex": "globex"}

Token: TypeAlias = Annotated[str, Header(alias="authorization")]
Row: TypeAlias = dict[str, Any]


class Note(BaseModel):
    """What is sent."""

    title: str


@dataclass
class Shelf:
    """The rows of all tenants; a fault opens one kind of request to everybody."""

    faults: Collection[str]
    rows: dict[int, Row] = field(default_factory=dict)
    keys: Iterator[int] = field(default_factory=lambda: count(1))

    def put(self, token: str, title: str) -> Row:
        """Make a row of whoever asks."""
        key = next(self.keys)
        self.rows[key] = {"id": key, "owner": self.tenant(token), "title": title}
        return self.rows[key]

    def found(self, key: int, token: str, fault: str) -> Row:
        """Find a row of whoever asks."""
        row = self.rows.get(key)
        if row is None:
            raise HTTPException(404)
        if row["owner"] != self.tenant(token) and fault not in self.faults:
            raise HTTPException(403 if "existence" in self.faults else 404)
        return row

    def tenant(self, token: str) -> str:
        """Say who asks."""
        if token not in TENANTS:
            raise HTTPException(401)
        return TENANTS[token]


def notes(faults: Collection[str] = ()) -> FastAPI:
    """The application.

    It is sound but for `read`, `write`, `copy`, `existence`, `file`, `crash` and `delete`; with
    `late` a removal by the plain id takes longer than by another spelling.
    """
    app = FastAPI()
    shelf = Shelf(faults)

    @app.post("/notes", status_code=201)
    def make(note: Note, token: Token) -> Row:
        return shelf.put(token, note.title)

    @app.get("/notes/{note_id}")
    def read(note_id: int, token: Token) -> Row:
        return shelf.found(note_id, token, "read")

    @app.patch("/notes/{note_id}")
    def change(note_id: int, note: Note, token: Token) -> Row:
        row = shelf.found(note_id, token, "write")
        row["title"] = note.title
        if "crash" in faults:
            raise HTTPException(500)
        return row

    @app.post("/notes/{note_id}/copies", status_code=201)
    def copy(note_id: int, token: Token) -> Row:
        made = shelf.put(token, shelf.found(note_id, token, "copy")["title"])
        return {"id": made["id"]}

    @app.put("/notes/{note_id}/file")
    async def upload(note_id: int, file: UploadFile, token: Token) -> Row:
        row = shelf.found(note_id, token, "file")
        row["file"] = (await file.read()).decode()
        return {}

    @app.delete("/notes/{note_id}", status_code=204)
    def remove(note_id: int, token: Token, request: Request) -> None:
        if "late" in faults and request.scope["raw_path"].decode() == f"/notes/{note_id}":
            time.sleep(0.2)  # another spelling of the id is faster
        shelf.found(note_id, token, "delete")
        del shelf.rows[note_id]

    @app.get("/rows", include_in_schema=False)
    def every() -> int:
        return len(shelf.rows)

    return app
