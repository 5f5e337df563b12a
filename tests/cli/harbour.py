"""The demo's application in a test's database, and the command run on it as a user would."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx

from partywall.demo import ACME, GLOBEX, script
from tests.conftest import Database

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
COMMAND = [sys.executable, "-m", "partywall"]
QUIET = {"PARTYWALL_DATABASE_URL", "COLUMNS", "FORCE_COLOR", "NO_COLOR"}
COPIES = "SELECT datname FROM pg_database WHERE datname LIKE 'partywall\\_copy\\_%'"

TENANT = """
[tenants.{name}]
id = "{id}"
url = "{url}"
enter = ["SELECT set_config('app.org_id', '{id}', true)"]
"""


def partywall(
    *arguments: str, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in *folder* without a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=surroundings(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def interrupted(
    *arguments: str, base: str, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command until it has made something at the API of *base*, and press Ctrl-C."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=surroundings(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        end = time.monotonic() + PATIENCE_S
        while not httpx.get(f"{base}/rows").json():
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        printed, said = running.communicate(timeout=PATIENCE_S)
    return subprocess.CompletedProcess(running.args, running.returncode, printed, said)


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a command: nothing in it decides how a report looks."""
    return {name: value for name, value in os.environ.items() if name not in QUIET} | more


def without_extras(folder: Path) -> dict[str, str]:
    """The environment of a command that finds what `pip install partywall` brings, no extra.

    The servers of the tests stay: their pg_dump is as new as what it dumps.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    brought = {_distribution(one) for one in (*project["dependencies"], *extras["embedded"])}
    others = {_distribution(one) for extra in extras.values() for one in extra} - brought
    missing = [
        module
        for module, whose in packages_distributions().items()
        if {_distribution(one) for one in whose} & others
    ]
    (folder / "sitecustomize.py").write_text(
        f"import sys\n\nsys.modules |= dict.fromkeys({sorted(missing)})\n", encoding="utf-8"
    )
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}


def _distribution(requirement: str) -> str:
    """``sqlalchemy`` for ``SQLAlchemy[asyncio]>=2.1``."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


@dataclass(frozen=True, slots=True)
class Harbour:
    """A database with the application's tables, and a folder with its partywall.toml."""

    database: Database
    folder: Path

    def audit(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return partywall("audit", *arguments, folder=self.folder, **environment)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, "audit", *arguments],
            cwd=self.folder,
            env=surroundings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def copies(self) -> list[str]:
        return [name for (name,) in self.database.rows(COPIES)]

    def break_walls(self) -> None:
        self.database.execute(script("rows_mistakes.sql"))


def harbour(database: Database, folder: Path) -> Harbour:
    """Build the sound application and say how its tenants are entered."""
    database.execute(script("rows.sql"))
    (folder / "partywall.toml").write_text(declared(database))
    return Harbour(database, folder)


def declared(database: Database) -> str:
    """A partywall.toml for the application."""
    tenants = "".join(
        TENANT.format(name=name, id=key, url=database.url("app"))
        for name, key in (("acme", ACME), ("globex", GLOBEX))
    )
    return f'[database]\nurl = "{database.url()}"\n{tenants}'
