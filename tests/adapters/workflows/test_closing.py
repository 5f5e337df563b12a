"""An engine that is closed lets the steps that are being taken come to their end."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import psycopg

from partywall.adapters.temporal.workflows import ended
from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, Application
from tests.adapters.workflows.conftest import engine_of
from tests.control.crashing import waited

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.adapters.workflows.application import Engine


def test_a_step_may_ask_for_executions_while_its_engine_is_closed(
    own_engine: Engine, tmp_path: Path
) -> None:
    made = Application(own_engine, tmp_path)
    made.workflows.launch()
    made.workflows.start(ACME, app.asking)
    waited(lambda: made.noted == [("acme", "asks")])
    closing = threading.Thread(target=made.tenancy.close, daemon=True)
    closing.start()
    time.sleep(0.3)
    made.gate.set()
    closing.join(30)
    assert not closing.is_alive()
    assert made.noted[1:] == [("acme", 1)]


def test_what_a_step_did_is_written_down_before_its_engine_is_closed(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with engine_of("dbos on postgresql", request) as of, psycopg.connect(of[1]) as server:
        made = Application(of, tmp_path)
        made.workflows.launch()
        server.execute("LOCK TABLE dbos.operation_outputs IN EXCLUSIVE MODE")
        made.workflows.start(ACME, app.order, "once")
        made.gate.set()
        waited(lambda: made.noted == [("acme", "once")])
        closing = threading.Thread(target=made.tenancy.close, daemon=True)
        closing.start()
        closing.join(1.5)
        assert closing.is_alive()
        server.commit()
        closing.join(30)
        assert not closing.is_alive()
        assert server.execute("SELECT count(*) FROM dbos.operation_outputs").fetchall() == [(1,)]


def test_a_worker_that_ends_by_itself_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def ending() -> None:
        raise OSError("the server at 10.0.0.7 has gone")

    async def running() -> None:
        task = asyncio.ensure_future(ending())
        task.add_done_callback(ended)
        await asyncio.wait({task})

    asyncio.run(running())
    assert caplog.messages == ["the workflow engine has stopped: OSError"]
