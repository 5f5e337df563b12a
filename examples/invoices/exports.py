"""Exports as files: made in the background, durably, and kept for a day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from partywall import TenantContext

from .export import MEDIA_TYPE, lines_now
from .house import MAY_WRITE, Context, files, tenancy

if TYPE_CHECKING:
    from partywall.runtime.workflows import Run

router = APIRouter(prefix="/exports", tags=["export"])

KEPT_S = 24 * 60 * 60


class ExportOut(BaseModel):
    """An export; there is something to fetch once it is done."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    status: Literal["running", "done", "failed", "cancelled", "timed_out"]


@router.post("", status_code=202, dependencies=[MAY_WRITE])
async def begun(context: Context) -> ExportOut:
    """Begin an export; whatever process dies meanwhile, another one goes on with it."""
    execution = await tenancy.workflows.async_start(context, exported)
    return ExportOut.model_validate(execution)


@router.get("")
async def listed(context: Context) -> list[ExportOut]:
    """The exports, the newest first; the last hundred."""
    found = await tenancy.workflows.async_executions(context, exported)
    return [ExportOut.model_validate(each) for each in found]


@router.get("/{export_id}")
async def shown(context: Context, export_id: str) -> ExportOut:
    """An export, as far as it is."""
    return ExportOut.model_validate(await tenancy.workflows.async_execution(context, export_id))


@router.get(
    "/{export_id}/content",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
async def content(context: Context, export_id: str) -> StreamingResponse:
    """What was exported, as lines of JSON; none before it is done, and none after a day."""
    await tenancy.workflows.async_execution(context, export_id)
    await files.async_stat(context, place(export_id))
    return StreamingResponse(blocks(context, place(export_id)), media_type=MEDIA_TYPE)


async def blocks(context: TenantContext, name: str) -> AsyncIterator[bytes]:
    """A file, as it is read."""
    async with files.async_open(context, name) as file:
        async for block in file:
            yield block


@tenancy.workflows.workflow
def exported(run: Run, argument: None) -> int:
    """The work: write the file, and have it removed after a day; its length in bytes."""
    del argument
    size: int = run.step(written, run.id)
    run.step(left, run.id)
    return size


@tenancy.workflows.step
def written(context: TenantContext, export_id: str) -> int:
    """All that the company has, into a file of the company; again, it is written again."""
    return files.put(context, place(export_id), told(context), content_type=MEDIA_TYPE)


def told(context: TenantContext) -> Iterator[bytes]:
    """The lines, from a session that lives until the last of them is written."""
    with tenancy.session(context) as session:
        for line in lines_now(session):
            yield line.encode()


@tenancy.workflows.step
def left(context: TenantContext, export_id: str) -> None:
    """Have the file removed later: once, however often this is tried."""
    tenancy.workflows.start(context, outlived, export_id, key=export_id, delay_s=KEPT_S)


@tenancy.workflows.workflow
def outlived(run: Run, export_id: str) -> None:
    """What is done a day later."""
    run.step(removed, export_id)


@tenancy.workflows.step
def removed(context: TenantContext, export_id: str) -> None:
    """Remove the file; again, it does nothing."""
    for entry in files.list(context, "exports"):
        if entry.name == place(export_id):
            files.delete(context, entry.name)


def place(export_id: str) -> str:
    """Where the company's export is kept."""
    return f"exports/{export_id}.ndjson"
