"""Two companies sign up, work, and try each other; then the survey attacks their database.

Starts a PostgreSQL server of its own and removes it at the end: `make demo`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import httpx
import psycopg
from rich.table import Table

from partywall import RowSecurity, TenantContext
from partywall.cli.tour import binaries, rule
from partywall.errors import ServerError
from partywall.isolation.hardening import hardening
from partywall.reports import text
from partywall.reports.style import console_on, number
from partywall.servers import postgres
from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, TenantSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from partywall.servers import Postgres

EXAMPLES = Path(__file__).parents[1]
NOT_FOUND, NO_CONTENT, STARTING = 404, 204, 503
INTERRUPTED = 130
"""The exit code of a shell for what Ctrl-C has ended; everything was cleared away by then."""

ROLES = (
    "CREATE ROLE app LOGIN",
    "CREATE ROLE owner LOGIN CREATEDB CREATEROLE",
    "CREATE ROLE house LOGIN",
    "CREATE DATABASE invoices OWNER owner",
    "CREATE DATABASE control OWNER house",
)
PATIENCE_S = 30.0
COMPANIES = {"acme": "Hours in May", "globex": "A secret project"}
OPENING = (
    "Invoices (examples/invoices) is a small application for many companies: customers, invoices, "
    "comments, files, search, export, reports. It runs here on row security, in a process and on a "
    "server of its own. acme and globex sign up through its API, work with it, and then acme tries "
    "to reach what is globex's. At the end the survey attacks the database that they share."
)


def main() -> int:
    """Give the demo; 0 when nobody reached anybody else."""
    console = console_on(sys.stdout)
    console.print()
    rule(console, "The reference application")
    text.say(console, OPENING)
    console.print()
    with ExitStack() as stack:
        server = stack.enter_context(postgres(binaries()))
        client = stack.enter_context(running(server))
        acme, globex = (signed_up(console, client, slug) for slug in COMPANIES)
        console.print()
        apart = tried(console, client, acme, globex)
        console.print()
        rule(console, "Their database, attacked")
        report = audit(surveyed(server, acme, globex))
    text.heading(report, console)
    text.grid(report, console)
    text.breaches(report, console)
    text.open_questions(report, console)
    text.closing(report, console)
    return 0 if apart and report.verdict == "held" else 1


@contextmanager
def running(server: Postgres) -> Iterator[httpx.Client]:
    """The application on row security, and a client of it."""
    with psycopg.connect(server.url(), autocommit=True) as administrator:
        for statement in ROLES:
            administrator.execute(statement.encode())
    with psycopg.connect(server.url("invoices"), autocommit=True) as administrator:
        for statement in hardening("invoices"):
            administrator.execute(statement.encode())
    said = {
        "INVOICES_ISOLATION": "rows",
        "INVOICES_URL": server.url("invoices", "app"),
        "INVOICES_OWNER_URL": server.url("invoices", "owner"),
        "INVOICES_CONTROL_URL": server.url("control", "house"),
    }
    with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        said["INVOICES_FOLDER"] = folder
        command = ["-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", str(port)]
        process = subprocess.Popen(
            [sys.executable, *command, "invoices.app:app"],
            env={**os.environ, **said},
            stdout=log,
            stderr=log,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
                until_up(client, process, log)
                yield client
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def until_up(client: httpx.Client, process: subprocess.Popen[bytes], log: TextIO) -> None:
    """Wait until the application answers.

    Raises:
        ServerError: when it has ended instead, with what it said.
    """
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        try:
            client.get("/.well-known/jwks.json")
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    log.seek(0)
    raise ServerError(f"the reference application did not start:\n{log.read()}")


def signed_up(console: Console, client: httpx.Client, slug: str) -> Company:
    """Sign a company up through the API and let it work a little."""
    owner = {"email": f"ann@{slug}.example.com", "password": f"the secret of {slug}"}
    began = time.perf_counter()
    made = client.post("/sign-up", json={"slug": slug, "name": slug.title(), **owner})
    made.raise_for_status()
    end = time.monotonic() + PATIENCE_S
    while (
        answer := client.post("/log-in", json={**owner, "tenant": slug})
    ).status_code == STARTING:
        if time.monotonic() > end:
            raise ServerError(f"{slug} was not provisioned in {PATIENCE_S:.0f} s")
        time.sleep(0.05)
    took_s = time.perf_counter() - began
    answer.raise_for_status()
    company = Company(
        slug,
        made.json()["tenant"]["id"],
        {"Authorization": f"Bearer {answer.json()['access_token']}"},
    )
    company.work(client)
    text.say(
        console,
        f"{slug} signed up and was let in after {took_s:.1f} s; it has a customer, two invoices, "
        "a comment and a file.",
    )
    return company


@dataclass
class Company:
    """A company, and the ids of what it has."""

    slug: str
    id: str
    headers: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    def made(self, client: httpx.Client, path: str, said: object) -> dict[str, str]:
        """What a POST has made."""
        made: dict[str, str] = (
            client.post(path, json=said, headers=self.headers).raise_for_status().json()
        )
        return made

    def work(self, client: httpx.Client) -> None:
        """Have something of everything."""
        said = {"name": f"Customer of {self.slug}", "email": f"c@{self.slug}.example.com"}
        self.ids["customer"] = self.made(client, "/customers", said)["id"]
        for title in (COMPANIES[self.slug], "Travelling"):
            said = {"customer_id": self.ids["customer"], "title": title, "cents": "4200"}
            self.ids["invoice"] = self.made(client, "/invoices", said)["id"]
        invoice = f"/invoices/{self.ids['invoice']}"
        self.made(client, f"{invoice}/comments", {"body": f"Only {self.slug} may read this."})
        content = {"file": ("receipt.txt", f"42 euros, {self.slug}".encode())}
        file = client.post(f"{invoice}/files", files=content, headers=self.headers)
        self.ids["file"] = file.raise_for_status().json()["id"]


def tried(console: Console, client: httpx.Client, acme: Company, globex: Company) -> bool:
    """Let acme try what is globex's, beside globex itself; say whether nothing came of it."""
    invoice, said = f"/invoices/{globex.ids['invoice']}", {"body": "Paid?"}
    attempts: list[tuple[str, str, str, object]] = [
        ("read globex's invoice", "GET", invoice, None),
        ("read its comments", "GET", f"{invoice}/comments", None),
        ("read its file", "GET", f"/files/{globex.ids['file']}", None),
        ("comment on it", "POST", f"{invoice}/comments", said),
        (
            "filter by globex's customer",
            "GET",
            f"/invoices?customer_id={globex.ids['customer']}",
            None,
        ),
        ("search for its secret", "GET", "/search?q=secret", None),
        ("export everything", "GET", "/export", None),
        ("delete globex's invoice", "DELETE", invoice, None),
    ]
    table = Table("acme tries to", "acme gets", "globex gets", box=None, pad_edge=False)
    apart = True
    for words, method, path, json in attempts:
        answers = [
            client.request(method, path, json=json, headers=company.headers)
            for company in (acme, globex)  # who may delete it comes last
        ]
        reached = "globex" in answers[0].text or COMPANIES["globex"] in answers[0].text
        held = not reached and (answers[0].status_code == NOT_FOUND or method == "GET")
        apart = apart and held and answers[1].is_success
        table.add_row(words, *map(told, answers))
    console.print(table)
    return apart


def told(response: httpx.Response) -> str:
    """An answer in a few words."""
    if response.status_code == NO_CONTENT or not response.is_success:
        return f"{response.status_code} {response.reason_phrase}"
    lines = response.text.splitlines()
    json = response.headers["content-type"].startswith("application/json")
    count = len(response.json()) if json and response.text.startswith("[") else len(lines)
    return f"{response.status_code}, {number(count, 'item')}"


def surveyed(server: Postgres, *companies: Company) -> Configuration:
    """How the survey becomes each company: with the application's own login and statements."""
    walls = RowSecurity()
    url = server.url("invoices", "app")
    tenants = [
        TenantSettings(each.slug, each.id, url, walls.enter(TenantContext(each.id)))
        for each in companies
    ]
    return Configuration(server.url("invoices"), tenants=tuple(tenants))


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
