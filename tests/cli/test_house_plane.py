"""Which control plane a command is about, and what needs the application's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from partywall.cli import app
from tests.cli.harbour import COMMAND, partywall, surroundings
from tests.cli.house import BOTH, House, only_postgresql, only_sqlite, settled

CTRL_D = "\x04"
UNUSED_PORT = 9  # discard


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    yield from settled(request, tmp_path)


# -- which control plane ------------------------------------------------------------------------


@only_sqlite
def test_it_is_named_by_option_environment_or_file(house: House, tmp_path: Path) -> None:
    run, listing = CliRunner(), ["tenants", "list", "--format", "json"]
    nowhere = run.invoke(app, listing)
    assert nowhere.exit_code == 2
    assert "--control" in nowhere.stderr
    assert "PARTYWALL_CONTROL" in nowhere.stderr
    assert "[control] url" in nowhere.stderr
    assert run.invoke(app, listing, env={"PARTYWALL_CONTROL": house.url}).exit_code == 0
    file = tmp_path / "other.toml"
    file.write_text('[control]\nurl = "${HOUSE}"\n')
    named = [*listing, "--config", str(file)]
    assert run.invoke(app, named, env={"HOUSE": house.url}).exit_code == 0
    file.write_text('[control]\nuri = "sqlite:///house.db"\n')
    unknown = run.invoke(app, named)
    assert unknown.exit_code == 2
    assert "[control] has unknown keys: uri" in unknown.stderr


@only_sqlite
def test_a_database_without_these_tables_is_2_and_stays_as_it_is(
    house: House, tmp_path: Path
) -> None:
    run = CliRunner()
    missing = tmp_path / "missing.db"
    done = run.invoke(app, ["tenants", "list", "--control", f"sqlite:///{missing}"])
    assert (done.exit_code, missing.exists()) == (2, False)
    empty = tmp_path / "empty.db"
    empty.touch()
    done = run.invoke(app, ["tenants", "list", "--control", f"sqlite:///{empty}"])
    assert done.exit_code == 2
    assert "no control plane in this database" in done.stderr
    with house.database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    done = house.run("tenants", "list")
    assert done.exit_code == 2
    assert "revision 9999" in done.stderr


def test_a_server_that_is_down_is_2() -> None:
    url = f"postgresql://nobody:secret@127.0.0.1:{UNUSED_PORT}/none"
    done = CliRunner().invoke(app, ["tenants", "list", "--control", url])
    assert done.exit_code == 2
    assert "did not go on" in done.stderr
    assert "secret" not in done.stderr
    assert "internal error" not in done.stderr


def test_what_is_no_url_is_2_and_not_repeated() -> None:
    done = CliRunner().invoke(app, ["tenants", "list", "--control", "app:secret@there"])
    assert done.exit_code == 2
    assert "postgresql://" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("command", ["members", "log"])
def test_without_the_extra_it_is_2_and_says_what_to_install(command: str) -> None:
    code = "import sys; sys.modules['sqlalchemy'] = None; from partywall.cli import main; main()"
    arguments = [command, "show" if command == "log" else "list", "acme"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "needs sqlalchemy: `pip install partywall[control]`" in done.stderr


# -- making and removing tenants ----------------------------------------------------------------

APPLICATION = """
from partywall.adapters.dbos import DbosWorks
from partywall.control.plane import ControlPlane
from tests.control.sites import Site

URL = {url!r}
plane = ControlPlane(URL, building=Site(URL), works=DbosWorks())
"""


@pytest.fixture
def application(house: House, tmp_path: Path) -> Path:
    """A folder with an application and a partywall.toml that names it."""
    (tmp_path / "invoices.py").write_text(APPLICATION.format(url=house.url))
    (tmp_path / "partywall.toml").write_text('[control]\napp = "invoices:plane"\n')
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return partywall(*arguments, folder=folder, PYTHONPATH=os.pathsep.join(sys.path))


@only_sqlite
def test_without_the_application_no_tenant_is_made_or_removed(house: House) -> None:
    for arguments in (
        ["tenants", "create", "initech", "--owner", "peter@example.com"],
        ["tenants", "delete", "acme", "--yes"],
    ):
        done = house.run(*arguments)
        assert done.exit_code == 2
        assert "--app" in done.stderr
    assert house.actions(house.acme) == []


@pytest.mark.parametrize("named", ["nothing:plane", "json:dumps", "json", "json:none"])
@only_sqlite
def test_what_is_no_control_plane_is_2(house: House, named: str) -> None:
    done = house.run("tenants", "delete", "acme", "--yes", "--app", named)
    assert done.exit_code == 2
    assert named in done.stderr


@only_postgresql
def test_a_tenant_is_made_and_deleted_for_good(house: House, application: Path) -> None:
    done = run(application, "tenants", "create", "initech", "--owner", "peter@example.com")
    assert (done.returncode, done.stdout) == (0, "initech is active\n"), done.stderr
    members = house.json("members", "list", "initech")["members"]
    assert [member["email"] for member in members] == ["peter@example.com"]
    made = house.json("tenants", "show", "initech")["tenant"]
    done = run(application, "tenants", "delete", "initech", "--grace", "0", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("initech is deleted")
    shown = house.json("tenants", "show", made["id"])
    assert shown["tenant"]["status"] == "deleted"
    assert shown["work"]["certificate"].keys() >= {"erase"}
    assert house.run("tenants", "show", "initech").exit_code == 2


@only_sqlite
def test_a_removal_asks_for_the_slug_and_can_be_taken_back(house: House, application: Path) -> None:
    for no in ("acm\n", CTRL_D):
        assert typed(application, no, "tenants", "delete", "acme") == 2
        assert house.json("tenants", "show", "acme")["tenant"]["status"] == "active"
    assert typed(application, "acme\n", "tenants", "delete", "acme") == 0
    assert house.json("tenants", "show", "acme")["tenant"]["status"] == "suspended"
    assert house.run("tenants", "resume", "acme").stdout == "acme is active\n"
    assert house.json("tenants", "show", "acme")["work"]["state"] == "kept"


def typed(folder: Path, answer: str, *arguments: str) -> int:
    """Run the command on a terminal and type an answer; its exit code."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "wb", buffering=0) as terminal:
        command = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            env=surroundings(PYTHONPATH=os.pathsep.join(sys.path)),
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        os.close(theirs)
        terminal.write(answer.encode())
        return command.wait(timeout=60)
