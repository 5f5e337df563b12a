"""`partywall audit --all-tenants` as a program."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import jsonschema
import pytest
from rich.console import Console
from rich.text import Text

from partywall.cli.fleet_progress import FleetProgress
from partywall.reports.json import schema
from partywall.survey.fleet.turn import Reached, Turn
from tests.cli.harbour import partywall
from tests.survey.fleet.houses import ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Database


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Database:
    """Six tenants behind walls that hold, of which two are declared."""
    database.execute(ROWS)
    told = [f'[database]\nurl = "{database.url()}"']
    for id_ in ("1", "2"):
        enter = f"SELECT set_config('app.tenant', '{id_}', true)"
        url = database.url("app")
        told.append(f'[tenants.t{id_}]\nid = "{id_}"\nurl = "{url}"\nenter = ["{enter}"]')
    (tmp_path / "partywall.toml").write_text("\n".join(told))
    return database


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_all_tenants_are_told_of(house: Database, tmp_path: Path) -> None:
    done = partywall("audit", "--all-tenants", "--journal", "turns.jsonl", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "each of 6 tenants attacks all others (30 ordered pairs)" in " ".join(
        done.stdout.split()
    )
    assert len((tmp_path / "turns.jsonl").read_text().splitlines()) == 8
    house.execute("CREATE POLICY support ON orders USING (current_setting('app.tenant') = '5')")
    done = partywall("audit", "--all-tenants", "--format", "json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)
    assert report["fleet"] == {"tenants": 6, "pairs": 30, "turns": 6}
    assert {one["attacker"] for one in report["findings"]} == {"5"}


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "2"),
        ("--all-tenants", "--on", "copy"),
        ("--all-tenants", "--explain-model"),
        ("--all-tenants", "--journal", "nowhere/turns.jsonl"),
    ],
)
def test_what_does_not_go_together_is_2(options: tuple[str, ...], tmp_path: Path) -> None:
    done = partywall("audit", *options, folder=tmp_path)
    assert done.returncode == 2
    assert "--" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_line_says_how_far_it_is() -> None:
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=200)
    with FleetProgress(console) as progress:
        progress.stage("attacking")
        progress.planned(1000, 50, 250)
        progress.turned(Turn("t251"))
        reached = (Reached("public.orders", "read-rows", "read", "t1", "SELECT 1", "t1"),)
        progress.turned(Turn("t252", reached=reached))
    plain = Text.from_ansi(shown.getvalue()).plain
    assert "252 of 1,000 tenants, 50 surfaces, 1 breach" in plain
