"""Processes and connections that die in the middle: what was done there goes on, in its context."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg

from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, GLOBEX, Application
from tests.adapters.workflows.conftest import engine_of
from tests.control.crashing import waited

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.adapters.workflows.application import Engine

MANY = 8
ENDED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

CUT = """
CREATE SEQUENCE cuts;
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cut BEFORE UPDATE ON dbos.workflow_status
    FOR EACH ROW WHEN (NEW.status = 'DELAYED') EXECUTE FUNCTION cut();
"""
"""Ends the connection of the first one that lays an execution aside."""


def killed(of: Engine, folder: Path) -> None:
    """A process that runs workflows until it kills itself."""
    command = [sys.executable, "-m", "tests.adapters.workflows.application"]
    done = subprocess.run([*command, json.dumps(of), str(folder)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_process_was_doing_goes_on_in_its_tenant_s_context(
    own_engine: Engine, tmp_path: Path
) -> None:
    for word in ("first", "second"):
        (tmp_path / f"globex-{word}").touch()  # whose steps kill nobody
    with Application(own_engine, tmp_path).tenancy as tenancy:
        flows = tenancy.workflows
        ours = flows.start(ACME, app.dying, 0.1)
        theirs = flows.start(GLOBEX, app.dying, 0.1)
        killed(own_engine, tmp_path)
        assert (tmp_path / "acme-first").exists()
        assert not (tmp_path / "acme-second").exists()
        killed(own_engine, tmp_path)
        assert (tmp_path / "acme-second").exists()
        flows.launch()
        done = flows.result(ACME, ours.id, timeout_s=60)
        assert done == ["ann", ["acme", "ann", "first"], ["acme", "ann", "second"]]
        done = flows.result(GLOBEX, theirs.id, timeout_s=60)
        assert done == ["bob", ["globex", "bob", "first"], ["globex", "bob", "second"]]
        assert [each.id for each in flows.executions(ACME)] == [ours.id]


def test_connections_that_the_server_ends_cost_no_execution(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with engine_of("dbos on postgresql", request) as of:
        made = Application(of, tmp_path)
        with made.tenancy, psycopg.connect(of[1], autocommit=True) as server:
            flows = made.workflows
            flows.launch()
            started = [(each, flows.start(each, app.asking)) for each in (ACME, GLOBEX) * MANY]
            waited(lambda: len(made.noted) == len(started))  # each is in its step
            server.execute(ENDED)
            made.gate.set()
            for context, execution in started:
                flows.result(context, execution.id, timeout_s=60)
            assert made.noted.count(("acme", MANY)) == made.noted.count(("globex", MANY)) == MANY
    assert "Database connection failed" in caplog.text  # which is what this test is about
    assert "[parameters" not in caplog.text


def test_an_execution_whose_connection_is_lost_as_it_is_laid_aside_goes_on(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with engine_of("dbos on postgresql", request) as of:
        made = Application(of, tmp_path)
        with made.tenancy, psycopg.connect(of[1], autocommit=True) as server:
            made.workflows.launch()
            server.execute(CUT)
            assert made.result(ACME, app.slept, 1.2) == ["acme", "ann", ["owner", "pay"]]
            assert server.execute("SELECT last_value > 1 FROM cuts").fetchall() == [(True,)]
