"""What is known of a file is checked, its content is given to whoever knows its id."""

from __future__ import annotations

from typing import Annotated

from fastapi import File, Form, UploadFile

from tests.probe.corpus.asgi import TOKEN, Caller, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


def case() -> Case:
    app, files, contents = api("Files"), Shelf(uuids()), dict[str, bytes]()

    @app.post("/files", status_code=201)
    async def upload(
        tenant: Caller,
        file: Annotated[UploadFile, File()],
        label: Annotated[str, Form()] = "",
    ) -> Row:
        made = files.add(tenant, filename=file.filename, label=label)
        contents[made["id"]] = await file.read()
        return made

    @app.get("/files/{file_id}")
    async def read(file_id: str, tenant: Caller) -> Row:
        return files.own(tenant, file_id)

    @app.get("/files/{file_id}/content", dependencies=[TOKEN])
    async def download(file_id: str) -> Response:
        return Response(contents[files.any(file_id)["id"]], media_type="application/octet-stream")

    leaks = {("GET /files/{file_id}/content", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/files", files={"file": ("plan.txt", b"the secret")}))
    assert b.get(f"/files/{made['id']}").status_code == 404
    assert b.get(f"/files/{made['id']}/content").content == b"the secret"
