"""The survey within a project's own suite: real databases, some made by the project's fixtures."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

import partywall.reports.outcomes
import partywall.survey.acting
import partywall.survey.audit  # noqa: F401 - else each run of pytester loads them anew
from partywall.errors import ConfigurationError
from partywall.servers import Postgres
from partywall.survey.suite import at_place, configured, first, once
from tests.blocks import blocks
from tests.conftest import Database
from tests.shop import ACCEPTED, LEAKY, PAGE, SOUND, declared

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

WHOLE, MADE, OWN, LENT = blocks(PAGE, "python")[:4]
COPIES = "SELECT datname FROM pg_database WHERE datname LIKE 'partywall\\_copy\\_%'"
ALONE = ["-p", "no:hypothesispytest", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
BY_FIXTURE = """
import pytest

@pytest.fixture(scope="session")
def test_server():
    return "{url}"
"""
ON_TARGET = """
import pytest

@pytest.fixture(scope="session")
def partywall_place():
    return "target"
"""


@pytest.fixture(scope="session")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.fixture
def project(
    pytester: pytest.Pytester, database: Database, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """A project whose test database holds one sound table, and the page's test function."""
    monkeypatch.delenv("PARTYWALL_DATABASE_URL", raising=False)
    monkeypatch.setenv("CI", "yes")  # lines as long as they are
    database.execute(SOUND)
    pytester.makepyfile(test_isolation=WHOLE)
    (pytester.path / "partywall.toml").write_text(declared(database))
    return pytester


def ran(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest("-W", "error", "-p", "no:cacheprovider", *arguments)


def collected(project: pytest.Pytester) -> list[str]:
    result = ran(project, "--collect-only", "-q")
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


# Which tests there are -----------------------------------------------------------------------


def test_one_test_a_surface_that_the_login_reaches(
    project: pytest.Pytester, database: Database
) -> None:
    database.execute(
        "CREATE VIEW titles AS SELECT body FROM notes; GRANT SELECT ON titles TO app;"
        "CREATE TABLE vault (tenant_id text); CREATE TABLE part (tenant_id text, pin text);"
        "GRANT SELECT (tenant_id) ON part TO app;"
        "CREATE FUNCTION mine(int) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM notes);"
        "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql RETURN 1;"
        "REVOKE ALL ON FUNCTION theirs() FROM PUBLIC;"
        "CREATE SCHEMA closed; CREATE TABLE closed.door (id int); GRANT ALL ON closed.door TO app"
    )
    names = ["public.notes", "public.part", "public.titles", "public.mine(integer)", "all else"]
    assert collected(project) == [f"test_isolation[{name}]" for name in names]


@pytest.mark.parametrize("configuration", ["", "[tenants]\nacme = 1", "nonsense", None])
def test_tests_are_collected_without_a_database(
    project: pytest.Pytester, configuration: str | None, database: Database
) -> None:
    nowhere = "postgresql://postgres:secret@127.0.0.1:1/shop"
    told = declared(database, administrator=nowhere) if configuration is None else configuration
    (project.path / "partywall.toml").write_text(told)
    assert collected(project) == ["test_isolation[all]"]
    result = ran(project, "-q")
    result.assert_outcomes(errors=1)
    assert "Traceback" not in result.stdout.str()
    assert "secret" not in result.stdout.str()
    said = "can't connect to 127.0.0.1:1/shop" if configuration is None else "partywall.toml"
    assert said in result.stdout.str() or "no database to survey" in result.stdout.str()
    assert "During handling" not in result.stdout.str()


def test_fixtures_that_make_the_database_are_not_run_to_collect(
    project: pytest.Pytester, database: Database
) -> None:
    project.makeconftest(BY_FIXTURE.format(url=database.url()) + MADE)
    assert collected(project) == ["test_isolation[all]"]
    assert database.rows("SELECT to_regclass('invoices')") == [(None,)]


def test_workers_go_by_what_the_first_of_them_saw(tmp_path: Path) -> None:
    path = tmp_path / "surfaces.json"
    assert first(path, lambda: ["a"]) == first(path, lambda: ["b"]) == ["a"]
    assert [each.name for each in tmp_path.iterdir()] == ["surfaces.json"]


# How they end --------------------------------------------------------------------------------


def test_each_surface_ends_as_the_survey_found(
    project: pytest.Pytester, database: Database
) -> None:
    database.execute(LEAKY)
    with (project.path / "partywall.toml").open("a") as file:
        file.write(ACCEPTED)
    result = ran(project, "-rA")
    result.assert_outcomes(passed=2, failed=2, skipped=1)
    [shown, *_] = blocks(PAGE, "text")
    for line in shown.splitlines():
        begins, _, ends = line.partition("…")
        assert any(e.startswith(begins) and e.endswith(ends) for e in result.outlines), line
    result.stdout.fnmatch_lines_random(
        [
            "PASSED test_isolation.py::test_isolation[[]all else[]]",
            "public.orders: read by another tenant",
            "*-- as acme",
            "*SELECT * FROM public.orders;",
            "*fix *",
            "public.nightly, write: the rightful tenant could not do it either: only the night*",
        ]
    )
    assert database.rows(COPIES) == []


def test_a_database_that_fixtures_make(project: pytest.Pytester, database: Database) -> None:
    (project.path / "partywall.toml").write_text(declared(database, administrator=""))
    url = database.url().replace("postgresql:", "postgresql+psycopg:")
    project.makeconftest(BY_FIXTURE.format(url=url) + MADE.replace("(test_server, a", "(URL, a"))
    with (project.path / "conftest.py").open("a") as file:
        file.write(f'\nURL = "{database.url()}"\n')
    result = ran(project, "-v")
    assert result.parseoutcomes() == {"failed": 2, "subtests": 1}
    result.stdout.fnmatch_lines_random(
        ["*SUBFAILED*Failed: public.invoices: read *by another tenant*"]
    )
    database.execute("DROP TABLE invoices")
    without = ran(project, "-p", "no:subtests")
    without.assert_outcomes(failed=1)


def test_a_table_made_after_the_collection_is_no_secret(
    project: pytest.Pytester, database: Database
) -> None:
    database.execute("CREATE TABLE old (tenant_id text); GRANT SELECT ON old TO app")
    project.makeconftest(
        "import psycopg, pytest\n"
        "@pytest.fixture(scope='session', autouse=True)\n"
        "def migrated():\n"
        f"    with psycopg.connect('{database.url()}') as connection:\n"
        "        connection.execute('CREATE TABLE late (tenant_id text, body text)')\n"
        "        connection.execute('GRANT SELECT ON late TO app')\n"
        "        connection.execute('DROP TABLE old')\n"
    )
    result = ran(project, "-rA")
    assert result.parseoutcomes() == {"passed": 1, "failed": 2, "skipped": 1}
    result.stdout.fnmatch_lines_random(
        [
            "SUBFAILED*[[]all else[]]*Failed: public.late: read by another tenant",
            "*public.old is there no more",
        ]
    )


def test_what_takes_a_stronger_attacker_is_skipped(
    project: pytest.Pytester, database: Database
) -> None:
    enter, path = "SELECT set_config('app.tenant', '{}', true)", "SET LOCAL search_path = {}"
    told = declared(database)
    for name in ("acme", "globex"):
        database.execute(
            f"CREATE SCHEMA {name}; CREATE TABLE {name}.notes (body text NOT NULL);"
            f"GRANT USAGE ON SCHEMA {name} TO app; GRANT SELECT ON {name}.notes TO app"
        )
        told = told.replace(enter.format(name), path.format(name))
    database.execute("DROP TABLE notes")
    (project.path / "partywall.toml").write_text(told)
    result = ran(project, "-rA")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines_random(
        ["*: globex.notes: the survey's attacker doesn't go as far as this*"]
    )


def test_last_failed_runs_only_what_failed(project: pytest.Pytester, database: Database) -> None:
    database.execute(LEAKY + "DROP TABLE users, nightly")
    project.runpytest("-W", "error").assert_outcomes(passed=2, failed=1)
    database.execute(
        "DROP POLICY everybodys ON orders;"
        "CREATE POLICY own ON orders USING (tenant_id = current_setting('app.tenant', true))"
    )
    project.runpytest("-W", "error", "--lf").assert_outcomes(passed=1)


def test_on_the_target_nothing_is_copied(project: pytest.Pytester, database: Database) -> None:
    database.execute(
        "CREATE SEQUENCE steps; ALTER TABLE notes ADD step bigint DEFAULT nextval('steps');"
        "GRANT USAGE ON steps TO app"
    )
    moved = "SELECT last_value FROM steps"
    ran(project)
    assert database.rows(moved) == [(1,)]
    project.makeconftest(ON_TARGET)
    ran(project)
    assert database.rows(moved) > [(1,)]
    assert database.rows("SELECT count(*) FROM notes") == [(0,)]


# Processes -----------------------------------------------------------------------------------


def test_an_interrupted_run_leaves_no_copy(project: pytest.Pytester, database: Database) -> None:
    with psycopg.connect(database.url()) as other:
        other.execute("LOCK TABLE notes")  # pg_dump waits for it, so the copy is half made
        command = [sys.executable, "-m", "pytest", *ALONE, "-p", "no:xdist"]
        with subprocess.Popen(command, cwd=project.path, stdout=subprocess.PIPE) as running:
            wait_for_copy(database, running)
            running.send_signal(signal.SIGINT)
            said, _ = running.communicate(timeout=30)
    assert running.returncode == pytest.ExitCode.INTERRUPTED, said
    assert database.rows(COPIES) == []


def wait_for_copy(database: Database, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not database.rows(COPIES):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_workers_share_one_survey(project: pytest.Pytester, database: Database) -> None:
    database.execute(
        "".join(
            f"CREATE TABLE leak{n} (tenant_id text, body text); GRANT SELECT ON leak{n} TO app;"
            for n in range(4)
        )
    )
    result = project.runpytest_subprocess(*ALONE, "-W", "error", "-n2", "-q")
    result.assert_outcomes(failed=4, passed=2)
    said = result.stdout.str()
    assert set(re.findall(r"\[gw\d\]", said)) == {"[gw0]", "[gw1]"}
    assert (
        len(set(re.findall(r"\bpwa[a-z0-9]{6}", said))) == 1
    )  # each survey has canaries of its own


def test_who_waits_for_a_survey_takes_its_answer(tmp_path: Path, database: Database) -> None:
    begun, made = threading.Event(), []
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event = 'advisory'"

    def survey() -> list[int]:
        made.append(1)
        begun.set()
        deadline = time.monotonic() + 30
        while not database.rows(waiting) and time.monotonic() < deadline:
            time.sleep(0.01)
        return made

    answers = []
    path = tmp_path / "answer.json"
    threads = [
        threading.Thread(target=lambda: answers.append(once(path, database.url(), survey)))
        for _ in range(2)
    ]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    for each in threads:
        each.join(60)
    assert (answers, made) == ([[1], [1]], [1])


# Where the tenants log in --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "place", "there"),
    [
        (
            "postgresql://app@db/app",
            "postgresql://boss@h:5433/test",
            "postgresql://app@h:5433/test",
        ),
        ("postgresql://app:p%40ss@/", "postgresql://boss:x@h/t", "postgresql://app:p%40ss@h/t"),
        ("user=app dbname=x", "host=/tmp/run dbname=t", "postgresql://app@%2Ftmp%2Frun/t"),
        (
            "postgresql://app@db/x?options=-cwork_mem%3D1MB",
            "postgresql://h/t?sslmode=require",
            "postgresql://app@h/t?sslmode=require&options=-cwork_mem%3D1MB",
        ),
    ],
)
def test_a_login_is_taken_to_another_place(url: str, place: str, there: str) -> None:
    assert at_place(url, place) == there


def test_tenants_with_databases_of_their_own_keep_them(tmp_path: Path) -> None:
    (tmp_path / "partywall.toml").write_text(
        "".join(
            f'[tenants.{one}]\nid = "{one}"\nurl = "postgresql://app@db/{one}"\n'
            for one in ("acme", "globex")
        )
        + '[anonymous]\nurl = "postgresql://app@db/acme"\n'
    )
    told = configured(tmp_path, "postgresql+asyncpg://postgres@h:1/test")
    assert told.url == "postgresql://postgres@h:1/test"
    nobody = told.anonymous
    assert nobody is not None
    assert [one.url for one in (*told.tenants, nobody)] == [
        "postgresql://app@h:1/acme",
        "postgresql://app@h:1/globex",
        "postgresql://app@h:1/acme",
    ]


def test_a_url_that_is_none_is_said() -> None:
    with pytest.raises(ConfigurationError, match="write a url as postgresql://"):
        at_place("nonsense", "postgresql://h/t")


# The page's own assertions ---------------------------------------------------------------------


def test_the_page_s_assertions_hold(project: pytest.Pytester, database: Database) -> None:
    engine = database.url().replace("postgresql:", "postgresql+psycopg:")
    project.makepyfile(test_isolation=OWN + "\n\n" + LENT)
    project.makeconftest(
        "import pytest, sqlalchemy\nfrom sqlalchemy.orm import Session\n"
        "@pytest.fixture\n"
        "def session():\n"
        f"    engine = sqlalchemy.create_engine('{engine}')\n"
        "    with Session(engine) as session:\n"
        "        row = \"INSERT INTO notes (tenant_id, body) VALUES ('acme', 'held')\"\n"
        "        session.execute(sqlalchemy.text(row))\n"
        "        yield session\n"
        "    engine.dispose()\n"
    )
    ran(project).assert_outcomes(passed=2)
    database.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY")
    result = ran(project)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines_random(
        [
            "E  *AssertionError: globex reads 1 of the 1 rows that acme reads by",
            ">       globex.cannot_read(*",
        ]
    )
    assert "survey/acting.py" not in result.stdout.str()
    assert re.search(r"held'?\)", result.stdout.str()) is None
    assert database.rows("SELECT count(*) FROM notes") == [(0,)]
