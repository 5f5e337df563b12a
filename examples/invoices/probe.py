"""The application with two companies in it, and a partywall.toml that says how they log in.

`python examples/invoices --probe FOLDER`, with `--break …` for one that leaks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from partywall.errors import ServerError

from .demo import PATIENCE_S, STARTING, free_port, until_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMPANIES = ("acme", "globex")

API = """\
[api]
base = "{base}"
openapi = "{base}/openapi.json"
existence = "secret"  # that a company has a customer is nobody else's business
websockets = ["/invoices/{{invoice_id}}/live"]
deny = [
    "POST /sign-up", "POST /tenants",           # what they make stays, and a name is taken once
    "POST /log-in", "PUT /me/password",         # so many a minute
    "POST /invitations/join", "POST /invitations/accept",  # need what was sent by mail
    "* /admin/*",                               # operators' alone
    "POST /domains/{{name}}/verify",              # asks the DNS
    "PATCH /members/*", "DELETE /members/*",    # the owner is the only one, and has to stay
]

[pool]
at_once = 20                                    # twice as many as it has connections

[jobs]
start = "POST /exports"
status = "GET /exports/{{id}}"
result = "GET /exports/{{id}}/content"
list = "GET /exports"
"""
COMPANY = """
[tenants.{slug}]
own = {{ tenant = "{slug}", tenant_id = "{id}", x_company = "{id}", work_id = "{work}" }}

[tenants.{slug}.login]
headers = {{ Authorization = "Bearer {{access_token}}" }}
[tenants.{slug}.login.request]
method = "POST"
path = "/log-in"
json = {{ email = "{email}", password = "{password}" }}
"""


def main(folder: Path, mistakes: Sequence[str]) -> None:
    """Serve the application until it is interrupted, and say how it is probed."""
    try:
        with furnished(folder, mistakes) as path:
            print(f"The application is up, with {' and '.join(COMPANIES)} in it. Now, elsewhere:")
            print(f"\n    partywall probe --config {path}")
            print(f"    partywall survey --config {path}    # and what lies behind it\n")
            print("Ctrl-C ends the application and removes that file.", flush=True)
            while True:
                time.sleep(PATIENCE_S)
    except KeyboardInterrupt:
        pass
    except (OSError, ServerError) as error:
        raise SystemExit(str(error)) from None


@contextmanager
def furnished(folder: Path, mistakes: Sequence[str]) -> Iterator[Path]:
    """The running application, in which two companies have signed up.

    Args:
        folder: gets a file `partywall.toml`, for as long as the application runs.
        mistakes: of `MISTAKES`; none for the sound application.

    Yields:
        That file.

    Raises:
        FileExistsError: when there is one, whosever it is.
        ServerError: when the application, or a company, isn't ready in time.
    """
    path, port = folder.absolute() / "partywall.toml", free_port()
    command = [sys.executable, str(Path(__file__).parent), "--port", str(port)]
    command += [f"--break={each}" for each in mistakes]
    with path.open("x") as file, tempfile.TemporaryDirectory() as data:
        try:
            with running(command, port, data) as client:
                file.write(configuration(client))
                file.flush()
                yield path
        finally:
            path.unlink()


@contextmanager
def running(command: list[str], port: int, folder: str) -> Iterator[httpx.Client]:
    """The application as a process of its own, and a client of it."""
    with tempfile.TemporaryFile("w+") as log:
        environment = {**os.environ, "INVOICES_FOLDER": folder}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
                until_up(client, process, log)
                yield client
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def configuration(client: httpx.Client) -> str:
    """Let two companies sign up; the partywall.toml of a probe that logs in as their owners."""
    base = str(client.base_url).rstrip("/")
    return API.format(base=base) + "".join(COMPANY.format(**each) for each in signed_up(client))


def signed_up(client: httpx.Client) -> list[dict[str, str]]:
    """Sign the companies up, and wait until their owners can log in."""
    companies = []
    for slug in COMPANIES:
        owner = {"email": f"ann@{slug}.example.com", "password": f"the secret of {slug}"}
        made = client.post("/sign-up", json={"slug": slug, "name": slug.title(), **owner})
        told = made.raise_for_status().json()
        ids = {"id": told["tenant"]["id"], "work": told["work_id"]}
        companies.append({"slug": slug, **ids, **owner})
    end = time.monotonic() + PATIENCE_S
    for each in companies:
        said = {"email": each["email"], "password": each["password"], "tenant": each["slug"]}
        while (answer := client.post("/log-in", json=said)).status_code == STARTING:
            if time.monotonic() > end:
                raise ServerError(f"{each['slug']} was not provisioned in {PATIENCE_S:.0f} s")
            time.sleep(0.05)
        answer.raise_for_status()
    return companies
