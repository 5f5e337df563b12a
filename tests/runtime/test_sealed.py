"""Sealed contexts under attack: SQL of one tenant's that tries to become another, in one session.

Every attempt runs through `Tenancy` over a pool of one connection, so that whatever is left behind
is met by the next tenant.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from partywall import RowSecurity, Tenancy
from partywall.isolation import sealing
from partywall.servers import pgbouncer, postgres, replica
from partywall.survey.configuration import load
from tests.blocks import blocks, run
from tests.conftest import Database
from tests.runtime.forgeries import (
    CARRIED,
    CHALLENGE,
    FORGERIES,
    KEPT,
    ME,
    MODEL,
    OTHER,
    READ,
    SHADOWS,
    WAYS,
    async_attacked,
    attacked,
    build,
    entering_seen,
    install,
    observed,
    opened,
    read,
    say,
    seen,
)
from tests.runtime.houses import ACME, BOTH, GLOBEX
from tests.runtime.replicas import AT_ONCE, until_replayed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
PAGE = "explanation/sealed-context.md"


@pytest.fixture
def house(database: Database) -> Database:
    build(database)
    return database


@pytest.fixture
def tenancy(house: Database) -> Iterator[Tenancy]:
    with opened(house) as one:
        yield one


@pytest.fixture
def loot(house: Database) -> dict[str, str]:
    """What an attacker may have seen of another session: all of it but the key."""
    found = {"live": observed(house)}
    with opened(house) as tenancy, tenancy.session(GLOBEX) as session:
        say(session, "ROLLBACK")
        found["challenge"] = str(say(session, CHALLENGE)[0][0])
        session.rollback()
    assert re.fullmatch(r"[0-9a-f-]{36} \d+", found["challenge"])
    return {**found, "proof": sealing.proof(MODEL, OTHER, found["challenge"])}


@ON_15
@pytest.mark.parametrize("way", WAYS)
def test_no_forgery_becomes_another_tenant(house: Database, loot: dict[str, str], way: str) -> None:
    with opened(house, way=WAYS[0]) as neighbour, neighbour.session(GLOBEX) as session:
        loot["live"] = str(say(session, CARRIED)[0][0])
        outcomes = (
            asyncio.run(forged(house, loot, way)) if way != WAYS[0] else forged_here(house, loot)
        )
    for name, outcome in outcomes.items():
        assert isinstance(outcome, str), (name, outcome)


def forged_here(house: Database, loot: dict[str, str]) -> dict[str, object]:
    outcomes = {}
    with opened(house) as tenancy:
        for name, attempt in FORGERIES.items():
            with tenancy.session(GLOBEX) as session:
                loot["last"] = str(say(session, CARRIED)[0][0])
            outcomes[name] = attacked(tenancy, *(s.format(**loot) for s in attempt))
            for context in BOTH:
                assert read(tenancy, context) == [context.tenant_id], name
    return outcomes


async def forged(house: Database, loot: dict[str, str], way: str) -> dict[str, object]:
    outcomes = {}
    async with opened(house, way=way) as tenancy:
        for name, attempt in FORGERIES.items():
            async with tenancy.async_session(GLOBEX) as session:
                loot["last"] = str((await session.run_sync(say, CARRIED))[0][0])
            outcomes[name] = await async_attacked(tenancy, *(s.format(**loot) for s in attempt))
            for context in BOTH:
                async with tenancy.async_session(context) as session:
                    assert await session.run_sync(seen) == [context.tenant_id], name
    return outcomes


def test_a_seal_does_not_depend_on_how_numbers_are_written(house: Database) -> None:
    """A login may set its own defaults, which no check-in takes back."""
    house.execute("ALTER ROLE app SET extra_float_digits = -15")
    with opened(house) as tenancy:
        with tenancy.session(GLOBEX) as session:
            last = str(say(session, CARRIED)[0][0])
        assert "no seal" in str(attacked(tenancy, f"SELECT {KEPT.format(last, 'true')}"))
        assert attacked(tenancy, "SET LOCAL extra_float_digits = 0") == [ME]


def test_a_savepoint_that_is_rolled_back_leaves_the_seal_as_it_was(
    house: Database, tenancy: Tenancy
) -> None:
    forged = f"SELECT {KEPT.format(observed(house), 'true')}"
    assert attacked(tenancy, "SAVEPOINT s", forged, "ROLLBACK TO s") == [ME]
    assert "no seal" in str(attacked(tenancy, "SAVEPOINT s", "ROLLBACK TO s", forged))


def test_a_statement_that_another_session_entered_with_is_of_no_use(
    house: Database, tenancy: Tenancy
) -> None:
    with opened(house) as other, other.session(GLOBEX) as session:
        session.connection()
        statement = entering_seen(house)
        assert OTHER in statement
        assert "does not answer the challenge" in str(attacked(tenancy, statement))
        assert attacked(tenancy, "COMMIT", "SELECT partywall.challenge()", "BEGIN", statement) != [
            OTHER
        ]
    assert "does not answer the challenge" in str(attacked(tenancy, statement))


def test_a_replay_on_the_same_server_session_is_refused(house: Database, tenancy: Tenancy) -> None:
    with tenancy.session(GLOBEX) as session:
        session.connection()
        statement = entering_seen(house)
    assert "does not answer the challenge" in str(attacked(tenancy, statement))
    assert "does not answer" in str(attacked(tenancy, "SELECT partywall.challenge()", statement))


def test_a_challenge_is_used_up_by_a_proof_and_by_a_wrong_one(tenancy: Tenancy) -> None:
    with tenancy.session(ACME) as session:
        assert say(session, CHALLENGE) == [[""]]
    with pytest.raises(DBAPIError), tenancy.session(ACME) as session:
        say(session, "SELECT partywall.challenge()", "SELECT partywall.enter('x', 'y')")
    assert read(tenancy, ACME) == [ME]


def test_each_transaction_answers_a_fresh_challenge(house: Database, tenancy: Tenancy) -> None:
    """What a tenant leaves in the setting, also past its transaction, is drawn anew."""
    proofs = set()
    planted = "SELECT set_config('partywall.challenge', 'planted ' || pg_backend_pid(), false)"
    for end in ("SELECT 1", "COMMIT"):
        with tenancy.session(ACME) as session:
            say(session, planted, end, planted)
        with tenancy.session(GLOBEX) as session:
            session.connection()
            proofs.add(entering_seen(house))
    assert len(proofs) == 2


def test_a_proof_lets_one_tenant_enter_and_no_other(house: Database) -> None:
    with psycopg.connect(house.url("app")) as connection:
        [(challenge,)] = connection.execute("SELECT partywall.challenge()").fetchall()
        proof = sealing.proof(MODEL, ME, challenge)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT partywall.enter(%s, %s)", [OTHER, proof])


def test_a_challenge_of_another_shape_can_t_borrow_from_the_tenant_s_id(database: Database) -> None:
    """The id and the challenge are one message: nobody may move the border between them."""
    model = RowSecurity(sealed=True, key=MODEL.key, type="text")
    build(database, model)
    with psycopg.connect(database.url("app")) as connection:
        [(challenge,)] = connection.execute("SELECT partywall.challenge()").fetchall()
        proof = sealing.proof(model, "acme corp", challenge)
        connection.execute(
            "SELECT set_config('partywall.challenge', %s, false)", [f"corp {challenge}"]
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT partywall.enter('acme', %s)", [proof])


def test_names_of_the_attacker_s_own_are_not_met(house: Database) -> None:
    """In a session that has not compiled the functions yet, with TEMP and CREATE granted."""
    house.execute(f"GRANT CREATE ON DATABASE {house.name} TO app")
    heard: list[str | None] = []
    with psycopg.connect(house.url("app"), autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        connection.execute("CREATE SCHEMA lair")
        connection.execute(
            "CREATE FUNCTION pg_temp.tell(v pg_catalog.text) RETURNS bool LANGUAGE plpgsql AS "
            "'BEGIN RAISE WARNING ''%'', current_user; RETURN true; END'"
        )
        for statement in SHADOWS:
            connection.execute(statement.encode())
        for statement in (
            f"SELECT set_config('app.tenant_id', repeat('0', 65) || '{OTHER}', false)",
            "SELECT body FROM public.notes",
            f"SELECT partywall.enter('{OTHER}', 'guess')",
        ):
            with suppress(psycopg.errors.InsufficientPrivilege):
                answer = connection.execute(statement.encode()).fetchall()
                assert answer[0][0].startswith("0"), statement
        connection.execute("BEGIN")
        [(challenge,)] = connection.execute("SELECT partywall.challenge()").fetchall()
        for statement in sealing.entering(MODEL, ME, challenge):
            connection.execute(statement.encode())
        assert connection.execute("SELECT body FROM public.notes").fetchall() == [(ME,)]
    assert heard == []


def test_the_source_of_the_functions_tells_nothing(house: Database) -> None:
    bodies = house.rows("SELECT prosrc FROM pg_proc WHERE prosrc LIKE '%seal%'", user="app")
    assert len(bodies) >= 3
    _, *blocks = sealing.install_key(MODEL)
    for secret in (MODEL.key.hex(), *blocks):
        assert not any(secret in body for (body,) in bodies)


def test_the_login_may_call_three_functions_and_read_nothing(house: Database) -> None:
    may = house.rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace "
        "AND has_function_privilege('app', oid, 'EXECUTE') ORDER BY 1"
    )
    assert may == [("challenge",), ("enter",), ("tenant_id",)]
    assert house.rows("SELECT has_any_column_privilege('app', 'partywall.seal_key', 'SELECT')") == [
        (False,)
    ]


def test_parallel_plans_give_the_same_rows(house: Database, tenancy: Tenancy) -> None:
    house.execute(f"INSERT INTO notes SELECT '{ME}', g, '{ME}' FROM generate_series(2, 3000) g")
    house.execute("ANALYZE notes; ALTER TABLE notes SET (parallel_workers = 2)")
    version = house.connection.info.server_version
    forced = "debug_parallel_query" if version >= 160000 else "force_parallel_mode"
    with tenancy.session(ACME) as session:
        say(
            session,
            f"SET LOCAL {forced} = on",
            "SET LOCAL parallel_setup_cost = 0",
            "SET LOCAL parallel_tuple_cost = 0",
            "SET LOCAL max_parallel_workers_per_gather = 2",
        )
        [plan, rows] = say(session, f"EXPLAIN {READ}", "SELECT count(*) FROM notes")
        # Asked for each row, which a worker must not do: it is another backend.
        asked = say(session, "SELECT count(partywall.tenant_id()) FROM notes")
    assert any("Parallel" in line for line in plan)
    assert [rows, *asked] == [[3000], [3000]]


def test_what_outlives_a_transaction_shows_the_next_tenant_its_own(tenancy: Tenancy) -> None:
    """Statements that the driver prepares; cursors are closed at check-in."""
    for _ in range(8):
        for context in BOTH:
            with tenancy.plain(context) as connection:
                rows = connection.execute("SELECT body FROM notes WHERE id = %s", [1]).fetchall()
                assert rows == [(context.tenant_id,)]
                connection.execute(f"DECLARE c CURSOR WITH HOLD FOR {READ}".encode())


def test_a_cursor_held_over_an_injected_commit_has_the_old_rows_only(tenancy: Tenancy) -> None:
    with tenancy.session(ACME) as session:
        held = f"DECLARE c CURSOR WITH HOLD FOR {READ}"
        assert say(session, held, "COMMIT", "FETCH ALL FROM c")[-1] == [ME]
    assert read(tenancy, GLOBEX) == [OTHER]


def test_a_commit_that_the_server_refuses_costs_a_challenge_and_no_more(tenancy: Tenancy) -> None:
    for _ in range(2):
        with pytest.raises(IntegrityError), tenancy.session(ACME) as session:
            say(session, "INSERT INTO notes (id, body) VALUES (1, 'twice')")
        for context in BOTH:
            assert read(tenancy, context) == [context.tenant_id]


def test_a_killed_session_is_replaced(house: Database, tenancy: Tenancy) -> None:
    def killed() -> None:
        with tenancy.session(ACME) as session:
            [[pid]] = say(session, "SELECT pg_backend_pid()")
            house.rows(f"SELECT pg_terminate_backend({pid}, 10000)")
            say(session, READ)

    with pytest.raises(DBAPIError):
        killed()
    for context in BOTH:
        assert read(tenancy, context) == [context.tenant_id]


def test_a_batch_enters_with_a_proof_too(house: Database, tenancy: Tenancy) -> None:
    async def main() -> None:
        async with opened(house) as other:
            for context in BOTH * 2:
                async with other.async_batch(context) as batch:
                    found = await batch.execute(READ)
                assert await found.fetchall() == [(context.tenant_id,)]

    for context in BOTH * 2:
        with tenancy.batch(context) as batch:
            rows = batch.execute(READ)
        assert rows.fetchall() == [(context.tenant_id,)]
    asyncio.run(main())


def test_a_new_key_locks_out_the_old_one_from_the_next_statement(
    house: Database, tenancy: Tenancy
) -> None:
    another = RowSecurity(sealed=True, key=bytes(range(1, 33)))

    def changed() -> None:
        with tenancy.session(ACME) as session:
            assert say(session, READ) == [[ME]]
            install(house, another)
            say(session, READ)

    with pytest.raises(DBAPIError, match="no seal of this"):
        changed()
    with pytest.raises(DBAPIError, match="install_key stored last"):
        read(tenancy, ACME)
    with opened(house, model=another) as renewed:
        assert read(renewed, ACME) == [ME]


@ON_15
@pytest.mark.parametrize("way", WAYS)
def test_behind_a_pooler(house: Database, way: str) -> None:
    async def main(tenancy: Tenancy) -> None:
        async with tenancy:
            for context in BOTH * 3:
                async with tenancy.async_session(context) as session:
                    assert await session.run_sync(seen) == [context.tenant_id]
            attempt = f"SELECT set_config('app.tenant_id', '{observed(house)}', true)"
            assert isinstance(await async_attacked(tenancy, attempt), str)

    with pgbouncer(house.server, {"default_pool_size": "2", "server_round_robin": "1"}) as bouncer:
        driver = f"postgresql+{way.rpartition(' ')[2]}"
        url = bouncer.url(house.name, "app").replace("postgresql", driver, 1)
        tenancy = Tenancy(url, MODEL, pooler="transaction", connections=2)
        if way == WAYS[0]:
            with tenancy:
                assert [read(tenancy, context) for context in BOTH * 3] == [[ME], [OTHER]] * 3
        else:
            asyncio.run(main(tenancy))


def test_the_explanation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with postgres(settings=AT_ONCE) as primary, replica(primary) as copy:
        with psycopg.connect(primary.url(), autocommit=True) as connection:
            connection.execute("CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN")
            connection.execute("GRANT CREATE ON DATABASE postgres TO keeper")
            connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")
        monkeypatch.setenv("SEAL_KEY", MODEL.key.hex())
        monkeypatch.setenv("OWNER_URL", primary.url(user="keeper").replace(":", "+psycopg:", 1))
        monkeypatch.setenv("DATABASE_URL", primary.url(user="app"))
        run(PAGE)
        until_replayed(copy)
        with Tenancy(primary.url(user="app"), MODEL, replica=copy.url(user="app")) as tenancy:
            for context in BOTH:
                with tenancy.session(context, read_only=True) as session:
                    [on_replica, rows] = say(session, "SELECT pg_is_in_recovery()", READ)
                    assert on_replica == [True]
                    assert rows == (["written by Acme"] if context is ACME else [])
        _, inner, outer = sealing.install_key(MODEL)
        monkeypatch.setenv("INNER", inner)
        monkeypatch.setenv("OUTER", outer)
        surveyed(tmp_path / "partywall.toml", primary.url())
    assert capsys.readouterr().out == "['written by Acme']\n"


def surveyed(path: Path, url: str) -> None:
    """Enter as the page's configuration says."""
    [written] = blocks(PAGE, "toml")
    _, _, tenant = written.partition("[tenants.acme]")
    path.write_text(f"{written}[tenants.globex]{tenant.replace(ME, OTHER)}", encoding="utf-8")
    configuration = load(path, url=url)
    assert configuration.attacker == "context"
    for tenant_settings, rows in zip(configuration.tenants, [1, 0], strict=True):
        with psycopg.connect(tenant_settings.url) as connection:
            for statement in tenant_settings.prove:
                connection.execute(statement.encode())
            assert connection.execute("SELECT count(*) FROM notes").fetchone() == (rows,)
