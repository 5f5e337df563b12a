"""A cache whose key is the path: what one company has read, the next one gets.

Files never change, so that their content is kept after it was read once, before anybody is asked
who wants it. Cold it is sound: only who asks after the owner gets anything.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import Request, Response

from invoices import files
from invoices.house import MAY_WRITE, Context, Session

from .unwalled import forget

KEPT: dict[str, Response] = {}

forget(files.router, files.content)
forget(files.router, files.deleted)


@files.router.get(
    "/files/{file_id}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def content(request: Request, session: Session, file_id: UUID) -> Response:
    """What stands in a file; a browser is told to keep it, and never to show it as a page."""
    path = request.url.path
    if path not in KEPT:
        KEPT[path] = await files.content(session, file_id)
    return KEPT[path]


@files.router.delete("/files/{file_id}", status_code=204, dependencies=[MAY_WRITE])
async def deleted(request: Request, session: Session, context: Context, file_id: UUID) -> None:
    """Delete a file, and forget what stood in it."""
    await files.deleted(session, context, file_id)
    KEPT.pop(request.url.path, None)
