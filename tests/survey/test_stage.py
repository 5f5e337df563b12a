"""One connection that is each identity in turn, and leaves nothing of what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.errors import TargetError
from partywall.survey.attack import Step
from partywall.survey.identity import Identity
from partywall.survey.stage import Stage
from tests.survey.surveys import WALLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.identity import Who
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
WHO_AM_I = "SELECT session_user, current_user, current_setting('app.org', true)"


def stage(database: Database, lodging: Mapping[str, str] | None = None, *enter: str) -> Stage:
    """A stage for A and B, for nobody, and for one whose entry is *enter*."""
    entries: dict[Who, tuple[str, ...]] = {
        "A": ("SELECT set_config('app.org', '1', true)",),
        "B": ("SET app.org = '2'",),
        "none": (),
        "empty": enter,
    }
    people = {
        who: Identity(who, who, "", "app", "app", None, database.name, statements)
        for who, statements in entries.items()
    }
    return Stage(database.connection, people, {"none": lodging or {}})


@pytest.fixture
def walled(database: Database) -> Database:
    database.execute(WALLED)
    return database


def count(database: Database) -> list[tuple[int, ...]]:
    return database.rows("SELECT count(*)::int FROM notes")


def test_each_acts_as_its_login_in_its_context(walled: Database) -> None:
    order: tuple[Who, ...] = ("A", "B", "admin", "none", "A")

    outcomes = stage(walled).play([Step(who, WHO_AM_I) for who in order])

    rows = [outcome.rows[0] for outcome in outcomes]
    assert rows[0] == rows[4] == ("app", "app", "1")
    assert rows[1] == ("app", "app", "2")
    assert rows[2][:2] == ("postgres", "postgres")
    assert rows[3][:2] == ("app", "app")
    assert not rows[3][2]


def test_what_they_do_is_seen_by_the_next_and_then_undone(walled: Database) -> None:
    one = stage(walled)

    inserted, seen, hidden, dropped = one.play(
        [
            Step("A", "INSERT INTO notes (org, body) VALUES (1, 'new')"),
            Step("admin", "SELECT count(*) FROM notes"),
            Step("B", "SELECT body FROM notes"),
            Step("admin", "DROP TABLE notes"),
        ]
    )

    assert (inserted.count, seen.scalar, hidden.rows, dropped.ok) == (1, "3", (("of two",),), True)
    assert count(walled) == [(2,)]
    assert one.play([Step("admin", "SELECT session_user")])[0].scalar == "postgres"


def test_a_step_that_fails_does_not_end_the_others(walled: Database) -> None:
    first, failed, last = stage(walled).play(
        [
            Step("A", "INSERT INTO notes (org, body) VALUES (1, 'new')"),
            Step("A", "INSERT INTO notes (org, body) VALUES (2, 'of another')"),
            Step("A", "SELECT count(*) FROM notes"),
        ]
    )

    assert first.ok
    assert (failed.sqlstate, failed.refused, failed.denied) == ("42501", True, False)
    assert last.scalar == "2"


def test_in_a_transaction_only_the_scene_is_undone(walled: Database) -> None:
    one = stage(walled)
    walled.execute("BEGIN")
    one.run(Step("A", "INSERT INTO notes (org, body) VALUES (1, 'kept')"))

    with one.undone():
        one.run(Step("admin", "DELETE FROM notes"))
        assert one.run(Step("admin", "SELECT count(*) FROM notes")).scalar == "0"
    one.play([Step("admin", "DELETE FROM notes")])

    assert one.run(Step("admin", "SELECT count(*) FROM notes")).scalar == "3"
    walled.execute("ROLLBACK")
    assert count(walled) == [(2,)]


def test_undone_also_after_a_failure(walled: Database) -> None:
    one = stage(walled)

    def fail() -> None:
        with one.undone():
            one.run(Step("admin", "DELETE FROM notes"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert count(walled) == [(2,)]
    assert one.play([Step("admin", "SELECT session_user")])[0].scalar == "postgres"


def test_lodging_is_what_a_login_gets_first(walled: Database) -> None:
    one = stage(walled, {"app.org": "1", "search_path": "pg_catalog", "statement_timeout": "7s"})

    names = ("app.org", "search_path", "statement_timeout")
    shown = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    lodged, other = one.play([Step("none", shown), Step("A", shown.replace("app.org", "TimeZone"))])

    assert lodged.rows == (("1", "pg_catalog", "7s"),)
    assert other.rows[0][1] != "pg_catalog"
    with one.undone():
        assert one.run(Step("none", "SELECT count(*) FROM public.notes")).scalar == "1"


def test_an_entry_that_fails_says_whose_it_is(walled: Database) -> None:
    one = stage(walled, None, "SELECT no_such_thing()")
    wanted = r"could not be entered: .*no_such_thing.*\(42883\); look at `url` and `enter`"

    with pytest.raises(TargetError, match=wanted):
        one.play([Step("admin", "DELETE FROM notes"), Step("empty", "SELECT 1")])
    assert count(walled) == [(2,)]

    with pytest.raises(TargetError, match=wanted):
        one.become("empty")
    assert one.play([Step("A", WHO_AM_I)])[0].rows == (("app", "app", "1"),)


def test_loose_leaves_foreign_keys_and_triggers_out(walled: Database) -> None:
    walled.execute(
        "CREATE TABLE lines (org int, note uuid, FOREIGN KEY (org, note) REFERENCES notes);"
        "GRANT INSERT ON lines TO app"
    )
    insert = "INSERT INTO lines VALUES (9, gen_random_uuid())"

    strict, loose, again, walls = stage(walled).play(
        [
            Step("A", insert),
            Step("A", insert, loose=True),
            Step("A", insert),
            Step("A", "SELECT body FROM notes", loose=True),
        ]
    )

    assert (strict.sqlstate, strict.constraint) == ("23503", "lines_org_note_fkey")
    assert loose.count == 1
    assert again.sqlstate == "23503"
    assert walls.rows == (("of one",),)


def test_copy_out_and_notices_are_read(walled: Database) -> None:
    copied, told = stage(walled).play(
        [
            Step("A", "COPY (SELECT body FROM notes) TO STDOUT"),
            Step("A", "DO $$ BEGIN RAISE NOTICE 'psst %', 7; END $$"),
        ]
    )

    assert (copied.rows, copied.count) == ((("of one",),), 1)
    assert (told.ok, told.told) == (True, "psst 7")
