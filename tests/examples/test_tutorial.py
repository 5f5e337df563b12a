"""The tutorial for FastAPI: what stands on the page is saved, started and visited as it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.blocks import blocks
from tests.examples.invoices.houses import Log, stopped

PAGE = "tutorial-fastapi.md"
ADDRESS = "http://127.0.0.1:8000"


def started(folder: Path) -> subprocess.Popen[str]:
    """The application of the page, on a free port."""
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def test_two_companies(tmp_path: Path) -> None:
    *application, visit, forgotten = blocks(PAGE, "python")
    printed, refused = blocks(PAGE, "text")
    (tmp_path / "data").mkdir()
    (tmp_path / "app.py").write_text("\n\n".join(application), encoding="utf-8")
    process = started(tmp_path)
    log = Log(process)
    try:
        address = log.address()
        (tmp_path / "visit.py").write_text(visit.replace(ADDRESS, address), encoding="utf-8")
        command = [sys.executable, "visit.py"]
        visited = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert visited.stdout == printed
        assert httpx.get(f"{address}/health").json() == "well"
    finally:
        stopped(process, log)
    assert len(list(tmp_path.glob("data/tenants/*/*/*.sqlite"))) == 2

    with (tmp_path / "app.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\n{forgotten}")
    process = started(tmp_path)
    log = Log(process)
    assert process.wait(30) != 0
    assert refused.strip() in " ".join(log.ended().split())
