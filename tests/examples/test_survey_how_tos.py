"""The pages about `partywall survey`: what they declare is surveyed, and ends as they say."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from partywall.servers.pgbouncer import pgbouncer
from partywall.survey.explaining.applications import ONE_LOGIN
from tests.blocks import blocks
from tests.cli.harbour import partywall
from tests.probe.serving import serving
from tests.survey.pool.shop import TABLE, TENANTS, shop

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
NUMBERS = re.compile(r"[\d,.]+")
LINE = re.compile(r"[ \t]+")


def commands(page: str) -> list[list[str]]:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines]


def shape(text: str) -> list[str]:
    """Lines of a report without what differs between runs."""
    return [LINE.sub(" ", NUMBERS.sub("0", line)).rstrip() for line in text.strip().splitlines()]


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return partywall(*command, folder=folder, **environment)


def test_survey(database: Database, tmp_path: Path) -> None:
    page = "how-to/survey.md"
    declared, accepted = blocks(page, "toml")
    [mend] = blocks(page, "ini")
    [shown] = blocks(page, "text")
    whole, pool, skipped, update, known = commands(page)
    database.execute(ONE_LOGIN.script)
    (tmp_path / "partywall.toml").write_text(declared)
    urls = {"ADMIN_URL": database.url(), "APP_URL": database.url("app")}
    uncleared = {"server_reset_query_always": "0", "default_pool_size": "2"}
    with pgbouncer(database.server, uncleared) as bouncer:
        there = {**urls, "POOL_URL": bouncer.url(database.name, "app")}
        done = run(whole, tmp_path, **there)
        assert done.returncode == 1, done.stderr
        assert shape(done.stdout)[-len(shape(shown)) :] == shape(shown)
        assert run(skipped, tmp_path, **there).returncode == 1
        assert (tmp_path / "report.html").exists()
        (tmp_path / "partywall.toml").write_text(declared + accepted)
        assert run(update, tmp_path, **there).returncode == 0
        again = run(known, tmp_path, **there)
        assert again.returncode == 0, again.stdout
        assert "1 accepted by the configuration" in again.stdout.replace("2 accepted", "1 accepted")
    (tmp_path / "partywall.toml").write_text(declared)
    cleared = dict(line.split(" = ") for line in mend.strip().splitlines())
    with pgbouncer(database.server, {**cleared, "default_pool_size": "2"}) as bouncer:
        there = {**urls, "POOL_URL": bouncer.url(database.name, "app")}
        assert run(pool, tmp_path, **there).returncode == 0


@pytest.mark.parametrize("fault", ["", "left_when_failed"])
def test_survey_behind_an_api(database: Database, tmp_path: Path, fault: str) -> None:
    page = "how-to/survey-behind-an-api.md"
    [declared] = blocks(page, "toml")
    [shown] = blocks(page, "text")
    [command] = commands(page)
    database.execute(TABLE)
    (tmp_path / "partywall.toml").write_text(declared)
    tokens = {f"{name.upper()}_TOKEN": token for token, name in TENANTS.items()}
    with serving(shop(database.url(), fault)) as port:
        done = run(command, tmp_path, BASE=f"http://127.0.0.1:{port}", **tokens)
    assert done.returncode == (1 if fault else 0), done.stdout
    assert (done.stdout.splitlines()[-1] == shown.strip()) is bool(fault)
