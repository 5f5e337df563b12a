"""The tutorial for FastAPI: what stands on the page is saved, started and visited as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from partywall.servers import Postgres
from tests.blocks import blocks
from tests.cli.harbour import partywall
from tests.conftest import clear
from tests.examples.invoices.houses import Log, stopped

PAGE = "tutorial-fastapi.md"
ADDRESS = "http://127.0.0.1:8000"
TABLES, HOUSE, ROUTES, VISIT, FORGOTTEN, HOUSE_ON_POSTGRESQL = blocks(PAGE, "python")


def started(folder: Path) -> subprocess.Popen[str]:
    """The application of the page, on a free port."""
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def application(house: str) -> str:
    """The page's `app.py`."""
    return f"{TABLES}\n\n{house}\n\n{ROUTES}"


def visited(folder: Path, visit: str) -> str:
    """Start the application, visit it as the page does, and stop it; what the visit prints."""
    process = started(folder)
    log = Log(process)
    try:
        address = log.address()
        (folder / "visit.py").write_text(visit.replace(ADDRESS, address), encoding="utf-8")
        command = [sys.executable, "visit.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert httpx.get(f"{address}/health").json() == "well"
    finally:
        stopped(process, log)
    return done.stdout


def test_two_companies(tmp_path: Path) -> None:
    printed, refused = blocks(PAGE, "text")
    (tmp_path / "data").mkdir()
    (tmp_path / "app.py").write_text(application(HOUSE), encoding="utf-8")
    assert visited(tmp_path, VISIT) == printed
    assert len(list(tmp_path.glob("data/tenants/*/*/*.sqlite"))) == 2
    [command] = re.findall(r"^partywall (.+)$", "".join(blocks(PAGE, "sh")), re.MULTILINE)
    shown = partywall(*command.split(), folder=tmp_path)
    assert (shown.returncode, shown.stdout.count("access.denied")) == (0, 2)

    with (tmp_path / "app.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\n{FORGOTTEN}")
    process = started(tmp_path)
    log = Log(process)
    assert process.wait(30) != 0
    assert refused.strip() in " ".join(log.ended().split())


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_on_postgresql(server: Postgres, tmp_path: Path) -> None:
    printed, _ = blocks(PAGE, "text")
    [roles] = blocks(PAGE, "sql")
    house = HOUSE_ON_POSTGRESQL.replace("127.0.0.1/", server.url("").partition("@")[2])
    (tmp_path / "app.py").write_text(application(house), encoding="utf-8")
    with psycopg.connect(server.url(), autocommit=True) as administrator:
        try:
            for statement in roles.split(";")[:-1]:
                administrator.execute(statement.encode())
            assert visited(tmp_path, VISIT) == printed
        finally:
            clear(administrator)
