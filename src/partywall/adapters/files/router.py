"""Routes that answer links of `Links`, and downloads that a browser only saves.

What a tenant has uploaded may be a page with a script in it. It is therefore sent so that no
browser shows it in the application's origin: as an attachment, under the media type it was put
with and no other, and, should it be shown all the same, in a sandbox without scripts.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from partywall.adapters.fastapi.problems import answer, documented, problem
from partywall.adapters.fastapi.routes import public
from partywall.adapters.files.store import BLOCK
from partywall.context import TenantContext
from partywall.errors import NotAuthenticated, PartywallError, TenantError

# isort: split
# Last, so that the adapter above names the extra where FastAPI is missing.
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from partywall.adapters.files.content import AsyncTenantFile
    from partywall.adapters.files.links import Claim
    from partywall.adapters.files.tenant_files import TenantFiles

SAVED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
REFUSED = "the link does not hold: ask for a new one"


def links_router(files: TenantFiles) -> APIRouter:
    """The routes `GET`, `HEAD` and `PUT` of links, to be included at the base of `Links`.

    They are marked `public`: a link is what lets in. A tenant that was suspended or deleted since
    it was made, and a link that does not hold, are the same 403.
    """
    router = APIRouter(tags=["files"])

    @router.get("/{token}", responses=documented(403, 404, 503), response_class=Response)
    @public
    async def download_by_link(token: str) -> Response:
        """The content of the file that the link is for."""
        try:
            claim = files.claim(token, "GET")
            return await download(files, TenantContext(claim.tenant_id), claim.name)
        except PartywallError as error:
            return refused(error)

    @router.head("/{token}", include_in_schema=False)
    @public
    async def look_by_link(token: str) -> Response:
        """Whether the file that the link is for is there."""
        try:
            claim = files.claim(token, "GET")
            found = await files.async_stat(TenantContext(claim.tenant_id), claim.name)
        except PartywallError as error:
            return refused(error)
        headers = SAVED | {"Content-Disposition": disposition(claim.name)}
        return Response(headers=headers, media_type=found.content_type)

    @router.put("/{token}", status_code=204, responses=documented(400, 403, 409, 413, 422, 503))
    @public
    async def upload_by_link(token: str, request: Request) -> Response:
        """Write the file that the link is for."""
        try:
            claim = files.claim(token, "PUT")
            if (said := mismatch(claim, request)) != "":
                return problem(400, said)
            await files.async_put(
                TenantContext(claim.tenant_id),
                claim.name,
                request.stream(),
                content_type=claim.content_type,
                size_bytes=claim.size_bytes,
            )
        except PartywallError as error:
            return refused(error)
        return Response(status_code=204)

    return router


async def download(files: TenantFiles, context: TenantContext, name: str) -> Response:
    """A file as a response that a browser saves; for a route of the application's own.

    Raises:
        UnknownRecord: when the tenant has none of that name.
    """
    async with AsyncExitStack() as stack:
        file = await stack.enter_async_context(files.async_open(context, name))
        first = await file.read(BLOCK)  # what can't be opened is a 500, and not half a file
        headers = SAVED | {"Content-Disposition": disposition(file.info.name)}
        if file.size_bytes is not None:
            headers["Content-Length"] = str(file.size_bytes)
        content = pieces(first, file)
        return Download(
            content, stack.pop_all(), headers=headers, media_type=file.info.content_type
        )
    raise AssertionError  # a block of AsyncExitStack is never left silently


class Download(StreamingResponse):
    """A response that closes its file, whether or not anybody reads it."""

    def __init__(
        self, content: AsyncIterator[bytes], closing: AsyncExitStack, **options: Any
    ) -> None:
        super().__init__(content, **options)
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._closing:
            await super().__call__(scope, receive, send)


async def pieces(first: bytes, file: AsyncTenantFile) -> AsyncIterator[bytes]:
    """The content, of which a piece was read already."""
    if first:
        yield first
    async for block in file:
        yield block


def mismatch(claim: Claim, request: Request) -> str:
    """What of an upload isn't as its link says; "" for nothing."""
    if request.headers.get("content-type", "") != claim.content_type:
        return f"the link is for another Content-Type: {claim.content_type}"
    if request.headers.get("content-length", str(claim.size_bytes)) != str(claim.size_bytes):
        return f"the link is for exactly {claim.size_bytes} bytes"
    if "content-encoding" in request.headers:
        return "send the content as it is, without a Content-Encoding"
    return ""


def disposition(name: str) -> str:
    """An attachment of that name (RFC 6266), of which only the last part is told."""
    leaf = name.rpartition("/")[2]
    return (
        f"attachment; filename=\"{UNSAFE.sub('_', leaf)}\"; filename*=UTF-8''{quote(leaf, safe='')}"
    )


def refused(error: PartywallError) -> Response:
    """The answer to who comes with a link."""
    if isinstance(error, (NotAuthenticated, TenantError)):
        return problem(403, REFUSED)
    return answer(error)
