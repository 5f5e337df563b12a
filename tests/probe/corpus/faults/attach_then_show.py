"""A file of anybody's may be attached to one's own mail, which then holds its content."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, UploadFile
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed, uuids


class NewMail(BaseModel):
    subject: str


class Attachment(BaseModel):
    file_ids: list[str]


def case() -> Case:
    app, files, mails = api("Post"), Shelf(prefixed("file")), Shelf(uuids())

    @app.post("/files", status_code=201)
    async def upload(tenant: Caller, upload: Annotated[UploadFile, File()]) -> Row:
        text = (await upload.read()).decode("utf-8", "replace")
        return {"id": files.add(tenant, name=upload.filename, text=text)["id"]}

    @app.post("/mails", status_code=201)
    async def write(new: NewMail, tenant: Caller) -> Row:
        return mails.add(tenant, subject=new.subject, attached=[])

    @app.put("/mails/{mail_id}/attachments", status_code=204)
    async def attach(mail_id: str, new: Attachment, tenant: Caller) -> None:
        mail = mails.own(tenant, mail_id)
        mail["attached"] = [files.any(one)["id"] for one in new.file_ids]

    @app.get("/mails/{mail_id}")
    async def read(mail_id: str, tenant: Caller) -> Row:
        mail = mails.own(tenant, mail_id)
        return {**mail, "attached": [files.any(one)["text"] for one in mail["attached"]]}

    leaks = {("PUT /mails/{mail_id}/attachments", "read")}
    return Case(app, bearers("north", "south"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/files", files={"upload": ("x.txt", b"secret")}))["id"]
    mine = f"/mails/{got(b.post('/mails', json={'subject': 'y'}))['id']}"
    got(b.put(f"{mine}/attachments", json={"file_ids": [theirs]}))
    assert got(b.get(mine))["attached"] == ["secret"]
