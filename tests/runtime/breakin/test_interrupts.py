"""Control-C in a process of its own, in the middle of what the server is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from textwrap import dedent

import pytest

from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, Foundation, House

PROGRAM = """
    import sys
    from contextlib import suppress
    from sqlalchemy import text
    from tests.runtime.breakin.house import ACME, GLOBEX, Foundation, House, said
    from partywall import RowSecurity, SchemaPerTenant

    def act(session):
        said(session, "INSERT INTO note (id, body) VALUES (3, 'acme 3')", "SET work_mem = '7MB'")
        print("reached", flush=True)
        said(session, "SELECT pg_sleep(30)")

    house = House(Foundation({model}, {url!r}, None), {driver!r})
    before = house.backend(ACME)
    try:
        house.work(ACME, act)
    except BaseException as error:
        print(type(error).__name__, flush=True)
    print(house.backend(GLOBEX) != before, house.say(GLOBEX, "SHOW work_mem") != [("7MB",)])
    print(sorted(house.rows(GLOBEX)), flush=True)
    house.close()
"""


@pytest.mark.parametrize("foundation", ["rows", "schemas"], indirect=True)
@pytest.mark.parametrize("driver", House.DRIVERS)
def test_an_interrupt_throws_the_connection_away(foundation: Foundation, driver: str) -> None:
    program = dedent(PROGRAM).format(
        model=repr(foundation.model), url=foundation.url, driver=driver
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        guard = threading.Timer(30, child.kill)
        guard.start()
        assert child.stdout.readline() == "reached\n"
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"
        while child.poll() is None and foundation.owner(ACME, waiting) != [(1,)]:
            pass
        child.send_signal(signal.SIGINT)
        said = child.stdout.read().splitlines()
        guard.cancel()
    assert said == ["KeyboardInterrupt", "True True", str(sorted(ROWS[GLOBEX.tenant_id]))]
    for context in (ACME, GLOBEX):
        assert foundation.rows(context) == ROWS[context.tenant_id]
