"""What a check of an audit log sees, in the database and in an export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from partywall.control.audit import Head, Verification, exported
from partywall.control.chain import EMPTY, canonical, digest, verify_export
from partywall.control.database import Database
from partywall.errors import InvalidRecord
from partywall.servers import Postgres
from tests.control.logs import (
    ACME,
    BOTH,
    GLOBEX,
    only_sqlite,
    opened,
    tamper,
    told,
    verify,
)


@pytest.fixture(scope="module")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    yield from opened(request, tmp_path)


# -- what a check sees --------------------------------------------------------------------------

MOVED = "UPDATE {{log}} SET number = {1} WHERE number = {0}"
DETAIL = {"role": "admin", "rank": 2, "first": False, "teams": ["a", "é"]}
CHANGES: dict[str, tuple[int, str, dict[str, float]]] = {
    "actor": (2, "UPDATE {log} SET actor = 'eve' WHERE number = 2", {}),
    "action": (3, "UPDATE {log} SET action = 'member.removed' WHERE number = 3", {}),
    "subject": (2, "UPDATE {log} SET subject = 'nobody' WHERE number = 2", {}),
    "source": (2, "UPDATE {log} SET source = '' WHERE number = 2", {}),
    "no detail": (2, "UPDATE {log} SET detail = '{{}}' WHERE number = 2", {}),
    "0 for false": (2, "UPDATE {log} SET detail = :it WHERE number = 2", {"first": 0}),
    "2.0 for 2": (2, "UPDATE {log} SET detail = :it WHERE number = 2", {"rank": 2.0}),
    "number": (5, "UPDATE {log} SET number = 6 WHERE number = 5", {}),
    "first gone": (1, "DELETE FROM {log} WHERE number = 1", {}),
    "one gone": (3, "DELETE FROM {log} WHERE number = 3", {}),
    "one gone, closed up": (3, "DELETE FROM {log} WHERE number = 3;" + MOVED.format(4, 3), {}),
    "two swapped": (2, ";".join(MOVED.format(*p) for p in ((2, 9), (3, 2), (9, 3))), {}),
    "hash": (4, "UPDATE {log} SET hash = previous WHERE number = 4", {}),
    "previous": (4, "UPDATE {log} SET previous = hash WHERE number = 4", {}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_its_entry(house: Database, change: str) -> None:
    told(house, 5)
    broken_at, statements, other = CHANGES[change]
    tamper(house, *statements.split(";"), **({"it": json.dumps(DETAIL | other)} if other else {}))
    found = verify(house)
    assert (found.broken_at, found.entries) == (broken_at, broken_at - 1)
    assert found.because
    assert not found.whole


@pytest.mark.parametrize("house", BOTH, indirect=True)
def test_an_entry_that_can_t_be_read_is_named(house: Database) -> None:
    told(house, 4)
    wrong = "'not a moment'" if house.sqlite else "'infinity'"
    tamper(house, f"UPDATE {{log}} SET at = {wrong} WHERE number = 3")
    assert (verify(house).broken_at, verify(house).because) == (3, "it can't be read")
    with house.reading() as connection, pytest.raises(InvalidRecord, match="log verify"):
        list(exported(connection, ACME))


@only_sqlite
@pytest.mark.parametrize("wrong", ["detail = '{{'", "subject = CAST(x'ff' AS TEXT)", "hash = 'x'"])
def test_what_sqlite_would_take_is_named(house: Database, wrong: str) -> None:
    told(house, 3)
    tamper(house, f"UPDATE {{log}} SET {wrong} WHERE number = 2")
    assert verify(house).broken_at == 2


def test_an_entry_moved_to_another_tenant_is_seen_in_both(house: Database) -> None:
    told(house, 2)
    tamper(house, f"UPDATE {{log}} SET tenant_id = '{GLOBEX}' WHERE number = 1")
    assert verify(house).broken_at == 1
    assert verify(house, GLOBEX).broken_at == 1


def test_a_cut_off_end_is_seen_by_who_kept_a_head(house: Database) -> None:
    told(house, 5)
    kept = verify(house).head
    assert kept == Head.parsed(str(kept))
    tamper(house, "DELETE FROM {log} WHERE number > 3")
    assert verify(house).whole
    assert verify(house, head=kept).broken_at == 4
    tamper(house, "DELETE FROM {log}")
    assert verify(house, head=kept).broken_at == 1


def test_a_log_made_anew_is_seen_by_who_kept_a_head(house: Database) -> None:
    told(house, 4)
    kept = verify(house).head
    tamper(house, "DELETE FROM {log} WHERE number > 2")
    told(house, 3)
    assert verify(house).whole
    found = verify(house, head=kept)
    assert (found.broken_at, found.entries) == (4, 3)
    assert "head" in found.because


def test_a_head_holds_while_the_log_grows(house: Database) -> None:
    assert verify(house).head == EMPTY
    told(house, 2)
    kept = verify(house).head
    told(house, 2)
    assert verify(house, head=kept) == Verification(4, None, "", verify(house).head)
    assert verify(house, head=EMPTY).whole


@pytest.mark.parametrize(
    "wrong", ["", "3", "x:" + "a" * 64, "3:" + "A" * 64, "3:abc", "-1:" + "a" * 64]
)
def test_what_is_no_head_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRecord, match="64 hexadecimal digits"):
        Head.parsed(wrong)


# -- exports ------------------------------------------------------------------------------------


def test_an_export_is_checked_without_a_database(house: Database) -> None:
    told(house, 4)
    with house.reading() as connection:
        lines = list(exported(connection, ACME))
    assert verify_export(lines) == verify(house)
    assert verify_export(f"{line}\n" for line in lines).whole
    assert verify_export(lines, head=verify(house).head).whole
    assert verify_export(lines[:3], head=verify(house).head).broken_at == 4
    assert verify_export(lines[1:]).broken_at == 1
    assert verify_export([lines[0], lines[2]]).broken_at == 2
    assert verify_export([]).entries == 0


def test_an_export_is_the_same_on_both_databases_and_anybody_can_hash_it(house: Database) -> None:
    told(house, 2)
    with house.reading() as connection:
        lines = list(exported(connection, ACME))
    before = "0" * 64
    for line in lines:
        entry = json.loads(line)
        claimed = entry.pop("hash")
        form = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(form.encode()).hexdigest() == claimed
        assert entry["previous"] == before
        before = claimed
    assert lines[0].startswith('{"action":"member.added","actor":"ada","at":"20')
    assert '"detail":{"first":true,"rank":1,"role":"admin","teams":["a","é"]}' in lines[0]


CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "actor": lambda entry: entry.update(actor="eve"),
    "fraction": lambda entry: entry.update(number=2.0),
    "hash": lambda entry: entry.update(hash="0" * 64),
}
# Those whose hash is right again: a forger can do that, and still it is no entry of this log.
FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "number": lambda entry: entry.update(number=3),
    "no number": lambda entry: entry.pop("number"),
    "more": lambda entry: entry.update(more="said"),
    "less": lambda entry: entry.pop("source"),
    "another tenant": lambda entry: entry.update(tenant_id=GLOBEX),
    "another before": lambda entry: entry.update(previous="0" * 64),
}


@pytest.mark.parametrize("change", [*CHANGED, *FORGED])
@only_sqlite
def test_a_changed_line_is_seen(house: Database, change: str) -> None:
    told(house, 2)
    with house.reading() as connection:
        first, second = exported(connection, ACME)
    entry = json.loads(second)
    (CHANGED | FORGED)[change](entry)
    if change in FORGED:
        entry["hash"] = digest(entry).hex()
    changed = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    found = verify_export([first, changed])
    assert (found.broken_at, found.entries) == (2, 1)


@only_sqlite
def test_true_is_not_1(house: Database) -> None:
    told(house, 1)
    with house.reading() as connection:
        entry = json.loads(next(exported(connection, ACME))) | {"number": True}
    assert verify_export([canonical(entry | {"hash": digest(entry).hex()})]).broken_at == 1


@pytest.mark.parametrize(
    "form", ["{} ", " {}", "{}\r", "x", "[]", "[" * 5000, "", "NaN", '{"a":1,"a":2}']
)
@only_sqlite
def test_a_line_in_another_form_is_seen(house: Database, form: str) -> None:
    told(house, 1)
    with house.reading() as connection:
        (line,) = exported(connection, ACME)
    found = verify_export([form.replace("{}", line)])
    assert (found.broken_at is None) == (form == "{}\r")


def test_lines_of_two_logs_are_no_chain(house: Database) -> None:
    told(house, 1)
    told(house, 2, GLOBEX)
    with house.reading() as connection:
        lines = [*exported(connection, ACME), *list(exported(connection, GLOBEX))[1:]]
    assert verify_export(lines).broken_at == 2


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"b": 1, "a": "é\u2028"}, '{"a":"é\u2028","b":1}'),
        ({"a": '"\\/\b\f\n\r\t\x01\x7f'}, '{"a":"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f"}'),
        ({"a": [True, None, -5, "😀"]}, '{"a":[true,null,-5,"😀"]}'),
    ],
)
def test_the_canonical_form_is_that_of_rfc_8785(value: dict[str, Any], form: str) -> None:
    assert canonical(value) == form
