"""What names say: which flags to raise, which moments lie ahead, which constants come first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.catalog.facts import Column

GONE = re.compile(
    r"delet|(^|_)ban(_|$)|revok|archiv|suspend|disabl|disab|banned|cancel|remov|block|lock|trash|hidden|reject|"
    r"withdraw|anonymi|purge|deactivat|inactive|expired|terminat|discard|reset|used_at|merged",
)
AHEAD = re.compile(
    r"expir|until|_end|end_|ends|^end|_due|due_|deadline|finish|valid_to|_to$|next|close"
)
RAISED = re.compile(
    r"activ|enabl|verif|confirm|accept|approv|current|valid|ready|allow|can_|visible|complete"
)
USER = re.compile(
    r"(^|_)(user|member|profile|person|employee|actor|author|owner|creator|sub|uid|assignee|"
    r"created_by|updated_by|added_by|uploaded_by)(_?(id|uuid|uid|sub))?$"
)
USERS = re.compile(r"(^|_)(user|profile|person|people|employee|member|login|identit)(s|ies|es)?$")
FIRST = (
    "owner", "admin", "superadmin", "administrator", "active", "enabled", "approved", "accepted",
    "confirmed", "verified", "member", "editor", "write", "user", "open", "valid", "private",
    "internal", "team", "organization", "normal", "standard", "default",
)  # fmt: skip
LAST = (
    "public", "published", "anonymous", "anon", "everyone", "world", "shared", "global", "system",
    "deleted", "archived", "revoked", "suspended", "disabled", "inactive", "cancelled", "canceled",
    "expired", "blocked", "banned", "rejected", "removed", "none", "",
)  # fmt: skip
QUOTED = re.compile(r"^'((?:[^']|'')*)'(::.*)?$", re.DOTALL)
WORDY = re.compile(r"[A-Za-z][A-Za-z _:.-]*")
FREE = re.compile(
    r"(^|_)(name|title|description|body|content|notes?|comment|e?mail|slug|url|label)$"
)
PLAIN = re.compile(r"^\(?(-?\d+(\.\d+)?|true|false)\)?(::.*)?$")


def default_literal(column: Column) -> str | None:
    """The constant that *column* defaults to, None when it has none or an expression."""
    text = (column.default or "").strip()
    if quoted := QUOTED.match(text):
        return quoted.group(1).replace("''", "'")
    if plain := PLAIN.match(text):
        return plain.group(1)
    return None


def rank(label: str) -> int:
    """Order constants: those that grant come first, those that publish or end come last."""
    lowered = label.lower()
    if lowered in FIRST:
        return FIRST.index(lowered)
    if lowered in LAST:
        return 1000 + LAST.index(lowered)
    return 500


def ranked(labels: Iterable[str], first: str | None = None) -> tuple[str, ...]:
    """The *labels*, most useful first; *first* before all others."""
    return tuple(sorted(dict.fromkeys(labels), key=lambda label: (label != first, rank(label))))


def flag(column: Column) -> str:
    """The value of a boolean that leaves its row alive, private and without special rights."""
    default = default_literal(column)
    if default in {"true", "false"}:
        return default
    name = column.name.lower()
    return "true" if RAISED.search(name) and not GONE.search(name) else "false"


def ends_its_row(column: Column) -> bool:
    """Whether a value in *column* would say that the row is no longer alive."""
    return bool(GONE.search(column.name.lower())) and not column.not_null


def ahead(column: Column) -> bool:
    """Whether *column* names a moment that should lie in the future."""
    return bool(AHEAD.search(column.name.lower()))


def points_at(column: str) -> tuple[str, ...]:
    """Names of tables whose key a column of this name holds: ``order_id`` -> `orders`, `order`."""
    stem = column.removesuffix("_id")
    if stem == column:
        return ()
    return (f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies", stem)


def telling(column: Column, constant: str) -> bool:
    """Whether a *constant* that policies compare *column* with is one of a few kinds of row.

    Free text that some function compares with a constant keeps its canary.
    """
    textual = column.base in {"text", "varchar", "bpchar", "citext", "name"}
    if textual and (FREE.search(column.name.lower()) or not WORDY.fullmatch(constant)):
        return False
    return bool(constant) and constant.lower() not in LAST


def names_user(column: str) -> bool:
    """Whether a column of this name holds the acting user's id."""
    return bool(USER.search(column.lower()))


def lists_users(table: str) -> bool:
    """Whether a table of this name holds users, so that its key is the acting user's id."""
    return bool(USERS.search(table.lower()))
