"""Who has much waiting doesn't keep the others waiting: read from the order, not from a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, GLOBEX, Application
from tests.control.crashing import waited

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.workflows.application import Engine

MANY = 60
LIMITS = {
    "dbos": {"concurrency": 4, "tenant_concurrency": 2},
    "temporal": {"concurrency": 4},
}


def test_one_execution_of_a_tenant_does_not_wait_for_all_of_another(
    own_engine: Engine, tmp_path: Path
) -> None:
    made = Application(own_engine, tmp_path, **LIMITS[own_engine[0]])
    with made.tenancy:
        flows = made.workflows
        for number in range(MANY):
            flows.start(ACME, app.order, f"a{number}")
        last = flows.start(GLOBEX, app.order, "b")
        flows.launch()
        made.gate.set()
        flows.result(GLOBEX, last.id, timeout_s=60)
        waited(lambda: len(made.noted) == MANY + 1)
        assert made.noted.index(("globex", "b")) < MANY * 3 / 4


def test_what_waits_for_a_signal_takes_nobody_s_place(own_engine: Engine, tmp_path: Path) -> None:
    made = Application(own_engine, tmp_path, **LIMITS[own_engine[0]])
    with made.tenancy:
        flows = made.workflows
        flows.launch()
        waiting = [flows.start(ACME, app.patient, f"p{number}") for number in range(8)]
        assert made.result(ACME, app.greet, "x")[2] == "x"
        assert made.result(GLOBEX, app.greet, "y")[2] == "y"
        for each in waiting:
            flows.signal(ACME, each.id, "go")
        for each in waiting:
            flows.result(ACME, each.id, timeout_s=60)
        assert {word for _, word in made.noted} >= {f"p{number}" for number in range(8)}
