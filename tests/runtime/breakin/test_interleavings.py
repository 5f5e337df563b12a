"""Random interleavings of two tenants over one small pool, against dictionaries that can't leak."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.runtime.breakin.conftest import EVERY
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall import TenantContext
    from partywall.runtime.session import TenantSession
    from tests.runtime.breakin.house import Foundation

    Rows = dict[int, str]


class Stop(BaseException):
    """As a cancelled task or an interrupt."""


KEYS = st.integers(100, 103)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "update", "delete", "savepoint"]), KEYS),
        st.tuples(st.sampled_from(["commit", "rollback", "set", "temp"]), KEYS),
    ),
    max_size=4,
)
ENDS = st.sampled_from(["commit", "error", "stop", "kill"])
ENDED: dict[str, type[BaseException]] = {"error": LookupError, "stop": Stop, "kill": DBAPIError}
BLOCK = st.tuples(st.sampled_from([ACME, GLOBEX]), STEPS, ENDS)


def spoilt(house: House, session: TenantSession) -> None:
    """Delete everything in a savepoint that fails."""
    with session.begin_nested():
        session.execute(delete(house.line))
        session.execute(delete(house.note))
        session.execute(insert(house.note), [{"id": 1, "body": "twice"}] * 2)


def stepped(house: House, session: TenantSession, step: str, key: int, rows: Rows) -> None:
    """Do one step, on the database and on the dictionary."""
    note, body = house.note, f"{session.context.tenant_id} {len(rows)}"
    if step in {"insert", "savepoint"} and key not in rows:
        session.execute(insert(note), [{"id": key, "body": body}])
        rows[key] = body
    if step == "savepoint":
        with pytest.raises(IntegrityError):
            spoilt(house, session)
    elif step == "update" and key in rows:
        session.execute(update(note).where(note.id == key).values(body=body))
        rows[key] = body
    elif step == "delete":
        session.execute(delete(note).where(note.id == key))
        rows.pop(key, None)
    elif step == "set" and house.raw:
        said(session, f"SET statement_timeout = '{key}s'", "SET application_name = 'left'")
    elif step == "temp" and house.raw:
        said(session, f"CREATE TEMP TABLE IF NOT EXISTS left_{key} AS SELECT * FROM note")


def ended(house: House, session: TenantSession, end: str) -> None:
    """End a block in another way than by a commit."""
    if end == "error":
        raise LookupError
    if end == "stop":
        raise Stop
    if end == "kill":
        ((pid,),) = said(session, "SELECT pg_backend_pid()")
        house.foundation.owner(session.context, f"SELECT pg_terminate_backend({pid}, 5000)")
        said(session, "SELECT 1")


def block(house: House, context: TenantContext, steps: list[tuple[str, int]], end: str,
          truth: dict[str, Rows]) -> None:  # fmt: skip
    """One session; what it commits goes into the truth."""

    def act(session: TenantSession) -> None:
        rows = dict(truth[context.tenant_id])
        assert house.seen(session) == rows
        for step, key in steps:
            if step in {"commit", "rollback"}:
                getattr(session, step)()
                if step == "commit":
                    truth[context.tenant_id] = dict(rows)
                rows = dict(truth[context.tenant_id])
            else:
                stepped(house, session, step, key, rows)
            assert house.seen(session) == rows
        ended(house, session, end)
        truth[context.tenant_id] = rows

    with pytest.raises(ENDED[end]) if end in ENDED else nullcontext():
        house.work(context, act)


@pytest.mark.parametrize(("name", "driver"), EVERY)
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(blocks=st.lists(BLOCK, max_size=6), connections=st.integers(1, 2))
def test_no_row_of_another_tenant_and_no_write_lost(
    laid: Callable[[str], Foundation],
    name: str,
    driver: str,
    blocks: list[tuple[TenantContext, list[tuple[str, int]], str]],
    connections: int,
) -> None:
    foundation = laid(name)
    foundation.fill()
    house = House(foundation, driver, connections)
    truth: dict[str, Rows] = {tenant: dict(rows) for tenant, rows in ROWS.items()}
    try:
        for context, steps, end in blocks:
            killed = end == "kill" and driver in House.LOCAL  # there is no server to lose
            block(house, context, steps, "stop" if killed else end, truth)
            for each in (ACME, GLOBEX):
                assert foundation.rows(each) == truth[each.tenant_id]
    finally:
        house.close()
