"""`partywall init`: the file that it writes is surveyed as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.reports.beginning import comment, key, quoted
from partywall.survey.audit import audit
from partywall.survey.configuration import load
from partywall.survey.proposal import address
from tests.survey.surveys import TWO_LOGINS, WALLED

if TYPE_CHECKING:
    from partywall.survey.verdict import Report
    from tests.conftest import Database

ONLY = frozenset({"read-rows"})
TABLE = """
CREATE TABLE notes (tenant {type} NOT NULL, id int NOT NULL, body text, PRIMARY KEY (tenant, id));
ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant = {asked});
"""
BY_ROLE = """
CREATE ROLE one LOGIN; CREATE ROLE two LOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO one, two;
"""
BY_CLAIMS = """
CREATE SCHEMA auth;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated TO authenticator;
GRANT USAGE ON SCHEMA auth TO anon, authenticated;
"""
GRANTED = "GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO authenticated;"
CLAIM = "((SELECT auth.jwt() -> 'app_metadata' ->> 'tenant_id'))::uuid"
CASES = {
    "by role": TABLE.format(type="name", asked="current_user") + BY_ROLE,
    "claims": BY_CLAIMS + TABLE.format(type="uuid", asked=CLAIM) + GRANTED,
    "schemas": TWO_LOGINS,
}
ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
AWKWARD = """
CREATE ROLE "O'Neil ""x"" \\ ü" LOGIN;
CREATE TABLE "Ta""ble 'x'" ("Org_ID" text NOT NULL, id int, body text, PRIMARY KEY ("Org_ID", id));
ALTER TABLE "Ta""ble 'x'" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "it's ""mine"" own" ON "Ta""ble 'x'"
    USING ("Org_ID" = current_setting('app.org', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON "Ta""ble 'x'" TO "O'Neil ""x"" \\ ü";
INSERT INTO "Ta""ble 'x'" VALUES ('a''b"c\\d', 1, ''), ('e''f"g\\😀', 1, '');
"""


def init(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PARTYWALL_")}
    words = [sys.executable, "-m", "partywall", "init", *options]
    return subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def begun(folder: Path, url: str) -> tuple[dict[str, Any], Report]:
    """The file that `init` writes, and what a survey by it says."""
    done = init(folder, "--url", url)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("partywall: partywall.toml is written: read it through")
    file = folder / "partywall.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")), audit(load(file), only=ONLY)


@ON_15
@pytest.mark.parametrize("case", CASES)
def test_what_was_detected_is_surveyed_as_it_is(
    database: Database, tmp_path: Path, case: str
) -> None:
    database.execute(CASES[case])

    written, report = begun(tmp_path, database.url())

    assert (report.verdict, report.controls["failed"]) == ("held", 0)
    assert report.controls["proved"] > 0
    assert len(written["tenants"]) == 2
    assert ("anonymous" in written) is (case == "claims")


@ON_15
def test_ids_are_those_of_rows(database: Database, tmp_path: Path) -> None:
    database.execute(WALLED)

    written, report = begun(tmp_path, database.url())

    assert (report.verdict, report.controls["failed"]) == ("held", 0)
    assert [one["id"] for one in written["tenants"].values()] == ["1", "2"]
    assert written["tenants"]["a"]["enter"] == ["SELECT set_config('app.org', '1', true)"]
    assert "two that are there" in (tmp_path / "partywall.toml").read_text(encoding="utf-8")


@ON_15
def test_names_that_need_quotes_come_through(database: Database, tmp_path: Path) -> None:
    database.execute(AWKWARD)

    written, report = begun(tmp_path, database.url())

    assert (report.verdict, report.identities["A"].login) == ("held", 'O\'Neil "x" \\ ü')
    assert [one["id"] for one in written["tenants"].values()] == ["a'b\"c\\d", "e'f\"g\\😀"]
    assert report.cells['public."Ta""ble \'x\'"', "read"] == "held"


@ON_15
def test_nothing_to_go_by_becomes_questions(database: Database, tmp_path: Path) -> None:
    database.execute("CREATE ROLE app LOGIN; CREATE TABLE things (id int, colour text)")

    done = init(tmp_path, "--url", database.url())

    text = (tmp_path / "partywall.toml").read_text(encoding="utf-8")
    assert done.returncode == 0
    assert "the tenants could not be made out: nothing in the catalog says" in done.stderr
    assert "As which login does the application connect?" in text
    assert not load(tmp_path / "partywall.toml").tenants


@ON_15
def test_schemas_of_other_tenants_are_nobody_s_shared_tables(
    database: Database, tmp_path: Path
) -> None:
    database.execute("CREATE ROLE aaron LOGIN; CREATE ROLE shop LOGIN; CREATE TABLE plans (id int)")
    for name in ("one", "two", "three"):
        database.execute(
            f"CREATE SCHEMA {name}; CREATE TABLE {name}.notes (id int PRIMARY KEY, body text);"
            f"GRANT USAGE ON SCHEMA {name} TO shop; GRANT SELECT ON {name}.notes TO shop"
        )
    done = init(tmp_path, "--url", database.url(), "--output", "my walls.toml")
    assert "then run `partywall audit --config 'my walls.toml'`" in done.stderr
    written = (tmp_path / "my walls.toml").read_text(encoding="utf-8")
    assert "the first attacks the second. They are two that are there." in written
    assert "public.plans is shared" in written
    assert "two.notes is shared" not in written
    tenants = tomllib.loads(written)["tenants"]
    assert sorted(tenants) == ["one", "three"]
    assert all("//shop@" in one["url"] for one in tenants.values())  # aaron may do nothing here


@ON_15
def test_rows_that_a_policy_shows_to_all_are_asked_about(
    database: Database, tmp_path: Path
) -> None:
    database.execute(WALLED)
    database.execute("CREATE POLICY shop ON notes FOR SELECT USING (body = 'shown');")

    init(tmp_path, "--url", database.url())

    text = (tmp_path / "partywall.toml").read_text(encoding="utf-8")
    assert "# The policy shop shows these to whoever asks. Is it meant so?" in text
    proposed = text[text.index("# [[public]]") :].splitlines()[:3]
    assert tomllib.loads("\n".join(line.removeprefix("# ") for line in proposed)) == {
        "public": [{"table": "public.notes", "when": "(body = 'shown'::text)"}]
    }


@ON_15
def test_a_password_is_never_written(database: Database, tmp_path: Path) -> None:
    database.execute(WALLED)
    url = database.url().replace("postgres@", "postgres:hunter2@")

    done = init(tmp_path, "--url", url)

    text = (tmp_path / "partywall.toml").read_text(encoding="utf-8")
    assert "postgres:${PARTYWALL_ADMIN_PASSWORD}@" in text
    assert "hunter2" not in text + done.stderr


@ON_15
def test_json_says_what_was_detected(database: Database, tmp_path: Path) -> None:
    database.execute(WALLED)

    url = database.url().replace("postgres@", "postgres:hunter2@")

    done = init(tmp_path, "--url", url, "--format", "json")

    found = json.loads(done.stdout)["database"]
    assert "hunter2" not in done.stdout
    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (0, "", [])
    assert (found["isolation"], found["existing"]) == ("row security", True)
    assert [one["id"] for one in found["tenants"]] == ["1", "2"]
    assert found["owned"] == {"public.notes": "org holds the tenant"}


@ON_15
def test_a_file_that_is_there_is_left_alone(database: Database, tmp_path: Path) -> None:
    database.execute(WALLED)
    file = tmp_path / "partywall.toml"
    file.write_text("# mine\n", encoding="utf-8")

    refused = init(tmp_path, "--url", database.url())
    assert (refused.returncode, file.read_text(encoding="utf-8")) == (2, "# mine\n")
    assert "--force overwrites it" in " ".join(refused.stderr.split())

    elsewhere = init(tmp_path, "--url", database.url(), "--output", "-")
    assert elsewhere.stdout.startswith("# What `partywall audit` is told")
    assert file.read_text(encoding="utf-8") == "# mine\n"

    assert init(tmp_path, "--url", database.url(), "--force").returncode == 0
    assert file.read_text(encoding="utf-8") == elsewhere.stdout


def test_an_api_alone_is_enough(tmp_path: Path) -> None:
    base = "http://127.0.0.1:8000"

    done = init(tmp_path, "--openapi", f"{base}/openapi.json", "--base", base)

    text = (tmp_path / "partywall.toml").read_text(encoding="utf-8")
    assert done.returncode == 0
    assert tomllib.loads(text)["api"] == {"base": base, "openapi": f"{base}/openapi.json"}
    assert '# headers = { Authorization = "Bearer ${ACME_TOKEN}" }' in text


@pytest.mark.parametrize(
    ("options", "words"),
    [([], "nothing to detect from"), (["--base", "http://h"], "--openapi and --base go together"),
     (["--url", "postgresql://postgres:hunter2@127.0.0.1:1/x"], "can't connect to 127.0.0.1:1/x")],
)  # fmt: skip
def test_wrong_use_is_2_and_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    done = init(tmp_path, *options)

    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "hunter2" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_every_text_is_toml(text: str) -> None:
    assert tomllib.loads(f"{key(text)} = {quoted(text)} # {comment(text)}") == {text: text}


@given(
    user=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1),
    database=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1),
)
def test_every_name_is_an_address(user: str, database: str) -> None:
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415 - here alone

    made = address(make_conninfo(host="127.0.0.1", dbname=database, password="x"), user=user)

    assert conninfo_to_dict(made) == {"user": user, "host": "127.0.0.1", "dbname": database}
