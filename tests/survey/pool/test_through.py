"""Storms on an application that loses its way on pooled connections, and on one that doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.whole import load, survey
from tests.probe.serving import serving
from tests.survey.pool.shop import FAULTS, TABLE, TENANTS, shop

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.survey.layers import LayerReport
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)

DECLARED = """
[api]
base = "http://127.0.0.1:{port}"
openapi = "/openapi.json"
[pool]
at_once = 12
patience_s = 1
"""
TENANT = '[tenants.{name}]\nheaders = {{ Authorization = "{token}" }}\n'
BREACHED = {
    "context_in_a_global": {"crossed-answers"},
    "left_when_cancelled": {"abandoned-requests"},
    "left_when_failed": {"stumbled-requests"},
    "lost_when_cancelled": {"lasting-storm"},
}


def stormed(database: Database, folder: Path, fault: str = "") -> LayerReport:
    """What the layer pool says of the shop with a fault."""
    database.execute(TABLE)
    tenants = "".join(TENANT.format(name=name, token=token) for token, name in TENANTS.items())
    with serving(shop(database.url(), fault)) as port:
        file = folder / "partywall.toml"
        file.write_text(DECLARED.format(port=port) + tenants)
        report = survey(load(file, only=["pool"]))
        assert list(report.layers) == ["pool"]
        return report.layers["pool"]  # type: ignore[return-value] # of a further layer


def test_a_sound_application_holds_in_every_storm(database: Database, tmp_path: Path) -> None:
    report = stormed(database, tmp_path)
    assert report.verdict == "held", report.undecided
    assert {one.attack for one in report.tried} == set().union(*BREACHED.values())
    assert {one.state for one in report.tried} == {"held"}
    assert {one.at for one in report.tried} == {"pool GET /notes", "pool GET /notes/{note_id}"}
    assert database.rows("SELECT count(*) FROM note") == [(0,)]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_lost_in_a_storm_is_found(database: Database, tmp_path: Path, fault: str) -> None:
    report = stormed(database, tmp_path, fault)
    assert BREACHED[fault] <= {one.name for one in report.findings}
    for finding in report.findings:
        storm, answer = finding.witness
        assert storm.request.startswith("for _ in $(seq 12)")
        assert "a-secret-of" not in f"{finding}"
        assert finding.victim != finding.attacker
        if finding.effect == "read":
            assert "pw" in answer.returned
