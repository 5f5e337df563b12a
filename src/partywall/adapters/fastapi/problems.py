"""Errors as RFC 9457 problem details: `application/problem+json`.

Every 404 is the same 404, to the byte: that of an unknown tenant, of another tenant's resource, of
a path that nothing serves. No problem repeats what the client has sent.
"""

from __future__ import annotations

import json
import math
import re
import socket
import sqlite3
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as ConnectionTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from partywall.errors import (
    DeletedTenant,
    InactiveTenant,
    InvalidChannel,
    InvalidRecord,
    MessageTooLarge,
    NotAuthenticated,
    NotPermitted,
    PartywallError,
    PoolTimeout,
    QuotaExceeded,
    RecordConflict,
    TenantExists,
    TenantMismatch,
    TooLarge,
    TooManyAttempts,
    Unavailable,
    UnknownExecution,
    UnknownRecord,
    UnknownTenant,
    WorkError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

MEDIA_TYPE = "application/problem+json"
AGAIN_S = 5.0
"""When to try again where the error does not say it."""

BUSY_S = 1.0
"""The same where it is a connection that was waited for."""

NEEDED = "a credential is needed that holds: a token or an API key"
AGAIN = "what is needed for an answer is not there yet: try again"

STATUSES: dict[int, tuple[type[Exception], ...]] = {
    403: (NotPermitted, InactiveTenant),
    409: (RecordConflict, TenantExists),
    413: (MessageTooLarge, TooLarge),
    422: (InvalidRecord, InvalidChannel),
    429: (TooManyAttempts, QuotaExceeded),
}
"""Errors whose own message goes to the client; it holds no row and no secret."""

NOT_FOUND = (UnknownTenant, DeletedTenant, TenantMismatch, UnknownRecord, UnknownExecution)
DOWN = frozenset({"57P01", "57P02", "57P03", "53300"})
"""PostgreSQL's codes for a server that stops, starts or takes no more; class 08 besides.
https://www.postgresql.org/docs/current/errcodes-appendix.html"""

BLOCKED = frozenset({"SQLITE_BUSY", "SQLITE_CANTOPEN"})

POLICY_VIOLATION = 1008
"""RFC 6455, 7.4.1."""

ANSWERED = (
    HTTPException,
    RequestValidationError,
    WebSocketRequestValidationError,
    PartywallError,
    ConnectionTimeout,
    DBAPIError,
    ConnectionRefusedError,
    socket.gaierror,
)

SAID = frozenset(
    {
        "missing", "extra_forbidden", "too_short", "too_long",
        "bool_parsing", "bool_type", "int_parsing", "int_type", "int_from_float", "float_parsing",
        "float_type", "string_type", "string_too_short", "string_too_long",
        "string_pattern_mismatch", "list_type", "dict_type", "model_attributes_type",
        "greater_than", "greater_than_equal", "less_than", "less_than_equal", "literal_error",
        "enum", "timezone_aware", "datetime_type",
    }
)  # fmt: skip
"""Kinds of validation errors whose message is made of the declaration alone. Others, and those of
a validator of the application, may repeat what was sent: of them the kind is told.
https://docs.pydantic.dev/latest/errors/validation_errors/"""

FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
"""What the name of a declared field looks like."""


def problem(
    status: int,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    retry_after_s: float | None = None,
    **members: Any,
) -> Response:
    """A response that is a problem.

    Args:
        status: of HTTP.
        detail: what happened and what helps, for a person; nothing that the client has sent.
        headers: besides those that every problem has.
        retry_after_s: when to try again.
        members: of the problem, besides RFC 9457's.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    said = dict(headers or {}) | {"Cache-Control": "no-store"}
    if retry_after_s is not None:
        said["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    text = json.dumps(body | members, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, said, MEDIA_TYPE)


def answer(error: Exception, *, credential: bool = False) -> Response:
    """The problem that *error* is to a client; 500, without a word of it, for what is none.

    Args:
        error: what was raised.
        credential: whether the request had one (RFC 6750, 3.1).
    """
    if isinstance(error, HTTPException):
        return of_http(error)
    if isinstance(error, (RequestValidationError, WebSocketRequestValidationError)):
        return of_validation(error.errors())
    if isinstance(error, NotAuthenticated):
        said = 'Bearer error="invalid_token"' if credential else "Bearer"
        return problem(401, NEEDED, headers={"WWW-Authenticate": said})
    for status, kinds in STATUSES.items():
        if isinstance(error, kinds):
            again_s = getattr(error, "retry_after_s", None)
            return problem(status, told(error), retry_after_s=again_s)
    if isinstance(error, NOT_FOUND):
        return problem(404)
    again_s = retry_s(error)
    return problem(500) if again_s is None else problem(503, AGAIN, retry_after_s=again_s)


def told(error: Exception) -> str:
    """What an error of `STATUSES` says to a client; the mend of a quota is for the operator."""
    if isinstance(error, QuotaExceeded):
        return f"the tenant has used up what it may have of {error.kind}"
    return str(error)


def of_http(error: HTTPException) -> Response:
    """What the application has raised itself; every 404 alike."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(404)
    if (
        error.status_code < HTTPStatus.BAD_REQUEST
        or error.status_code == HTTPStatus.UPGRADE_REQUIRED
    ):
        return Response(status_code=error.status_code, headers=error.headers)
    phrase = HTTPStatus(error.status_code).phrase
    if isinstance(error.detail, str):
        said = "" if error.detail == phrase else error.detail
        return problem(error.status_code, said, headers=error.headers)
    return problem(error.status_code, headers=error.headers, errors=error.detail)


def of_validation(errors: Any) -> Response:
    """What was wrong where in a request, and nothing of what stood there."""
    return problem(
        422,
        "the request is not as it was declared",
        errors=[
            {"at": place(each), "kind": each["type"]}
            | ({"message": each["msg"]} if each["type"] in SAID else {})
            for each in errors
        ],
    )


def place(error: Mapping[str, Any]) -> str:
    """Where a validation error is: `body.owner.email`; names that the client has chosen left out.

    What looks like no name of a field may be a key that was sent.
    """
    parts = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        parts[-1] = "*"
    return ".".join(part if part.isdigit() or FIELD.match(part) else "*" for part in parts)


def retry_s(error: Exception) -> float | None:
    """When to try again after an error that passes by itself; None for one that does not."""
    if isinstance(error, Unavailable):
        return error.retry_after_s
    if isinstance(error, (PoolTimeout, ConnectionTimeout)):
        return BUSY_S
    if isinstance(error, WorkError) or down(error):
        return AGAIN_S
    return None


def down(error: Exception) -> bool:
    """Whether a driver says that its database is not there, or goes away."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, (ConnectionRefusedError, socket.gaierror))  # asyncpg's, bare
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return code in DOWN or code.startswith("08")
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorname in BLOCKED
    return isinstance(error, OperationalError)  # libpq's, which has no code for it


async def respond(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer a request, or refuse a WebSocket, with the problem that *error* is.

    Raises:
        Exception: *error* itself, when it is a fault of the application: the server logs it, and
            `fallen` answers.
    """
    response = answer(error, credential="authorization" in connection.headers)
    if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(
        error, HTTPException
    ):
        raise error
    if not isinstance(connection, WebSocket):
        return response
    if connection.application_state is WebSocketState.DISCONNECTED:
        return None  # it was closed, with a code of its own
    if connection.application_state is not WebSocketState.CONNECTING:
        await connection.close(POLICY_VIOLATION)
        return None
    if "websocket.http.response" in connection.scope.get("extensions", {}):
        return response
    await connection.close(POLICY_VIOLATION)
    return None


async def fallen(connection: HTTPConnection, error: Exception) -> Response:
    """Answer a request on which the application has failed; Starlette raises *error* again."""
    del connection, error
    return problem(500)


def install(app: Starlette) -> None:
    """Answer the errors of *app* as problems, where it has said nothing else."""
    for kind in ANSWERED:
        handler = app.exception_handlers.get(kind)
        if handler is None or getattr(handler, "__module__", "").startswith("fastapi."):
            app.add_exception_handler(kind, respond)  # type: ignore[arg-type]  # of a coroutine
    if not {500, Exception} & app.exception_handlers.keys():
        app.add_exception_handler(Exception, fallen)


def schema() -> dict[str, Any]:
    """A problem in OpenAPI."""
    text = {"type": "string"}
    part = {"type": "object", "required": ["at", "kind"]}
    return {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {
                "type": "array",
                "items": part | {"properties": {"at": text, "kind": text, "message": text}},
            },
        },
    }


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problems for `responses=` of a route, a router or an application.

    Without *statuses*: all that a route with a tenant may answer.
    """
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema()}},
        }
        for status in statuses or (400, 401, 403, 404, 409, 422, 429, 503)
    }
