"""Does the steps of an upgrade on one connection: gives way, tries again, picks up what is left."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import errors

from partywall.errors import UpgradeError
from partywall.fleet.steps import Step
from partywall.isolation.naming import literal, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Progress = Callable[[Step, str], None]

Result = TypeVar("Result")

ROWS_A_PAGE = 50  # of a table that was never analysed
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0
ALONE = int.from_bytes(sha256(b"partywall.fleet.upgrade").digest()[:8], signed=True)
"""The advisory lock of the one upgrade that may run in a database."""

HOLDER = """
SELECT a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'),
    extract(epoch FROM clock_timestamp() - a.xact_start)::int
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL AND a.datname = current_database()
    AND a.backend_type = 'client backend'
ORDER BY EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted
    AND l.relation = ANY (SELECT to_regclass(t) FROM unnest(%s::text[]) t)) DESC, a.xact_start
LIMIT 1
"""
PAGES = """
SELECT pg_relation_size(c.oid) / current_setting('block_size')::int,
    CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages END
FROM pg_class c WHERE c.oid = to_regclass(%s)
"""
INVALID = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(%s))"


@dataclass(frozen=True, slots=True)
class Work:
    """Does steps, on one connection."""

    connection: Connection
    lock_timeout_s: float
    patience_s: float
    batch_rows: int
    progress: Progress

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to upgrade this database.

        Asked for again and again: a statement that waited for it would be a transaction that an
        index being built concurrently waits for.

        Raises:
            UpgradeError: when another upgrade has it for longer than one is patient.
        """

        def lock() -> None:
            if not self.told("SELECT pg_try_advisory_lock(%s)", ALONE):
                raise errors.LockNotAvailable

        step = Step("column", "wait for another upgrade of this database to end", ())
        try:
            self.patiently(step, lock)
        except errors.LockNotAvailable:
            raise UpgradeError(
                f"another upgrade of this database has run for {self.patience_s:g} s: wait for it"
            ) from None
        try:
            yield
        finally:
            if not self.connection.closed:
                self.connection.execute("SELECT pg_advisory_unlock(%s)", [ALONE])

    def do(self, step: Step) -> None:
        """Do one step.

        Raises:
            UpgradeError: when it can't be done.
        """
        self.progress(step, "begins")
        ways = {
            "short": self.short,
            "long": self.long,
            "concurrently": self.concurrently,
            "batches": self.batches,
        }
        try:
            ways[step.kind](step)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            raise UpgradeError(
                f"{step.does}: no lock came free within {self.patience_s:g} s{self.holder(step)}; "
                "then run the upgrade again: it goes on here"
            ) from None
        except psycopg.Error as error:
            said = error.diag.message_primary or "the connection broke"
            raise UpgradeError(
                f"{step.does}: {said}\n{'; '.join(step.sql)}\n"
                "run the upgrade again when that is mended: it goes on here"
            ) from None
        self.progress(step, "done")

    def short(self, step: Step) -> None:
        """One transaction: all locks first, in one order, so that it never waits with work done."""
        timeout_s = self.lock_timeout_s / max(1, len(step.locks))

        def attempt() -> None:
            with self.connection.transaction():
                self.limit("SET LOCAL", timeout_s)
                if step.locks:
                    tables = ", ".join(map(qualified, step.locks))
                    self.run(f"LOCK TABLE {tables} IN {step.mode} MODE")
                for statement in step.sql:
                    self.run(statement)

        self.patiently(step, attempt)

    def long(self, step: Step) -> None:
        """One transaction that may wait: nobody waits behind it."""

        def attempt() -> None:
            with self.connection.transaction():
                self.limit("SET LOCAL", self.patience_s)
                for statement in step.sql:
                    self.run(statement)

        self.patiently(step, attempt)

    def concurrently(self, step: Step) -> None:
        """Build an index; what a broken-off attempt has left, invalid, goes first."""
        name = qualified(step.makes)

        def attempt() -> None:
            if self.told(INVALID, name):
                self.run(f"DROP INDEX CONCURRENTLY {name}")
            for statement in step.sql:
                self.run(statement)

        self.limit("SET", self.patience_s)
        try:
            self.patiently(step, attempt)
        finally:
            if not self.connection.closed:
                self.run("RESET lock_timeout")

    def batches(self, step: Step) -> None:
        """Write all rows, some pages in each transaction.

        Raises:
            UpgradeError: when rows are left for which there is no tenant.
        """
        fill, unfilled = step.sql
        [table] = step.locks
        while self.told(unfilled):
            row = self.connection.execute(PAGES.encode(), [qualified(table)]).fetchone()
            pages, density = row or (0, None)
            pace = max(1, int(self.batch_rows / (density or ROWS_A_PAGE)))
            written = 0
            for first in range(0, pages, pace):
                written += self.batch(step, fill, first, first + pace)
                self.progress(step, f"{written} rows")
            if not written and self.told(unfilled):
                raise UpgradeError(
                    f"{step.does}: rows are left whose tenant is NULL by tenant_of: mend the "
                    f"expression or the rows ({unfilled}), and run the upgrade again"
                )

    def batch(self, step: Step, fill: str, first: int, beyond: int) -> int:
        """Write the rows of some pages; how many there were."""

        def attempt() -> int:
            with self.connection.transaction():
                self.limit("SET LOCAL", self.lock_timeout_s)
                cursor = psycopg.RawCursor(self.connection)
                return cursor.execute(fill.encode(), [f"({first},0)", f"({beyond},0)"]).rowcount

        return self.patiently(step, attempt)

    def patiently(self, step: Step, attempt: Callable[[], Result]) -> Result:
        """Attempt again with growing pauses while a lock is not to be had."""
        deadline, pause_s = time.monotonic() + self.patience_s, SHORTEST_PAUSE_S
        tried = 0
        while True:
            try:
                return attempt()
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                if time.monotonic() + pause_s > deadline:
                    raise
            tried += 1
            self.progress(step, f"waits for a lock, attempt {tried}")
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def holder(self, step: Step) -> str:
        """Who has been in a transaction longest, of those that hold a lock on the tables first."""
        names = [qualified(name) for name in step.locks]
        row = self.connection.execute(HOLDER.encode(), [names]).fetchone()
        if row is None:
            return ""
        pid, application, seconds = row
        return (
            f". Process {pid} ({application}) has been in a transaction for {seconds} s: let it "
            f"end, or SELECT pg_terminate_backend({pid})"
        )

    def limit(self, form: str, timeout_s: float) -> None:
        """Say how long to wait for a lock: whole milliseconds, for 0 would be for ever."""
        self.run(f"{form} lock_timeout = {literal(f'{max(1, int(timeout_s * 1000))}ms')}")

    def run(self, statement: str) -> None:
        """Execute a statement as it is."""
        self.connection.execute(statement.encode())

    def told(self, query: str, *values: object) -> bool:
        """Whether the server says so."""
        row = self.connection.execute(query.encode(), values or None).fetchone()
        return bool(row and row[0])
