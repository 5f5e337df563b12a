"""The how-tos of the house: their blocks are put into the tutorial's application, and hold."""

from __future__ import annotations

import datetime as dt
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import dns.resolver
import httpx
import pytest
from typer.testing import CliRunner

from partywall.adapters.files import S3
from partywall.cli import app
from partywall.control import quotas
from tests.adapters.files.bucket import KEY_ID, REGION, SECRET, served
from tests.blocks import blocks
from tests.control.temporal import temporal_server
from tests.control.test_domains import name_server
from tests.examples import pages
from tests.probe.serving import answering

CHALLENGE = re.compile(r"(\S+)  (partywall-challenge=)(\S+)$", re.MULTILINE)

LIFESPAN = re.compile(r"^@asynccontextmanager\n.*?\n\n\n", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's folder, after its visit."""
    folder = tmp_path_factory.mktemp("notes")
    pages.furnish(folder)
    return folder


def test_subdomains(notes: Path) -> None:
    access, check = blocks("how-to/subdomains.md", "python")
    [shown] = blocks("how-to/subdomains.md", "text")
    with pages.serving(notes, access) as address:
        assert pages.printed(check, address) == shown


def test_custom_domains(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = "how-to/custom-domains.md"
    access, known, check = blocks(page, "python")
    claim, verify = blocks(page, "sh")
    claimed, verified, shown = blocks(page, "text")
    control = f"sqlite:///{notes}/data/control.db"
    with pages.serving(notes, access, known) as address:
        before = pages.printed(check, address)
        assert before != shown
        code, out = command(claim, control)
        assert (code, CHALLENGE.sub(r"\1  \2…", out)) == (0, claimed)
        found = CHALLENGE.search(out)
        assert found is not None
        name, *value = found.groups()
        with name_server({}) as silent, name_server({name: ["".join(value)]}) as telling:
            monkeypatch.setattr(dns.resolver, "Resolver", lambda: silent)  # not the machine's
            assert command(verify, control)[0] == 2
            assert pages.printed(check, address) == before
            monkeypatch.setattr(dns.resolver, "Resolver", lambda: telling)
            assert command(verify, control) == (0, verified)
        assert pages.printed(check, address) == shown


def command(line: str, control: str) -> tuple[int, str]:
    """Run a command of a page on a control plane: exit code and output."""
    program, *arguments = shlex.split(line)
    assert (program, arguments[-2]) == ("partywall", "--control")
    done = CliRunner().invoke(app, [*arguments[:-1], control])
    return done.exit_code, done.stdout


def test_own_authentication(notes: Path) -> None:
    access, entering, check = blocks("how-to/own-authentication.md", "python")
    [shown] = blocks("how-to/own-authentication.md", "text")
    with pages.serving(notes, access, entering) as address:
        assert pages.printed(check, address) == shown


def test_websockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.furnish(tmp_path)  # a note is written, which the others' quotas would count
    access, alive, routes, check = blocks("how-to/websockets.md", "python")
    [shown] = blocks("how-to/websockets.md", "text")
    tutorial, replaced = LIFESPAN.subn(lambda _: alive, pages.ROUTES)
    assert replaced == 1
    monkeypatch.setattr(pages, "ROUTES", tutorial)
    with pages.serving(tmp_path, access, routes) as address:
        assert pages.printed(check, address) == shown


def test_quotas(notes: Path) -> None:
    page = "how-to/quotas.md"
    counted, check, recount = blocks(page, "python")
    [limit] = blocks(page, "sh")
    [shown] = blocks(page, "text")
    control = f"sqlite:///{notes}/data/control.db"
    assert command(limit, control)[0] == 0
    access = re.findall(pages.ACCESS, pages.HOUSE)[0]
    with pages.serving(notes, access, counted) as address:
        assert pages.printed(check, address) == shown
    names: pages.Names = {"__name__": "app"}
    pages.ran(pages.placed(pages.TABLES + pages.HOUSE, notes), names)
    with names["plane"] as plane, names["tenancy"]:
        acme = plane.access.tenant_by_slug("acme").id
        names["context"] = names["TenantContext"](acme)
        pages.ran(recount, names)
        with plane.database.reading() as connection:
            [storage] = [
                each for each in quotas.usage(connection, acme) if each.kind == "storage_bytes"
            ]
        assert (storage.limit, storage.used) == (1000, 11)
    names["plane"].building.close()


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, page = tmp_path, "how-to/files.md"
    pages.furnish(notes)  # a company of it is removed
    house, routes, check, upload, bucket = blocks(page, "python")
    shown, uploaded, in_a_bucket = blocks(page, "text")
    with pages.serving(notes, house, routes) as address:
        assert pages.printed(check, address) == shown
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        names: pages.Names = {"__name__": "app", "httpx": httpx}
        code = pages.placed(pages.TABLES + pages.HOUSE + house + pages.ROUTES, notes) + routes
        pages.ran(code.replace(pages.ADDRESS, address), names)
        acme = names["plane"].access.tenant_by_slug("acme").id
        names["context"] = names["TenantContext"](acme)
        with answering(names["app"], listening):
            assert pages.ran(upload, names) == uploaded
            in_the_folder = names["files"]
            with served() as (endpoint, _):
                monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
                monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
                monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
                store = S3("documents", region_name=REGION)
                where = {"LocationConstraint": REGION}
                store.client.create_bucket(Bucket="documents", CreateBucketConfiguration=where)
                assert pages.ran(bucket, names) == in_a_bucket
            names["files"] = in_the_folder
            plane = names["plane"]
            plane.remove(acme, grace=dt.timedelta())
            pages.ended(plane, acme)
            assert plane.work(acme).certificate["files"]["files"] == 2
        plane.building.close()


def test_logs_and_metrics() -> None:
    page = "how-to/logs-and-metrics.md"
    who, logs, events, traces, metrics, service, calls = blocks(page, "python")
    shown = blocks(page, "text")
    names: pages.Names = {"__name__": "__main__"}
    try:
        pages.ran(who, names)
        assert [pages.ran(each, names) for each in (logs, events, traces, metrics)] == shown[:4]
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            pages.ran(service.replace(pages.ADDRESS, address), names)
            with answering(names["billing"], listening):
                assert pages.ran(calls, names) == shown[4]
    finally:
        names["app"].removeHandler(names["handler"])


def test_temporal(tmp_path: Path) -> None:
    page = "how-to/temporal.md"
    plane, check = blocks(page, "python")
    [shown] = blocks(page, "text")
    _, listing = blocks(page, "sh")
    (tmp_path / "data").mkdir()
    names: pages.Names = {"__name__": "app"}
    walls = f'walls = FilePerTenant(folder="{tmp_path}/data/tenants")'
    pages.ran(pages.TABLES + walls, names)
    with temporal_server(tmp_path) as address:
        there = plane.replace("127.0.0.1:7233", address)
        pages.ran(pages.placed(there, tmp_path), names)
        program, *arguments = shlex.split(listing.replace("127.0.0.1:7233", address))
        listed = ""
        try:
            assert pages.ran(check, names) == shown
            names["plane"].launch()  # the workflow may still lack its end
            end = time.monotonic() + 3 * pages.PATIENCE_S  # a task is given out again after 10 s
            while "Completed" not in listed:
                assert time.monotonic() < end, listed
                listed = subprocess.run(
                    [Path(sys.executable).with_name(program), *arguments],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
        finally:
            names["plane"].close()
            names["plane"].building.close()
    assert "initech" not in listed
