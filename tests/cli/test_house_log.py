"""`partywall log`: shown, exported, and checked with and without a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from partywall.cli import app
from partywall.control import audit
from tests.cli.house import BOTH, House, only_sqlite, settled


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    yield from settled(request, tmp_path)


def told(house: House, count: int) -> None:
    with house.database.begin() as connection:
        for number in range(count):
            audit.record(
                connection,
                house.acme.id,
                "invoice.sent",
                actor="ada",
                source="203.0.113.7",
                detail={"number": number, "to": "é"},
            )


def break_at(house: House, number: int) -> None:
    """As who owns the table can: the triggers off, an entry changed."""
    log = "audit_log" if house.database.sqlite else "partywall.audit_log"
    off = (
        "DROP TRIGGER audit_log_update"
        if house.database.sqlite
        else f"ALTER TABLE {log} DISABLE TRIGGER only_added_to"
    )
    with house.database.begin() as connection:
        connection.execute(text(off))
        connection.execute(text(f"UPDATE {log} SET actor = 'eve' WHERE number = {number}"))


@only_sqlite
def test_a_log_is_shown_from_its_end(house: House) -> None:
    told(house, 60)
    shown = house.json("log", "show", "acme")["entries"]
    assert [entry["number"] for entry in shown] == list(range(11, 61))
    assert shown[0].keys() == {
        "action", "actor", "at", "detail", "hash", "number", "previous", "source", "subject",
        "tenant_id",
    }  # fmt: skip
    assert [
        e["number"]
        for e in house.json("log", "show", "acme", "--after", "3", "--limit", "2")["entries"]
    ] == [4, 5]
    assert "invoice.sent" in house.run("log", "show", "acme", "--limit", "1").stdout
    assert house.run("log", "show", "-").stdout == "no entries\n"


@only_sqlite
def test_a_log_that_holds_is_0_and_prints_what_to_keep(house: House) -> None:
    told(house, 3)
    done = house.run("log", "verify", "acme")
    assert done.exit_code == 0
    assert done.stdout.startswith("✓ acme: 3 entries held; head 3:")
    head = done.stdout.split()[-1]
    told(house, 2)
    assert house.run("log", "verify", "acme", "--head", head).exit_code == 0
    found = house.json("log", "verify")
    assert found["verdict"] == "held"
    (log,) = found["logs"]
    assert log.keys() == {"tenant_id", "slug", "entries", "broken_at", "because", "head"}
    assert (log["slug"], log["entries"], log["broken_at"]) == ("acme", 5, None)


def test_a_broken_log_is_1_and_names_the_entry(house: House) -> None:
    told(house, 5)
    kept = house.run("log", "verify", "acme").stdout.split()[-1]
    break_at(house, 3)
    for arguments in ([], ["acme"], ["acme", "--head", kept]):
        done = house.run("log", "verify", *arguments)
        assert done.exit_code == 1
        assert "✗ acme: broken at entry 3: its content is not what was hashed" in done.stdout
    done = house.run("log", "verify", "--format", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["verdict"] == "broken"
    assert json.loads(done.stdout)["logs"][0]["broken_at"] == 3


@only_sqlite
def test_a_log_of_another_head_is_1(house: House) -> None:
    told(house, 2)
    done = house.run("log", "verify", "acme", "--head", f"3:{'0' * 64}")
    assert done.exit_code == 1
    assert "broken at entry 3" in done.stdout


@only_sqlite
def test_an_export_is_checked_where_no_database_is(house: House, tmp_path: Path) -> None:
    told(house, 4)
    done = house.run("log", "export", "acme")
    assert done.exit_code == 0
    assert done.stderr.startswith("partywall: 4 entries; head 4:")
    head = done.stderr.split()[-1]
    file = tmp_path / "acme.jsonl"
    assert house.run("log", "export", "acme", "--output", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8") == done.stdout
    run = CliRunner()
    assert run.invoke(app, ["log", "verify", "--file", str(file), "--head", head]).exit_code == 0
    file.write_text(done.stdout.replace("203.0.113.7", "203.0.113.8", 1), encoding="utf-8")
    broken = run.invoke(app, ["log", "verify", "--file", str(file)])
    assert broken.exit_code == 1
    assert "broken at entry 1" in broken.stdout
    file.write_text("".join(done.stdout.splitlines(keepends=True)[:3]), encoding="utf-8")
    assert run.invoke(app, ["log", "verify", "--file", str(file), "--head", head]).exit_code == 1
    file.write_bytes(b"\xff\xfe")
    assert run.invoke(app, ["log", "verify", "--file", str(file)]).exit_code == 2
    assert run.invoke(app, ["log", "verify", "--file", str(tmp_path / "none")]).exit_code == 2
    assert run.invoke(app, ["log", "verify", "--file", str(file), "acme"]).exit_code == 2
    assert run.invoke(app, ["log", "verify", "--head", head]).exit_code == 2


@only_sqlite
def test_the_log_of_a_tenant_that_is_no_more_is_found_by_its_id(house: House) -> None:
    with house.database.begin() as connection:
        gone = "99999999-9999-4999-8999-999999999999"
        audit.record(connection, gone, "tenant.removed", actor="partywall")
    assert house.run("log", "verify", gone).exit_code == 0
    assert len(house.json("log", "show", gone)["entries"]) == 1
