"""How a socket or a stream ends: its code, of which the package's docstring has the table."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException

from partywall.errors import NotAuthenticated, SocketClosed


@dataclass(frozen=True, slots=True)
class Ending:
    """Why it ended.

    Attributes:
        code: of RFC 6455, 7.4.
        reason: for a person; at most 123 bytes.
        orderly: what waits to be sent is sent before.
    """

    code: int
    reason: str
    orderly: bool = False

    @property
    def error(self) -> SocketClosed:
        """For who goes on to use it."""
        return SocketClosed(f"this socket has ended: {self.reason}", code=self.code)


DONE = Ending(1000, "it has come to its end", orderly=True)
LEAVING = Ending(1001, "the server stops: connect again")
BINARY = Ending(1003, "messages are JSON, as text")
UNREADABLE = Ending(1007, "this is no JSON")
LARGE = Ending(1009, "the message is too large")
SLOW = Ending(1013, "messages came faster than they were taken: connect again")
LOST = Ending(1013, "messages may have been missed: connect again")
UNCONFIRMED = Ending(1013, "nobody can say whether you may hear this: connect again")
UNAUTHENTICATED = Ending(4401, "the credential holds no longer")
FORBIDDEN = Ending(4403, "you are no longer let in")
IDLE = Ending(4408, "nothing was said or heard for too long")


def of(error: Exception) -> Ending:
    """What a refusal is to who was let in before."""
    unknown = HTTPStatus.UNAUTHORIZED
    if isinstance(error, NotAuthenticated) or (
        isinstance(error, HTTPException) and error.status_code == unknown
    ):
        return UNAUTHENTICATED
    return FORBIDDEN
