"""A folder becomes a database on a server of its own, is surveyed, and is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import ConfigurationError, MigrationError
from partywall.survey.audit import audit
from partywall.survey.migrations import Migrations, migrated
from partywall.survey.migrations.programs import migrate
from partywall.survey.migrations.tool import Address
from partywall.survey.migrations.tools.alembic import alembic
from tests.migrations.projects import Kind, project, written

if TYPE_CHECKING:
    from partywall.survey.verdict import Report

ONLY = frozenset({"read-rows"})
DECLARED = """
[database]
url = "postgresql://postgres:${NOBODY_SETS_THIS}@production.invalid/shop"

[tenants.acme]
id = "a1111111-1111-4111-8111-111111111111"
url = "postgresql://shop_login:${NOR_THIS}@production.invalid/shop"
enter = ["SELECT set_config('app.tenant_id', 'a1111111-1111-4111-8111-111111111111', true)"]

[tenants.globex]
id = "b2222222-2222-4222-8222-222222222222"
url = "postgresql://shop_login:${NOR_THIS}@production.invalid/shop"
enter = ["SELECT set_config('app.tenant_id', 'b2222222-2222-4222-8222-222222222222', true)"]
"""


def surveyed(folder: Path, config: Path | None = None) -> Report:
    with migrated(Migrations(folder), config) as configuration:
        return audit(configuration, only=ONLY)


@pytest.mark.parametrize("kind", ["sound", "leaky"])
def test_supabase_has_its_platform(tmp_path: Path, kind: Kind) -> None:
    with migrated(Migrations(project(tmp_path, "supabase", kind))) as configuration:
        report = audit(configuration, only=ONLY)
        with psycopg.connect(configuration.url) as connection:
            rows = connection.execute("SELECT count(*) FROM auth.users").fetchone()

    assert report.verdict == ("held" if kind == "sound" else "breached")
    assert {one.at for one in report.findings} == (set() if kind == "sound" else {"public.notes"})
    assert report.identities["A"].login == "authenticator"
    assert report.identities["A"].role == "authenticated"
    assert report.target == f"{tmp_path} (Supabase, 3 scripts)"
    assert "the roles, schemas and functions of Supabase are stand-ins" in report.left
    assert rows == (1,)  # the seed's
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(configuration.url)


def test_alembic_reaches_no_other_database_than_the_disposable_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "ORDERS_DATABASE", "postgresql+psycopg://shop:secret@production.invalid/shop"
    )

    report = surveyed(project(tmp_path, "alembic", "leaky"))

    assert {one.at for one in report.findings} == {"public.notes"}
    assert "no migration makes the role app_user: it was made, without a login" in report.left


def stopped(folder: Path) -> str:
    """What Alembic says of a server that isn't there: it ends before it connects."""
    assert alembic.program
    command = alembic.program(folder, sys.executable, Address("127.0.0.1", 1, "a", "b"))
    made: list[str] = []
    with pytest.raises(MigrationError) as error:
        migrate(command, "Alembic", made.append)
    assert made == []
    return str(error.value)


def test_alembic_that_would_use_sqlite_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_DATABASE", f"sqlite:///{tmp_path}/shop.db")

    assert "stopped: it connects to sqlite: set the" in stopped(
        project(tmp_path, "alembic", "sound")
    )


def test_a_program_says_in_one_line_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERS_DATABASE", raising=False)

    assert "stopped: KeyError: 'ORDERS_DATABASE' (migrations/env.py, line 6); set what" in stopped(
        project(tmp_path, "alembic", "sound")
    )


def test_django_uses_the_disposable_database(tmp_path: Path) -> None:
    report = surveyed(project(tmp_path, "django", "sound"))

    assert report.verdict == "held"
    assert report.target.endswith("(Django)")
    assert (
        "no migration makes the login application: it was made, a member of app_user" in report.left
    )


def test_declared_tenants_need_neither_their_server_nor_their_secrets(tmp_path: Path) -> None:
    folder = project(tmp_path / "migrations", "plain", "sound")
    written(tmp_path, {"partywall.toml": DECLARED})

    report = surveyed(folder, tmp_path / "partywall.toml")

    assert (report.verdict, report.identities["A"].login) == ("held", "shop_login")
    assert (
        "no migration makes the login shop_login: it was made, a member of app_user" in report.left
    )


def test_a_database_per_tenant_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "migrations", "plain", "sound")
    config = tmp_path / "partywall.toml"
    config.write_text("/globex".join(DECLARED.rsplit("/shop", 1)), encoding="utf-8")

    with (
        pytest.raises(ConfigurationError, match=r"a database each \(globex, shop\)"),
        migrated(Migrations(folder), config),
    ):
        pass


OWN = """
CREATE TABLE notes (tenant_id uuid NOT NULL, id int, body text, PRIMARY KEY (tenant_id, id));
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
GRANT CONNECT ON DATABASE notebook TO CURRENT_USER;
"""


def command(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "partywall", "audit", "--migrations", str(folder), *options]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PARTYWALL_")}
    return subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def test_where_nothing_is_granted_the_application_owns_the_tables(tmp_path: Path) -> None:
    done = command(written(tmp_path, {"1_a.sql": OWN}), "--format", "json")

    report = json.loads(done.stdout)
    assert done.returncode == 1  # without FORCE, policies do not hold for the owner
    assert report["tenants"][0]["login"] == "application"
    assert "owns the tables" in report["not_tried"][0]
    assert {f["at"] for f in report["findings"]} >= {"public.notes"}


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ({"1_a.sql": "CREATE TABLE a (id int);\nCREATE INDEX ON b (id);"}, [],
         '1_a.sql:2: relation "b" does not exist (CREATE INDEX ON b (id))'),
        ({"1_a.sql": "SELECT 1"}, ["--url", "postgresql://h/d"], "not with --url"),
    ],
)  # fmt: skip
def test_what_can_not_be_surveyed_is_2_and_one_line(
    tmp_path: Path, files: dict[str, str], options: list[str], words: str
) -> None:
    done = command(written(tmp_path, files), *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
