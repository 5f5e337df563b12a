"""A survey of all tenants can be stopped, goes on where it was, and keeps to its connections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from partywall.errors import ConfigurationError
from partywall.survey.fleet.roster import filled
from partywall.survey.fleet.survey import FleetWatch
from tests.survey.fleet.houses import ROWS, rows

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.survey.fleet.turn import Turn
    from tests.conftest import Database

ENDING_S = 10.0
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


class Stopped(FleetWatch):
    """Ctrl-C after some turns, or never; remembers who had one."""

    def __init__(self, after: int = 99) -> None:
        self.after = after
        self.seen: list[str] = []
        self.done = 0

    def planned(self, tenants: int, surfaces: int, done: int) -> None:
        assert (tenants, surfaces) == (6, 4)
        self.done = done

    def turned(self, turn: Turn) -> None:
        self.seen.append(turn.id)
        if len(self.seen) == self.after:
            raise KeyboardInterrupt


def test_it_goes_on_where_it_was_stopped(database: Database, tmp_path: Path) -> None:
    database.execute(ROWS)
    database.execute(
        "CREATE POLICY door ON orders FOR SELECT USING (current_setting('app.tenant') = '1')"
    )
    file = tmp_path / "fleet.jsonl"
    first = Stopped(after=2)
    with pytest.raises(KeyboardInterrupt):
        rows(database, journal=file, watch=first)
    with file.open("a") as torn:
        torn.write('{"id": "6", "own"')
    second = Stopped()
    report = rows(database, journal=file, watch=second)
    assert second.done == 2
    assert sorted(first.seen + second.seen) == ["1", "2", "3", "4", "5", "6"]
    assert {one.attacker for one in report.findings} == {"1"}


def test_after_its_end_a_run_begins_anew(database: Database, tmp_path: Path) -> None:
    database.execute(ROWS)
    file = tmp_path / "fleet.jsonl"
    assert rows(database, journal=file).findings == ()
    database.execute("CREATE POLICY door ON orders FOR SELECT USING (true)")
    again = Stopped()
    assert rows(database, journal=file, watch=again).findings
    assert (again.done, len(again.seen)) == (0, 6)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE POLICY door ON orders FOR SELECT USING (true)",
        "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
        "GRANT DELETE ON orders TO PUBLIC",
        "CREATE FUNCTION door() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_turns_from_before_a_change_of_the_walls_are_refused(
    change: str, database: Database, tmp_path: Path
) -> None:
    database.execute(ROWS)
    file = tmp_path / "fleet.jsonl"
    with pytest.raises(KeyboardInterrupt):
        rows(database, journal=file, watch=Stopped(after=2))
    database.execute(change)
    with pytest.raises(ConfigurationError, match="or the database has changed since"):
        rows(database, journal=file)


def test_a_journal_of_another_survey_is_refused(database: Database, tmp_path: Path) -> None:
    database.execute(ROWS)
    file = tmp_path / "fleet.jsonl"
    with pytest.raises(KeyboardInterrupt):
        rows(database, journal=file, watch=Stopped(after=2))
    with pytest.raises(ConfigurationError, match="it is of another survey"):
        rows(database, journal=file, writing=True)


def test_connections_are_bounded_and_given_back(database: Database) -> None:
    database.execute(ROWS)
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'partywall'"

    class Counting(FleetWatch):
        most = 0

        def turned(self, turn: Turn) -> None:
            del turn
            self.most = max(self.most, database.rows(query)[0][0])

    watch = Counting()
    rows(database, watch=watch)
    assert 2 < watch.most <= 2 + 2 + 1  # the administrator's two, the workers', one that is closing
    end = time.monotonic() + ENDING_S
    while database.rows(query) != [(0,)]:  # a backend ends a moment after its connection
        assert time.monotonic() < end


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT set_config('app.t', {id}, true)", "SELECT set_config('app.t', 'a''b', true)"),
        ("SET app.t = '{id}'", "SET app.t = 'a''b'"),
        ('SET ROLE "{id}"', "SET ROLE \"a'b\""),
        ("SELECT set_config('c', '{\"sub\": \"{id}\"}', true)",
         "SELECT set_config('c', '{\"sub\": \"a''b\"}', true)"),
        ("SELECT '{other}'", "SELECT '{other}'"),
    ],
)  # fmt: skip
def test_an_id_is_quoted_as_its_place_asks(statement: str, said: str, server: object) -> None:
    del server
    assert filled(statement, {"id": "a'b"}) == said
