"""An application that tells what it was sent, byte by byte."""

from __future__ import annotations

import base64
import json
from email.message import MIMEPart
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

OF_THE_CLIENT = {
    "user-agent",
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
}
"""Headers by which curl and httpx differ, and that say nothing."""


async def echo(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer with method, path, query, headers and body."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
    told = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": {k: v for k, v in sorted(headers.items()) if k not in OF_THE_CLIENT},
        "body": base64.b64encode(body).decode(),
    }
    answer = json.dumps(told).encode()
    length = str(len(answer)).encode()
    kind = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": kind})
    await send({"type": "http.response.body", "body": answer})


def meant(told: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, whatever boundary a form's parts were parted by.

    A part without a name, by which httpx is made to send a form without files, counts for nothing.
    """
    body = base64.b64decode(told["body"])
    headers = dict(told["headers"])
    kind = headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return {**told, "body": body}
    headers["content-type"] = "multipart/form-data"
    form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = [_part(part) for part in form.iter_parts()]
    parts = [part for part in parts if 'name="' in part[0]]
    return {**told, "headers": headers, "body": parts}


def _part(part: MIMEPart) -> tuple[str, str, str, bytes]:
    disposition = str(part["content-disposition"])
    file = part.get_filename() or ""
    media = part.get_content_type() if file else ""
    content = part.get_payload(decode=True)
    return disposition, file, media, content if isinstance(content, bytes) else b""
