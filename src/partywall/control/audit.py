"""The audit log: for each tenant a chain of entries that can be added to, and nothing else.

What an entry is and how it is hashed is said in `partywall.control.chain`. The database refuses to
change or remove entries (triggers of the first migration); who gets round that is seen by `verify`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DataError, DBAPIError

from partywall.control.chain import (
    EMPTY,
    Chain,
    Detail,
    Entry,
    Head,
    Plain,
    Verification,
    canonical,
    checked,
    digest,
    document,
    verify_export,
)
from partywall.control.database import now
from partywall.control.tables import audit_log
from partywall.errors import InvalidRecord, PartywallError, Unavailable
from partywall.runtime.events import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from partywall.context import TenantContext
    from partywall.control.database import Database

__all__ = [
    "EMPTY", "AuditObserver", "Detail", "Entry", "Head", "Verification", "entries", "exported",
    "fitted", "head", "logs", "record", "verify", "verify_export",
]  # fmt: skip

ACTION = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\Z")
LONGEST_ACTION = 64
LONGEST = 256
"""Characters of an actor, a subject or a source."""

LONGEST_TEXT = 512
"""Characters of one text in a detail."""

LARGEST_DETAIL = 2048
"""Bytes of a detail in canonical form: room for names and numbers, none for rows."""

SECRET = re.compile(r"pass(?:word|phrase|wd)|secret|token|credential|private_?key|authorization")
"""What the name of a member may not say: its value would be one."""

LOOKS_SECRET = re.compile(r"pw_[A-Za-z0-9_-]{16}|eyJ[A-Za-z0-9_-]{8,}\.|\$argon2|-----BEGIN ")
"""API keys, JWTs, hashes of passwords, private keys: hidden wherever they come up."""

HIDDEN = "(hidden)"

WAIT_S = 5
"""How long the way out of the walls waits for its entry in the log."""


def record(
    connection: Connection,
    tenant_id: str,
    action: str,
    *,
    actor: str,
    subject: str = "",
    source: str = "",
    detail: Detail | None = None,
) -> Entry:
    """Add an entry, in the transaction of what it tells of: both are there, or neither.

    The tenant's log is locked until the transaction ends, that of no other. So record last, and
    of several tenants in the order of their ids.

    Args:
        connection: a transaction that writes.
        tenant_id: whose log; "" for what concerns no tenant.
        action: ``member.removed``: small letters, digits, underscores, with dots between.
        actor: who: a user's id, an API key's, or the name of a process; "" for the application.
        subject: of what: an id.
        source: from where: an address.
        detail: what else: text, whole numbers, true, false, null and lists of text, by name; at
            most 2 KiB. Ids and names; never a row of the tenant, and never a secret.

    Raises:
        InvalidRecord: when one of these is not as said; nothing was changed. What strangers have
            chosen goes through `fitted` first.
    """
    about = fit(detail or {})
    if not ACTION.match(action) or len(action) > LONGEST_ACTION:
        raise InvalidRecord('an action is named as "member.removed": small letters and dots')
    texts = {"tenant_id": tenant_id, "actor": actor, "subject": subject, "source": source}
    whole = {name: told(name, value, LONGEST) for name, value in texts.items()}
    lock(connection, tenant_id)
    before = head(connection, tenant_id)
    entry = Entry(
        **whole,
        action=action,
        number=before.number + 1,
        at=now(),
        detail=about,
        previous=before.hash,
        hash=b"",
    )
    entry = replace(entry, hash=digest(document(entry)))
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    connection.execute(insert(audit_log).values(values))
    return entry


def lock(connection: Connection, tenant_id: str) -> None:
    """Be the only one that writes to this log, until the transaction ends.

    SQLite has one writer at a time anyway. Two logs whose keys collide only wait for each other.
    """
    if connection.dialect.name == "postgresql":
        key = hashlib.sha256(f"partywall audit log {tenant_id}".encode()).digest()[:8]
        number = int.from_bytes(key, "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def head(connection: Connection, tenant_id: str) -> Head:
    """The last entry's number and hash; number 0 before the first."""
    found = connection.execute(
        select(audit_log.c.number, audit_log.c.hash)
        .where(audit_log.c.tenant_id == tenant_id)
        .order_by(audit_log.c.number.desc())
        .limit(1)
    ).one_or_none()
    return Head(found.number, bytes(found.hash)) if found else EMPTY


def logs(connection: Connection) -> list[str]:
    """The tenants that have a log, deleted ones too; "" is that of what concerns no tenant."""
    names = select(audit_log.c.tenant_id).distinct().order_by(audit_log.c.tenant_id)
    return list(connection.execute(names).scalars())


def entries(
    connection: Connection, tenant_id: str, *, after: int = 0, limit: int = 1000
) -> list[Entry]:
    """The entries of a log after the number *after*, at most *limit*.

    Raises:
        InvalidRecord: when one was tampered with so that it can't be read.
    """
    query = (
        select(*(audit_log.c[name] for name in Entry.__slots__))
        .where(audit_log.c.tenant_id == tenant_id, audit_log.c.number > after)
        .order_by(audit_log.c.number)
        .limit(limit)
    )
    try:
        return [
            Entry(**row._asdict() | {"previous": bytes(row.previous), "hash": bytes(row.hash)})
            for row in connection.execute(query)
        ]
    except Exception as error:
        if not unreadable(error):
            raise
        raise InvalidRecord(
            "an entry of this log was tampered with and can't be read: `partywall log verify` "
            "says which"
        ) from error


def each(connection: Connection, tenant_id: str, after: int = 0) -> Iterator[Entry]:
    """All entries, as they are needed: numbers are given under a lock, so that none comes late."""
    while page := entries(connection, tenant_id, after=after):
        yield from page
        after = page[-1].number


def exported(connection: Connection, tenant_id: str) -> Iterator[str]:
    """The log as JSON lines, without line ends, which `verify_export` checks without a database.

    Raises:
        InvalidRecord: at an entry that was tampered with so that it can't be read or written.
    """
    for entry in each(connection, tenant_id):
        yield canonical(document(entry))


def verify(connection: Connection, tenant_id: str, *, head: Head | None = None) -> Verification:
    """Check a log from its first entry to its last.

    Args:
        connection: any transaction.
        tenant_id: whose log.
        head: one that was kept elsewhere, by `head` or from an export. Without it a log whose end
            was cut off, or which was made anew from some entry on, looks whole.
    """
    chain = Chain(head, tenant_id)
    try:
        for entry in each(connection, tenant_id):
            if fault := chain.refusal(document(entry)):
                return chain.broken(fault)
    except InvalidRecord:
        return narrowed(connection, tenant_id, Chain(head, tenant_id))
    return chain.ended()


def narrowed(connection: Connection, tenant_id: str, chain: Chain) -> Verification:
    """As `verify`, entry by entry, where one can't even be read: say which."""
    while True:
        try:
            found = entries(connection, tenant_id, after=chain.last.number, limit=1)
        except InvalidRecord:
            return chain.broken("it can't be read")
        if not found:
            return chain.ended()
        if fault := chain.refusal(document(found[0])):
            return chain.broken(fault)


def unreadable(error: Exception) -> bool:
    """Whether it is what a driver or a type raises at a value that no entry of ours has."""
    if isinstance(error, (ValueError, TypeError, ArithmeticError, DataError)):
        return True
    return isinstance(error, DBAPIError) and "Could not decode" in str(error.orig)  # SQLite's


def fit(detail: Detail) -> dict[str, Any]:
    """A detail that may stand in an entry.

    Raises:
        InvalidRecord: see `record`; the message names the member and never its value.
    """
    fitting = {str(name): fit_one(str(name), value) for name, value in detail.items()}
    if len(canonical(fitting).encode()) > LARGEST_DETAIL:
        raise InvalidRecord(
            f"an audit entry's detail is over {LARGEST_DETAIL} bytes: it holds ids and names, and "
            "no rows"
        )
    return fitting


def fit_one(name: str, value: object) -> Plain | list[str]:
    """One member of a detail.

    Raises:
        InvalidRecord: see `record`.
    """
    if not ACTION.match(name) or SECRET.search(name):
        raise InvalidRecord(
            "a detail's names are small letters, digits, underscores and dots, and none says "
            "password, secret, token or the like: a log holds no secret"
        )
    match value:
        case str():
            return told(name, value, LONGEST_TEXT)
        case list() if all(isinstance(one, str) for one in value):
            return [told(name, one, LONGEST_TEXT) for one in value]
        case None | bool() | int():
            checked(value)
            return value
        case _:
            raise InvalidRecord(
                f"the detail {name} is of type {type(value).__name__}: it can be text, a whole "
                "number, true, false, null or a list of text"
            )


def told(name: str, value: object, longest: int) -> str:
    """Text that is short and whole; ``(hidden)`` for what has the form of a secret.

    Raises:
        InvalidRecord: for what is not; the message doesn't repeat it.
    """
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidRecord(f"an audit entry's {name} is text of at most {longest} characters")
    checked(value)
    return HIDDEN if LOOKS_SECRET.search(value) else str.__str__(value)


def fitted(value: object, longest: int = LONGEST) -> str:
    """What a stranger has sent, so that it can stand in an entry: an attempt is always recorded.

    Control characters and halves of surrogate pairs become a replacement character, what is too
    long is cut, what looks like a secret becomes ``(hidden)``.
    """
    whole = "".join(c if c.isprintable() else "\ufffd" for c in str(value)[: longest + 1])
    if LOOKS_SECRET.search(whole):
        return HIDDEN
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


class AuditObserver(Observer):
    """Puts every `Tenancy.every_tenant` into the log: `Tenancy(…, observer=AuditObserver(…))`.

    The entry is committed before the session is there, and without an entry there is none. Async
    code waits for it too, which takes one short transaction.

    Args:
        database: the control plane's.
        then: an observer that is told everything as well.
    """

    def __init__(self, database: Database, then: Observer | None = None) -> None:
        self._database = database
        self._then = then or Observer()

    def entered(self, context: TenantContext | None, duration_s: float) -> None:
        """Pass it on."""
        self._then.entered(context, duration_s)

    def refused(self, context: TenantContext | None, error: PartywallError) -> None:
        """Pass it on."""
        self._then.refused(context, error)

    def waited(self, duration_s: float, *, timed_out: bool) -> None:
        """Pass it on."""
        self._then.waited(duration_s, timed_out=timed_out)

    def opened_to_all(self, reason: str, by: str) -> None:
        """Record it, under "".

        Raises:
            Unavailable: when it can't be recorded; the session is not opened.
        """
        try:
            with self._database.begin() as connection:
                if not self._database.sqlite:  # of a caller that holds the log's lock itself
                    connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
                record(
                    connection,
                    "",
                    "every_tenant.opened",
                    actor=fitted(by),
                    detail={"reason": fitted(reason, LONGEST_TEXT)},
                )
        except DBAPIError as error:
            raise Unavailable(
                "every_tenant was refused: the audit log could not be written to"
            ) from error
        self._then.opened_to_all(reason, by)
