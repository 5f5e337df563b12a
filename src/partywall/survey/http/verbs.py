"""Words of paths that say what an operation does, not what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.nouns import snake

if TYPE_CHECKING:
    from partywall.survey.http.operations import Operation

MAKING = frozenset(
    {
        "create", "new", "add", "upload", "register", "import", "insert", "save", "make", "open",
        "submit", "store", "invite", "start", "generate", "send", "post", "publish", "ingest",
    }
)  # fmt: skip
REMOVING = frozenset({"delete", "remove", "destroy", "archive", "discard", "purge"})
LISTING = frozenset({"list", "all", "search", "index", "mine", "find", "query"})
DOORS = frozenset(
    {
        "login", "log_in", "signin", "sign_in", "signup", "sign_up", "register", "registration",
        "logout", "log_out", "signout", "sign_out", "token", "tokens_refresh", "refresh", "auth",
        "authenticate", "oauth", "session", "callback", "authorize",
    }
)  # fmt: skip
"""What lets somebody in or out; it makes nothing that a tenant has."""


def last_word(operation: Operation) -> str:
    """The last fixed segment of its path."""
    return snake(operation.words[-1]) if operation.words else ""


def door(operation: Operation) -> bool:
    """Whether it lets somebody in or out."""
    return bool(DOORS & {snake(word) for word in operation.words})
