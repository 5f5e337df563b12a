"""What `ScopedQueries` takes to look at a statement: the first time, and each time after it."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from benchmarks.runtime.contenders.mapped import Bare
from benchmarks.runtime.tenants import tenant
from partywall import ScopedQueries
from partywall.runtime.scoping.gate import analyses, objection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.runtime.scoping.requirement import Requirement

    Analyse = Callable[[str], Requirement]

TENANT = tenant(1)
MODEL = ScopedQueries()
TIMES = 2000

BY_HAND = {
    "a join": (
        "SELECT n.id, c.body FROM notes n JOIN comments c ON c.note_id = n.id "
        "AND c.tenant_id = n.tenant_id WHERE n.tenant_id = %(tenant)s AND n.id = %(id)s"
    ),
    "two CTEs and a union": (
        "WITH mine AS (SELECT * FROM notes WHERE tenant_id = %(tenant)s), "
        "latest AS (SELECT * FROM comments WHERE tenant_id = %(tenant)s ORDER BY id DESC LIMIT 9) "
        "SELECT m.id, m.body FROM mine m UNION ALL SELECT l.id, l.body FROM latest l"
    ),
    "an update": "UPDATE notes SET body = %(body)s WHERE tenant_id = %(tenant)s AND id = %(id)s",
}


@dataclass(frozen=True)
class Looked:
    """The time of one statement.

    Attributes:
        first_us: microseconds to read and to judge it, the median over fresh caches.
        known_us: microseconds when it was seen before, parameters compared.
    """

    title: str
    characters: int
    first_us: float
    known_us: float


def statements() -> Iterator[tuple[str, str, dict[str, object]]]:
    """Title, text and parameters, as they come to the driver."""
    chosen = select(Bare).where(Bare.tenant_id == bindparam("tenant"), Bare.id == bindparam("id"))
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types
    yield "a select by key", str(chosen.compile(dialect=dialect)), {"tenant": TENANT, "id": 7}
    for title, text in BY_HAND.items():
        yield title, text, {"tenant": TENANT, "id": 7, "body": "…"}
    rows = ", ".join(f"(%(tenant)s, %(id_{n})s, %(body_{n})s)" for n in range(100))
    values: dict[str, object] = {f"id_{n}": n for n in range(100)}
    values |= {f"body_{n}": "…" for n in range(100)}
    insert = f"INSERT INTO notes (tenant_id, id, body) VALUES {rows}"
    yield "an insert of 100 rows", insert, {"tenant": TENANT, **values}


def analysis() -> Iterator[Looked]:
    """Look at each statement often."""
    style = PGDialect_psycopg.default_paramstyle
    known = analyses(MODEL, style)
    for title, text, parameters in statements():
        assert objection(known(text), (parameters,), TENANT) is None  # noqa: S101 - the usual work

        def look(required: Analyse, text: str = text, given: object = parameters) -> float:
            # As a new string, whose hash nobody knows yet.
            anew = str(text.encode(), "utf-8")
            return taken(lambda: objection(required(anew), (given,), TENANT))

        first = statistics.median(look(analyses(MODEL, style)) for _ in range(TIMES // 100))
        again = statistics.median(look(known) for _ in range(TIMES))
        yield Looked(title, len(text), first, again)


def taken(work: Callable[[], object]) -> float:
    """Microseconds."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e6
