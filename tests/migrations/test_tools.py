"""What each tool would run, in which order: decided without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from partywall.errors import ConfigurationError, MigrationError
from partywall.survey.migrations.finding import found
from partywall.survey.migrations.programs import last_words, python_of
from partywall.survey.migrations.tool import Address, Script
from partywall.survey.migrations.tools import every_tool
from partywall.survey.migrations.tools.flyway import version
from partywall.survey.migrations.tools.sqitch import changes
from tests.migrations.projects import DOWN, project, written

TOOLS = [tool.name for tool in every_tool()]
SQL = "SELECT 1;"


def scripts(folder: Path, chosen: str = "") -> list[Script]:
    tool, place = found(folder, chosen)
    assert tool.scripts
    return list(tool.scripts(place))


def names(folder: Path, chosen: str = "") -> list[str]:
    return [str(one.file.relative_to(folder)) for one in scripts(folder, chosen)]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_project_is_seen_to_be_its_tools(tmp_path: Path, tool: str) -> None:
    assert found(project(tmp_path, tool, "sound"))[0].name == tool


@pytest.mark.parametrize("tool", [t.name for t in every_tool() if t.scripts])
def test_what_goes_forward_is_read_and_what_goes_back_is_not(tmp_path: Path, tool: str) -> None:
    texts = [one.text for one in scripts(project(tmp_path, tool, "sound"))]

    assert DOWN not in "\n".join(texts)
    tables, walls = (
        next(i for i, text in enumerate(texts) if words in text.lower())
        for words in ("create table", "create policy own")
    )
    assert tables <= walls


@pytest.mark.parametrize(
    ("folder", "given"),
    [("supabase", "supabase"), ("supabase", "supabase/migrations"), ("dbmate", "db/migrations"),
     ("prisma", "prisma"), ("prisma", "prisma/migrations"), ("drizzle", "drizzle"),
     ("flyway", "sql"), ("sqitch", "deploy")],
)  # fmt: skip
def test_the_inner_folder_says_it_as_well(tmp_path: Path, folder: str, given: str) -> None:
    assert found(project(tmp_path, folder, "sound") / given)[0].name == folder


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    files = {"10_c.sql": SQL, "2_b.sql": SQL, "1_a.sql": SQL, "2_b.down.sql": DOWN}

    assert names(written(tmp_path, files)) == ["1_a.sql", "2_b.sql", "10_c.sql"]


def test_one_file_is_a_folder_of_one(tmp_path: Path) -> None:
    assert names(written(tmp_path, {"schema.sql": SQL}) / "schema.sql") == ["."]


def test_flyway_runs_callbacks_versions_and_repeatable_scripts(tmp_path: Path) -> None:
    order = ["beforeMigrate.sql", "V1__a.sql", "V1.1__b.sql", "V1_10__c.sql", "V2__d.sql",
             "R__one.sql", "R__two.sql", "afterMigrate__grants.sql"]  # fmt: skip
    ignored = ["U2__d.sql", "beforeClean.sql", "notes.sql", "V3__late.sql.conf"]
    written(tmp_path, dict.fromkeys([*reversed(order), *ignored], SQL))

    assert names(tmp_path) == order
    assert [version(v) for v in ("1.0", "1", "001_10")] == [(1,), (1,), (1, 10)]


def test_flyway_begins_at_the_last_baseline(tmp_path: Path) -> None:
    files = ["V1__a.sql", "V2__b.sql", "V3__c.sql", "B1__x.sql", "B2__y.sql"]

    assert names(written(tmp_path, dict.fromkeys(files, SQL))) == ["B2__y.sql", "V3__c.sql"]


def test_flyway_reads_its_older_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = (
        "# where\nflyway.locations=filesystem:one, classpath:db/migration\n"
        "flyway.placeholders.Owner = keeper\nflyway.defaultSchema=shop\n"
    )
    written(tmp_path, {
        "flyway.conf": conf, "one/V1__a.sql": "-- ${owner} ${flyway:defaultSchema} ${other}",
        "src/main/resources/db/migration/V2__b.sql": SQL, "two/V3__c.sql": SQL,
    })  # fmt: skip
    monkeypatch.setenv("FLYWAY_PLACEHOLDERS_OTHER", "told")

    schema, one, two = scripts(tmp_path)

    assert schema.text == 'CREATE SCHEMA IF NOT EXISTS "shop"; SET search_path = "shop"'
    assert one.text == 'SET search_path = "shop"; -- keeper shop told'
    assert two.file.name == "V2__b.sql"


def test_a_placeholder_without_a_value_is_named_with_its_line(tmp_path: Path) -> None:
    written(tmp_path, {"V1__a.sql": "SELECT 1;\nGRANT SELECT ON a TO ${reader};"})

    with pytest.raises(
        MigrationError, match=r"V1__a\.sql:2: .*\$\{reader\} .*FLYWAY_PLACEHOLDERS_"
    ):
        scripts(tmp_path)


@pytest.mark.parametrize(
    ("tool", "text", "whole"),
    [
        ("dbmate", "-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\n", False),
        ("dbmate", "-- migrate:up\nSELECT 1;\n-- migrate:down transaction:false\n", True),
        ("goose", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\n", False),
        (
            "goose",
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd",
            True,
        ),
    ],
)
def test_transactions_are_the_tools(tmp_path: Path, tool: str, text: str, *, whole: bool) -> None:
    [one] = scripts(written(tmp_path, {"1_a.sql": text}))

    assert (found(tmp_path)[0].name, one.whole) == (tool, whole)
    assert one.text.splitlines().index("SELECT 1;") == text.splitlines().index("SELECT 1;")


def test_sqitch_names_a_reworked_change_by_its_tag() -> None:
    plan = """
        %project=shop
        users 2026-01-01T00:00:00Z A <a@b> # -- not a change
        + add 2026-01-01T00:00:00Z A <a@b>
        @v1 2026-01-01T00:00:00Z A <a@b>
        other 2026-01-01T00:00:00Z A <a@b>
        @v2 2026-01-01T00:00:00Z A <a@b>
        add [add@v2 users] 2026-01-02T00:00:00Z A <a@b>
        @v3 2026-01-01T00:00:00Z A <a@b>
    """

    assert list(changes(plan)) == ["users", "add@v2", "other", "add"]


def test_sqitch_finds_its_folders_in_its_configuration(tmp_path: Path) -> None:
    conf = '[core]\n\ttop_dir = sql\n\tplan_file = sqitch.plan\n[target "x"]\n\turi = y\n'
    written(
        tmp_path, {"sqitch.conf": conf, "sqitch.plan": "one 2026 A <a>", "sql/deploy/one.sql": SQL}
    )

    assert names(tmp_path) == ["sql/deploy/one.sql"]


def test_supabase_leaves_out_what_its_own_program_would(tmp_path: Path) -> None:
    written(tmp_path, {"supabase/migrations/1_a.sql": SQL, "supabase/migrations/notes.sql": SQL,
                       "supabase/seed.sql": SQL})  # fmt: skip

    first, seed = scripts(tmp_path)

    assert (first.file.name, first.rows, seed.file.name, seed.rows) == (
        "1_a.sql", False, "seed.sql", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "chosen", "words"),
    [
        ({}, "", "no migrations that are known here: no SQL file, no tool's own file"),
        ({"db/a.sql": SQL}, "", "no migrations .*; SQL files are in .*db"),
        (
            {"manage.py": "", "alembic.ini": ""},
            "",
            "of Alembic and of Django: choose .* alembic or",
        ),
        ({"a.sql": SQL}, "flyway", "holds no migrations of Flyway"),
        ({"a.sql": SQL}, "liquibase", "no migration tool 'liquibase'; known are alembic, "),
    ],
)
def test_what_can_not_be_told_is_refused(
    tmp_path: Path, files: dict[str, str], chosen: str, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        found(written(tmp_path, files), chosen)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"drizzle/meta/_journal.json": '{"entries": [{"idx": 0, "tag": "a"}]}'}, "names a.sql"),
        ({"drizzle/meta/_journal.json": "[]"}, "no journal of Drizzle Kit"),
        ({"sqitch.plan": "one 2026 A <a>"}, "names one, and there is no"),
        ({"sqitch.conf": "[core]"}, "there is no .*sqitch.plan"),
        ({"flyway.toml": "[flyway"}, "can't be read as TOML"),
    ],
)
def test_a_broken_project_is_refused(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(MigrationError, match=words):
        scripts(written(tmp_path, files))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_bytes(b"\xff\xfe")

    with pytest.raises(MigrationError, match=r"1_a\.sql can't be read as text in UTF-8"):
        scripts(tmp_path)


def test_settings_that_nobody_names_are_asked_for(tmp_path: Path) -> None:
    tool, place = found(written(tmp_path, {"manage.py": "import this"}))
    assert tool.program

    with pytest.raises(MigrationError, match="set DJANGO_SETTINGS_MODULE"):
        tool.program(place, "python", Address("127.0.0.1", 5432, "a", "b"))


def test_the_python_of_a_project_is_its_own(tmp_path: Path) -> None:
    written(tmp_path, {".venv/bin/python": ""})

    assert python_of(tmp_path, "") == str(tmp_path / ".venv/bin/python")
    with pytest.raises(ConfigurationError, match=r"--python: .* no program"):
        python_of(tmp_path, str(tmp_path / ".venv/bin/python"))  # it can't be executed


def test_last_words_hold_no_values() -> None:
    said = (
        'Traceback (most recent call last):\n  File "/a.py", line 1, in <module>\n    f()\n'
        '  File "/b.py", line 2, in f\n    Settings()\n    ~~^^\n'
        "pydantic.ValidationError: 1 validation error for Settings\nkey\n"
        "  Field required [type=missing, input_value={'token': 'hunter2'}, input_type=dict]\n"
        "    For further information visit https://example.com\n"
    )

    assert last_words(said) == (
        "pydantic.ValidationError: 1 validation error for Settings key Field required"
    )
