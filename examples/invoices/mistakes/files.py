"""Attachments in one folder for all, found by their ids alone.

An id is a random number that nobody guesses, so that nobody was asked whose it is. But ids get
about: they stand in addresses, in logs and in mails.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import File as Upload
from fastapi import HTTPException, Response, UploadFile

from invoices import files
from invoices.files import FileOut
from invoices.house import MAY_WRITE, Context, Session
from invoices.settings import settings
from partywall.adapters.fastapi import documented

from .unwalled import forget

ALL = Path(settings.folder, "attachments")

forget(files.router, files.uploaded)
forget(files.router, files.content)


@files.router.post(
    "/invoices/{invoice_id}/files",
    status_code=201,
    dependencies=[MAY_WRITE],
    responses=documented(413, 429),
)
async def uploaded(
    session: Session, context: Context, invoice_id: UUID, file: Annotated[UploadFile, Upload()]
) -> FileOut:
    """Keep a file of at most a mebibyte with an invoice."""
    kept = await files.uploaded(session, context, invoice_id, file)
    await file.seek(0)
    await asyncio.to_thread(ALL.mkdir, exist_ok=True)
    await asyncio.to_thread((ALL / str(kept.id)).write_bytes, await file.read())
    return kept


@files.router.get(
    "/files/{file_id}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def content(context: Context, file_id: UUID) -> Response:
    """What stands in a file; a browser is told to keep it, and never to show it as a page."""
    del context
    try:
        held = await asyncio.to_thread((ALL / str(file_id)).read_bytes)
    except FileNotFoundError:
        raise HTTPException(404) from None
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(held, media_type="application/octet-stream", headers=headers)
