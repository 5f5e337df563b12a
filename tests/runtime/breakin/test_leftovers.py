"""What SQL can leave in a session of the server is gone before the next tenant has it."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from tests.runtime.breakin.house import ACME, GLOBEX, House

SHARED_POOL = pytest.mark.parametrize("foundation", ["rows", "schemas", "roles"], indirect=True)

LEFT = {
    "SET": (["SET work_mem = '7MB'"], "SHOW work_mem", "7MB"),
    "set_config": (
        ["SELECT set_config('app.secret', 'acme', false)"],
        "SELECT current_setting('app.secret', true)",
        "acme",
    ),
    "session characteristics": (
        ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
        "SHOW default_transaction_read_only",
        "on",
    ),
    "temporary table": (
        ["CREATE TEMP TABLE leak AS SELECT body FROM note"],
        "SELECT count(*) FROM pg_class WHERE relname = 'leak'",
        1,
    ),
    "temporary function": (
        ["CREATE FUNCTION pg_temp.leak() RETURNS text LANGUAGE sql AS $$SELECT 'acme'$$"],
        "SELECT count(*) FROM pg_proc WHERE proname = 'leak'",
        1,
    ),
    "cursor WITH HOLD": (
        ["DECLARE leak CURSOR WITH HOLD FOR SELECT body FROM note"],
        "SELECT count(*) FROM pg_cursors WHERE name = 'leak'",
        1,
    ),
    "prepared statement": (
        ["PREPARE leak AS SELECT 'acme 1'"],
        "SELECT count(*) FROM pg_prepared_statements WHERE name = 'leak'",
        1,
    ),
    "LISTEN": (["COMMIT", "LISTEN leak"], "SELECT count(*) FROM pg_listening_channels()", 1),
    "advisory lock": (
        ["SELECT pg_advisory_lock(42)"],
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        1,
    ),
    "sequence": (
        ["CREATE TEMP SEQUENCE leak", "SELECT nextval('pg_temp.leak')"],
        "SELECT lastval()",
        1,
    ),
    "after a COMMIT of its own": (["COMMIT", "SET work_mem = '7MB'"], "SHOW work_mem", "7MB"),
    "after a ROLLBACK of its own": (["ROLLBACK", "SET work_mem = '7MB'"], "SHOW work_mem", "7MB"),
}


@pytest.mark.parametrize("what", LEFT)
@SHARED_POOL
def test_nothing_is_left(house: House, what: str) -> None:
    leave, look, left = LEFT[what]
    before = house.backend(ACME)
    # The control: the tenant itself finds it within its block.
    assert house.say(ACME, *leave, look) == [(left,)]
    assert house.backend(ACME) == before
    try:
        found = house.say(GLOBEX, look)
    except DBAPIError:
        found = []  # lastval() without a sequence
    assert found != [(left,)]
    assert house.backend(GLOBEX) == before
    house.intact()


@SHARED_POOL
@pytest.mark.parametrize("house", ["psycopg", "psycopg-async"], indirect=True)
def test_a_tenant_that_discards_all_leaves_nothing(house: House) -> None:
    house.say(ACME, "COMMIT", "DISCARD ALL", "SET work_mem = '7MB'")
    assert house.say(GLOBEX, "SHOW work_mem") != [("7MB",)]
    house.intact()


@SHARED_POOL
@pytest.mark.parametrize("house", ["asyncpg"], indirect=True)
def test_a_tenant_that_discards_what_asyncpg_keeps_loses_the_connection(house: House) -> None:
    before = house.backend(ACME)
    house.say(ACME, "COMMIT", "DISCARD ALL", "SET work_mem = '7MB'")
    with pytest.raises(DBAPIError, match="does not exist"):
        house.backend(ACME)
    assert house.backend(ACME) != before
    assert house.say(GLOBEX, "SHOW work_mem") != [("7MB",)]
    house.intact()


@SHARED_POOL
def test_a_cursor_with_hold_is_closed(house: House) -> None:
    house.say(ACME, "DECLARE leak CURSOR WITH HOLD FOR SELECT body FROM note")
    with pytest.raises(DBAPIError, match="does not exist"):
        house.say(GLOBEX, "FETCH ALL FROM leak")


@SHARED_POOL
def test_a_prepared_statement_of_another_tenant_is_not_there(house: House) -> None:
    house.say(ACME, "PREPARE leak AS SELECT 'acme 1'")
    with pytest.raises(DBAPIError, match="does not exist"):
        house.say(GLOBEX, "EXECUTE leak")


@pytest.mark.parametrize("foundation", ["roles"], indirect=True)
def test_the_role_is_the_logins_again(house: House) -> None:
    role = f"r_{ACME.tenant_id.replace('-', '_')}"
    house.say(ACME, "COMMIT", f'SET ROLE "{role}"')
    assert house.say(GLOBEX, "COMMIT", "SELECT current_user") == [("app",)]


@SHARED_POOL
def test_the_last_number_of_a_sequence_is_forgotten(house: House) -> None:
    for context in (ACME, GLOBEX):
        house.foundation.owner(context, "CREATE SEQUENCE IF NOT EXISTS numbers")
        house.foundation.owner(context, "GRANT USAGE ON SEQUENCE numbers TO PUBLIC")
    house.say(ACME, "SELECT nextval('numbers')", "SELECT lastval()")
    with pytest.raises(DBAPIError, match="not yet defined"):
        house.say(GLOBEX, "SELECT lastval()")


@SHARED_POOL
def test_an_advisory_lock_does_not_outlive_the_block(house: House) -> None:
    house.say(ACME, "SELECT pg_advisory_lock(42)")
    assert house.foundation.owner(ACME, "SELECT pg_try_advisory_lock(42)") == [(True,)]
    house.foundation.owner(ACME, "SELECT pg_advisory_unlock(42)")


@SHARED_POOL
def test_the_setting_that_carries_the_tenant_does_not_stay(house: House) -> None:
    house.say(ACME, "SET app.tenant_id = '" + ACME.tenant_id + "'", "SET search_path = public")
    found = house.say(
        GLOBEX, "COMMIT", "SELECT current_setting('app.tenant_id', true), current_schema()"
    )
    assert found in ([("", None)], [("", "public")], [(None, None)])
    house.intact()


@SHARED_POOL
def test_nor_where_the_names_of_prepared_statements_are_hidden(house: House) -> None:
    """There psycopg keeps its own, under names that can't be guessed."""
    revoke = "REVOKE EXECUTE ON FUNCTION pg_prepared_statement() FROM PUBLIC"
    house.foundation.owner(ACME, revoke)
    try:
        assert house.say(ACME, "PREPARE leak AS SELECT 'acme 1'", "EXECUTE leak") == [("acme 1",)]
        with pytest.raises(DBAPIError, match="does not exist"):
            house.say(GLOBEX, "EXECUTE leak")
    finally:
        house.foundation.owner(ACME, revoke.replace("REVOKE", "GRANT").replace("FROM", "TO"))
