"""How often something may be tried in a window of time, over all processes."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, tuple_, update

from partywall.control import tables
from partywall.control.database import inserting, now
from partywall.errors import ConfigurationError, TooManyAttempts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.control.database import Database

ATTEMPTS = tables.attempts

KEPT = dt.timedelta(days=1)
"""How long a count is of use: no window is longer."""

SWEPT = 100
"""Counts of the past that are removed at once."""


def attempt(database: Database, key: str, *, limit: int, window_s: float) -> None:
    """Count one attempt, unless it is one too many; then attempt it.

    The count has a transaction of its own, and stands whatever comes of what is attempted. Of any
    number in the same moment no more than *limit* come through.

    Args:
        database: the control plane's.
        key: who tries what; only a hash of it is kept.
        limit: how many a window may have.
        window_s: how long a window is, a day at most. They begin at whole multiples of it since
            1970, so that around the end of one there can be twice as many.

    Raises:
        TooManyAttempts: when this is one too many; nothing was counted.
        ConfigurationError: when the window can't be.
    """
    with database.begin() as connection:
        wait_s = counted(connection, key, limit=limit, window_s=window_s)
    if wait_s:
        raise TooManyAttempts("too many attempts: wait before the next one", retry_after_s=wait_s)


def counted(connection: Connection, key: str, *, limit: int, window_s: float) -> float:
    """Count one attempt; the seconds to wait, 0.0 when it was counted.

    Whoever counts with the same key waits until the transaction ends: commit it at once.
    """
    moment = now()
    row = {**window(key, window_s, moment), "count": 1}
    insert = inserting(connection, ATTEMPTS)
    counting = insert.values(row).on_conflict_do_update(
        index_elements=[ATTEMPTS.c.key, ATTEMPTS.c.begun_at],
        set_={"count": ATTEMPTS.c.count + 1},
        where=ATTEMPTS.c.count < limit,
    )
    count = None
    if limit > 0:
        count = connection.execute(counting.returning(ATTEMPTS.c.count)).scalar_one_or_none()
    if count is None:
        ends = row["begun_at"] + dt.timedelta(seconds=window_s)
        return max(float((ends - moment).total_seconds()), 0.001)
    if count == 1 and row["key"].startswith("0"):  # one key in sixteen, once a window
        sweep(connection, moment - KEPT)
    return 0.0


def give_back(connection: Connection, key: str, *, window_s: float) -> None:
    """Take an attempt from the count again: it came to what it should."""
    here = window(key, window_s, now())
    same = (ATTEMPTS.c.key == here["key"], ATTEMPTS.c.begun_at == here["begun_at"])
    less = update(ATTEMPTS).where(*same, ATTEMPTS.c.count > 0)
    connection.execute(less.values(count=ATTEMPTS.c.count - 1))


def window(key: str, window_s: float, moment: dt.datetime) -> dict[str, Any]:
    """The key of the row that counts now.

    Raises:
        ConfigurationError: when a window is not longer than nothing, or longer than a day.
    """
    if not 0 < window_s <= KEPT.total_seconds():
        raise ConfigurationError(f"a window of {window_s} s can't be: more than 0, a day at most")
    begun_s = moment.timestamp() // window_s * window_s
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return {"key": digest, "begun_at": dt.datetime.fromtimestamp(begun_s, dt.UTC)}


def sweep(connection: Connection, before: dt.datetime) -> None:
    """Remove some of the counts that began before a moment.

    Those that somebody else is removing are left to him: two that wait for one another's would
    both be stuck.
    """
    each = tuple_(ATTEMPTS.c.key, ATTEMPTS.c.begun_at)
    old = select(ATTEMPTS.c.key, ATTEMPTS.c.begun_at).where(ATTEMPTS.c.begun_at < before)
    some = old.limit(SWEPT).with_for_update(skip_locked=True)
    connection.execute(delete(ATTEMPTS).where(each.in_(some)))
