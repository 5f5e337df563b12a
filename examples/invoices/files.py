"""Files that belong to invoices."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Response, UploadFile
from fastapi import File as Upload
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from partywall.adapters.fastapi import documented
from partywall.errors import UnknownRecord

from .house import MAY_WRITE, Context, Session, files, found, plane
from .models import File, Invoice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall import TenantContext

router = APIRouter(tags=["files"])

LARGEST = 2**20
"""Bytes of a file."""

STORAGE = "storage_bytes"
"""The quota that files count against."""


class FileOut(BaseModel):
    """A file, without what stands in it."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    invoice_id: UUID
    name: str
    size: int


@router.get("/invoices/{invoice_id}/files")
async def listed(session: Session, invoice_id: UUID) -> list[FileOut]:
    """The files of an invoice, by name; the first thousand."""
    await found(session, Invoice, invoice_id)
    query = select(File).where(File.invoice_id == invoice_id).order_by(File.name, File.id)
    return [FileOut.model_validate(each) for each in await session.scalars(query.limit(1000))]


@router.post(
    "/invoices/{invoice_id}/files",
    status_code=201,
    dependencies=[MAY_WRITE],
    responses=documented(413, 429),
)
async def uploaded(
    session: Session, context: Context, invoice_id: UUID, file: Annotated[UploadFile, Upload()]
) -> FileOut:
    """Keep a file of at most a mebibyte with an invoice."""
    await found(session, Invoice, invoice_id)
    content = await file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise HTTPException(413, f"a file may have {LARGEST} bytes")
    name = "".join(filter(str.isprintable, file.filename or ""))[:200] or "unnamed"
    kept = File(id=uuid4(), invoice_id=invoice_id, name=name, size=len(content))
    async with plane.meter.async_using(context.tenant_id, STORAGE, kept.size):
        await files.async_put(context, place(kept.id), content)  # a row always has its content
        try:
            session.add(kept)
            await session.commit()
        except BaseException:
            await dropped(context, [kept.id])
            raise
    return FileOut.model_validate(kept)


@router.get(
    "/files/{file_id}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def content(session: Session, context: Context, file_id: UUID) -> Response:
    """What stands in a file; a browser is told to keep it, and never to show it as a page."""
    file = await found(session, File, file_id)
    held = await files.async_read(context, place(file_id))
    kept_as = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"Content-Disposition": kept_as, "X-Content-Type-Options": "nosniff"}
    return Response(held, media_type="application/octet-stream", headers=headers)


@router.delete("/files/{file_id}", status_code=204, dependencies=[MAY_WRITE])
async def deleted(session: Session, context: Context, file_id: UUID) -> None:
    """Delete a file."""
    file = await found(session, File, file_id)
    await session.delete(file)
    await session.commit()
    await dropped(context, [file_id])
    await plane.meter.async_give_back(context.tenant_id, STORAGE, file.size)


async def dropped(context: TenantContext, file_ids: Iterable[UUID]) -> None:
    """Remove what stood in files whose rows are gone."""
    for file_id in file_ids:
        with suppress(UnknownRecord):
            await files.async_delete(context, place(file_id))


def place(file_id: UUID) -> str:
    """Where the company keeps what stands in a file."""
    return f"attachments/{file_id}"
