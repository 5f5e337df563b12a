"""The reference application as it runs for its users: a uvicorn process and its databases."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from tests.examples.invoices.wire import raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres

ISOLATIONS = ("rows", "schemas", "databases", "files", "scoped")
EXAMPLES = Path(__file__).parents[3] / "examples"
LISTENING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
PATIENCE_S = 30.0
CONNECTIONS = {"databases": 60, "files": 60}
"""Of a pool: ten, and more where no two companies share a connection."""


@dataclass(frozen=True)
class Company:
    """A company that has signed up, and a client with the credentials of its owner.

    Attributes:
        word: occurs in all that it writes, and nowhere else.
        headers: the credentials of its owner.
        owner: names the user who owns it, as `House.logged_in` takes it.
    """

    id: str
    slug: str
    word: str
    headers: dict[str, str] = field(hash=False)
    owner: str
    client: httpx.Client = field(repr=False)

    def get(self, path: str, **params: str | int) -> httpx.Response:
        """GET, as the company."""
        return self.client.get(path, params=params, headers=self.headers)

    def send(self, method: str, path: str, json: object = None) -> httpx.Response:
        """Another request, as the company."""
        return self.client.request(method, path, json=json, headers=self.headers)

    def heard(self, method: str, path: str, **said: Any) -> bytes:  # noqa: ANN401 - httpx's own
        """What the server sends back, to the byte; *said* as httpx takes it."""
        return raw(self.client.build_request(method, path, headers=self.headers, **said))

    def made(self, path: str, json: object) -> dict[str, Any]:
        """What a POST has made."""
        response = self.send("POST", path, json)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    def upload(self, invoice_id: str, name: str, content: bytes) -> httpx.Response:
        """A POST of a file."""
        path = f"/invoices/{invoice_id}/files"
        return self.client.post(path, files={"file": (name, content)}, headers=self.headers)

    def everything(self) -> str:
        """The export: what the company has, and the content of its files."""
        response = self.get("/export")
        assert response.status_code == 200
        files = re.findall(r'"kind": "file".*?"id": "([^"]+)"', response.text)
        return response.text + "".join(self.get(f"/files/{each}").text for each in files)


@dataclass(frozen=True)
class House:
    """A running application.

    Attributes:
        isolation: its one setting.
        base: where it listens.
        server: its database server; None where it has files.
        folder: has all those in which it could put something: its own, `data`; `here`, in which it
            was started; `home` and `tmp`, where a library might.
        pid: of its process.
    """

    isolation: str
    base: str
    server: Postgres | None
    folder: Path
    pid: int
    client: httpx.Client = field(repr=False)

    @property
    def database(self) -> str:
        """The name of its database."""
        return f"invoices_{self.isolation}"

    @property
    def shared(self) -> bool:
        """Whether all companies' rows stand in the same tables."""
        return self.isolation in {"rows", "scoped"}

    @property
    def control_url(self) -> str:
        """Where its control plane is."""
        if self.server is None:
            return f"sqlite:///{self.folder / 'data' / 'control.db'}"
        return self.server.url(f"control_{self.isolation}", "house")

    def company(self) -> Company:
        """A company that has signed up just now, and its own owner."""
        key = uuid.uuid4().hex
        said = {"slug": f"c-{key}", "name": key, **credentials(key)}
        registered = self.client.post("/sign-up", json=said)
        assert registered.status_code == 202, registered.text
        return self.opened(key, registered, key, self.logged_in(key))

    def companies(self, count: int) -> list[Company]:
        """As many companies of one owner, signed up at once."""
        key = uuid.uuid4().hex
        said = {"slug": f"c-{key}", "name": key, **credentials(key)}
        assert self.client.post("/sign-up", json=said).status_code == 202
        user = self.logged_in(key)

        def another(_: int) -> Company:
            word = uuid.uuid4().hex
            said = {"slug": f"c-{word}", "name": word}
            registered = self.client.post("/tenants", json=said, headers=user)
            return self.opened(word, registered, key, user)

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(another, range(count)))

    def logged_in(self, key: str) -> dict[str, str]:
        """The credentials of the user who signed up with *key*."""
        response = self.client.post("/log-in", json=credentials(key))
        assert response.status_code == 200, response.text
        return {"Authorization": f"Bearer {response.json()['access_token']}"}

    def opened(
        self, key: str, registered: httpx.Response, owner: str, user: dict[str, str]
    ) -> Company:
        """A company as soon as it is provisioned, with its owner's credentials for it."""
        assert registered.status_code == 202, registered.text
        told = self.worked(registered.json()["work_id"], user)
        assert told["state"] == "done", told
        switched = self.client.post("/switch-tenant", json={"tenant": f"c-{key}"}, headers=user)
        assert switched.status_code == 200, switched.text
        headers = {"Authorization": f"Bearer {switched.json()['access_token']}"}
        return Company(told["tenant_id"], f"c-{key}", f"w{key}", headers, owner, self.client)

    def worked(self, work_id: str, user: dict[str, str]) -> dict[str, Any]:
        """A work as soon as it has ended, as a member of its company sees it."""
        end = time.monotonic() + PATIENCE_S
        while True:
            told: dict[str, Any] = self.client.get(f"/works/{work_id}", headers=user).json()
            if told["state"] != "begun":
                return told
            assert time.monotonic() < end, told
            time.sleep(0.05)


def credentials(key: str) -> dict[str, str]:
    """How the owner of a company logs in."""
    return {"email": f"{key}@example.com", "password": f"secret {key}"}


@contextmanager
def running(isolation: str, server: Postgres, folder: Path) -> Iterator[House]:
    """The application on *isolation*, in a process of its own."""
    house = None if isolation == "files" else server
    data, here, home, temporary = (folder / name for name in ("data", "here", "home", "tmp"))
    for each in (here, home, temporary):  # it makes the first itself, when it needs one
        each.mkdir()
    said = {"ISOLATION": isolation, "FOLDER": str(data), "DOMAIN": "invoices.test"}
    said |= {"CONNECTIONS": str(CONNECTIONS.get(isolation, 10)), "SIGN_UPS": "10000"}
    if house is not None:
        said |= prepared(house, isolation)
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "invoices.app:app"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--no-access-log"],
        cwd=here,
        env={
            **os.environ,
            **{f"INVOICES_{name}": value for name, value in said.items()},
            "HOME": str(home),
            "TMPDIR": str(temporary),
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    log = Log(process)
    try:
        with httpx.Client(base_url=log.address(), timeout=PATIENCE_S) as client:
            base = str(client.base_url).rstrip("/")
            yield House(isolation, base, house, folder, process.pid, client)
    finally:
        stopped(process, log)


def prepared(server: Postgres, isolation: str) -> dict[str, str]:
    """Make the database of an application, and say where it is."""
    database = f"invoices_{isolation}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database} OWNER owner".encode())
        connection.execute(f"CREATE DATABASE control_{isolation} OWNER house".encode())
    return {
        "URL": server.url(database, "app"),
        "OWNER_URL": server.url(database, "owner"),
        "CONTROL_URL": server.url(f"control_{isolation}", "house"),
    }


class Log:
    """What a process writes to its standard error, read so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        self._lines.extend(iter(self._process.stderr.readline, ""))

    def address(self) -> str:
        """Where the process listens, as soon as it does."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self._thread.is_alive():
            for line in list(self._lines):
                if found := LISTENING.search(line):
                    return found[1]
            time.sleep(0.02)
        raise AssertionError("".join(self._lines))

    def ended(self) -> str:
        """All that a process has written, which has ended."""
        self._thread.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        return "".join(self._lines)


def stopped(process: subprocess.Popen[str], log: Log) -> None:
    """Stop a process as a service manager would."""
    process.terminate()
    process.wait(PATIENCE_S)
    log.ended()
