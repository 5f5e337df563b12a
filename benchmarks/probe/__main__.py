"""Probe a real application, and compare what is said with the truth about it.

    python -m benchmarks.probe praisonai 0.1.1        # starts it, signs tenants up, probes it
    python -m benchmarks.probe praisonai 0.1.1 --base http://127.0.0.1:9101    # it runs already

`applications/NAME/start.sh VERSION PORT` installs a version into a virtual environment under $LAB
and starts it on loopback; `login.py BASE` signs two tenants up. `truth-VERSION.json`, where there
is one, lists operations that leak, that are disputed and that are safe; each was executed by hand.
Exit code 1 where one that leaks is missed, or one that is safe accused.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

APPLICATIONS = Path(__file__).parent / "applications"
READY = re.compile(r"READY (\S+) pid (\d+)")


def operation(text: str) -> str:
    """A method and a path without the names of its parameters."""
    method, _, path = text.strip().partition(" ")
    plain = re.sub(r"{[^}]*}", "{}", path.partition("?")[0]).rstrip("/")
    return f"{method.upper()} {plain}"


def started(folder: Path, version: str, port: int) -> tuple[str, int]:
    """The address and the process of a fresh start."""
    said = subprocess.check_output([folder / "start.sh", version, str(port)], text=True)
    found = READY.search(said)
    if found is None:
        raise SystemExit(said)
    return found[1], int(found[2])


def configured(login: dict[str, Any], folder: Path) -> Path:
    """A partywall.toml for what login.py prints."""
    quoted = json.dumps
    lines = ["[api]", f"base = {quoted(login['base'])}", f"openapi = {quoted(login['openapi'])}"]
    for name, tenant in login["tenants"].items():
        lines.append(f"[tenants.{name}]")
        for table in ("headers", "cookies", "own"):
            pairs = tenant.get(table, {}).items()
            lines += [f"{table}.{quoted(key)} = {quoted(str(value))}" for key, value in pairs]
    file = folder / "partywall.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def probed(file: Path, seconds: float) -> tuple[dict[str, Any], int]:
    """The report, and the exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "partywall", "probe", "--config", file, "--format", "json"],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), done.returncode


def compared(report: dict[str, Any], truth: dict[str, list[str]]) -> int:
    """Print what is missed and what is accused falsely; how many of both."""
    leaks, disputed, safe = (set(map(operation, truth[k])) for k in ("leaks", "disputed", "safe"))
    told = {operation(one["at"]) for one in report["findings"] if one["effect"] != "detect"}
    missed, false = leaks - told, told & (safe - leaks - disputed)
    for title, rows in (("missed", missed), ("false", false)):
        for row in sorted(rows):
            print(f"{title}: {row}")
    print(f"found {len(leaks & told)} of {len(leaks)}, false {len(false)} of {len(safe)} safe")
    return len(missed) + len(false)


def main() -> int:
    """Start, probe, compare."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.probe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("application")
    parser.add_argument("version")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--base", default="", help="where it runs already")
    parser.add_argument("--timeout-s", type=float, default=900)
    asked = parser.parse_args()
    folder = APPLICATIONS / asked.application
    base, process = (asked.base, 0) if asked.base else started(folder, asked.version, asked.port)
    try:
        said = subprocess.check_output([sys.executable, folder / "login.py", base], text=True)
        with tempfile.TemporaryDirectory() as scratch:
            began = time.perf_counter()
            file = configured(json.loads(said), Path(scratch))
            report, code = probed(file, asked.timeout_s)
            took_s = time.perf_counter() - began
    finally:
        if process:
            os.kill(process, signal.SIGTERM)
    print(
        f"{asked.application} {asked.version}: {report['verdict']}, exit {code}, "
        f"{len(report['undecided'])} undecided, {report['requests']} requests, {took_s:.0f} s"
    )
    truth = folder / f"truth-{asked.version}.json"
    return 1 if truth.is_file() and compared(report, json.loads(truth.read_text())) else 0


if __name__ == "__main__":
    sys.exit(main())
