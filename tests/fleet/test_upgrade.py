"""An existing schema moves onto row security while its application writes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import UpgradeError
from partywall.fleet.upgrade import plan, upgrade
from tests.fleet.shops import ACME, GLOBEX, MODEL, OWNED, Writer, pending, report, seen, shop
from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from partywall.fleet.steps import Step
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
LOCK_TIMEOUT_S = 0.4
MARGIN_S = 1.0
CONSTRAINTS = """
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = ANY ('{items,notes,orders,users}'::regclass[]) AND contype IN ('p', 'u', 'f')
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"


def told(database: Database, query: str) -> set[str]:
    return {value for (value,) in database.rows(query)}


def test_the_application_writes_on_until_the_walls_and_loses_nothing(database: Database) -> None:
    shop(database, few=500, many=20_000, owner="app")
    with Writer(database.url("app")) as writer:
        upgrade(
            database.url(), MODEL, ACME, login="app", until="walls", lock_timeout_s=LOCK_TIMEOUT_S
        )
        assert seen(database, GLOBEX, "SELECT count(*) FROM users") == [(0,)]
        assert seen(database, ACME, "INSERT INTO notes (body) VALUES ('new') RETURNING tenant_id")
    assert writer.failure is None
    assert writer.slowest_s < LOCK_TIMEOUT_S + MARGIN_S
    upgrade(database.url(), MODEL, ACME, login="app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no tenant is set"):
        database.rows("SELECT count(*) FROM users", user="app")
    assert pending(database) == []
    assert database.rows("SELECT count(*) FROM users") == [(500 + writer.written,)]
    assert seen(database, ACME, "SELECT count(*) FROM users") == [(500 + writer.written,)]
    orders = 20_000 + writer.written
    assert seen(database, ACME, "SELECT count(*), sum(line) FROM items") == [(orders, orders)]
    for table in OWNED:
        assert seen(database, GLOBEX, f"SELECT count(*) FROM {table}") == [(0,)]


def test_what_stands_afterwards_has_the_tenant_in_front_and_the_old_names(
    database: Database,
) -> None:
    shop(database)
    upgrade(database.url(), MODEL, ACME, login="app")
    assert told(database, CONSTRAINTS) == {
        "users users_pkey PRIMARY KEY (tenant_id, id)",
        "users users_email_key UNIQUE (tenant_id, email)",
        "users users_country_fkey FOREIGN KEY (country) REFERENCES countries(code)",
        "orders orders_pkey PRIMARY KEY (tenant_id, id)",
        (
            "orders orders_user_id_fkey FOREIGN KEY (tenant_id, user_id) "
            "REFERENCES users(tenant_id, id) ON DELETE CASCADE"
        ),
        (
            "orders orders_parent_fkey FOREIGN KEY (tenant_id, parent) "
            "REFERENCES orders(tenant_id, id) ON DELETE SET NULL (parent)"
        ),
        "items items_pkey PRIMARY KEY (tenant_id, order_id, line)",
        (
            "items items_order_id_fkey FOREIGN KEY (tenant_id, order_id) "
            "REFERENCES orders(tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
        ),
        "notes notes_pkey PRIMARY KEY (tenant_id, id)",
        (
            "notes notes_user_id_fkey FOREIGN KEY (tenant_id, user_id) "
            "REFERENCES users(tenant_id, id) ON UPDATE CASCADE ON DELETE SET NULL (user_id)"
        ),
    }
    indexes = told(database, INDEXES)
    assert {
        (
            "CREATE INDEX users_country ON public.users USING btree "
            "(tenant_id, country DESC NULLS LAST) INCLUDE (name)"
        ),
        (
            "CREATE UNIQUE INDEX users_lower ON public.users USING btree (tenant_id, lower(name)) "
            "WHERE (name <> ''::text)"
        ),
        (
            "CREATE UNIQUE INDEX tags_name_key ON public.tags USING btree (tenant_id, name) "
            "NULLS NOT DISTINCT"
        ),
        "CREATE INDEX orders_placed ON public.orders USING brin (placed)",
    } <= indexes
    leftovers = "SELECT relname::text FROM pg_class WHERE relname ~ '^partywall_'"
    assert told(database, leftovers) == set()


def test_another_tenant_has_ids_and_addresses_of_its_own(database: Database) -> None:
    shop(database)
    upgrade(database.url(), MODEL, ACME, login="app")
    insert = "INSERT INTO users (id, email, name) VALUES (1, 'u1@acme', 'user 1') RETURNING id"
    assert seen(database, GLOBEX, insert) == [(1,)]
    [(following,)] = seen(
        database, GLOBEX, "INSERT INTO users (email, name) VALUES ('x', 'x') RETURNING id"
    )
    assert following == 21  # the old serial's next
    [(order,)] = seen(database, GLOBEX, "INSERT INTO orders (user_id) VALUES (1) RETURNING id")
    with pytest.raises(Exception, match="orders_user_id_fkey"):
        seen(database, GLOBEX, "INSERT INTO orders (user_id) VALUES (2) RETURNING id")
    seen(database, GLOBEX, "DELETE FROM users WHERE id = 1 RETURNING id")
    assert database.rows(f"SELECT count(*) FROM orders WHERE id = '{order}'") == [(0,)]
    assert seen(database, ACME, "SELECT count(*) FROM users") == [(20,)]
    seen(database, ACME, "DELETE FROM users WHERE id = 3 RETURNING id")
    emptied = "SELECT count(*) FROM notes WHERE user_id IS NULL"
    assert seen(database, ACME, emptied) == [(1,)]


GRANTED = """
GRANT ALL ON ALL TABLES IN SCHEMA public TO app, PUBLIC;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO app, PUBLIC;
"""


@pytest.mark.parametrize("owner", ["app", ""], ids=["owner", "granted everything"])
def test_a_login_that_could_do_all_can_t_get_round_the_walls(
    database: Database, owner: str
) -> None:
    shop(database, owner=owner)
    if not owner:
        database.execute(GRANTED)
    upgrade(database.url(), MODEL, ACME, login="app")
    for table in OWNED:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.rows(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", user="app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.rows(f"TRUNCATE {table} CASCADE", user="app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.rows("SELECT nextval('users_id_seq')", user="app")
    assert seen(database, ACME, "SELECT count(*) FROM orders") == [(200,)]


@ON_15
def test_no_table_is_written_anew(database: Database) -> None:
    shop(database)
    files = "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r' ORDER BY oid"
    before = [row for row in database.rows(files) if not row[0].startswith("pg_")]
    upgrade(database.url(), MODEL, ACME, login="app")
    assert [row for row in database.rows(files) if not row[0].startswith("pg_")] == before


@ON_15
def test_a_view_of_the_superuser_shows_a_tenant_its_own(database: Database) -> None:
    shop(database)
    database.execute("GRANT SELECT ON spending TO app")
    upgrade(database.url(), MODEL, ACME, login="app")
    assert seen(database, GLOBEX, "SELECT count(*) FROM spending") == [(0,)]
    assert seen(database, ACME, "SELECT sum(orders) FROM spending") == [(200,)]


@ON_15
def test_a_survey_holds_afterwards(database: Database) -> None:
    shop(database)
    database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP TABLE alembic_version")
    upgrade(database.url(), MODEL, ACME, login="app")
    enter = "SELECT set_config('app.tenant_id', '{id}', true)"
    result = Survey(database)(attacker="query", enter=enter, ids=(ACME, GLOBEX))
    # Numbers from a sequence that all tenants share stay what they are: the page says so.
    assert {finding.name for finding in result.findings} <= {"shared-sequence"}
    assert not result.undecided


@ON_15
def test_a_plan_changes_nothing_and_says_what_is_done(database: Database) -> None:
    shop(database)
    before = told(database, INDEXES)
    todo = plan(database.connection, MODEL, ACME, login="app")
    assert [step.stage for step in todo if step.done] == []
    assert told(database, INDEXES) == before
    upgrade(database.url(), MODEL, ACME, login="app", until="column")
    done = [s for s in plan(database.connection, MODEL, ACME, login="app") if s.done]
    assert {step.stage for step in done} == {"column"}
    assert not any(step.stage == "column" for step in todo if step.does in pending(database)[1:])


@ON_15
def test_names_as_long_as_names_can_be_are_kept_apart(database: Database) -> None:
    shop(database)
    names = ["i" * 62 + last for last in "ab"]
    for name, column in zip(names, ("email", "name"), strict=True):
        database.execute(f"CREATE INDEX {name} ON users ({column})")
    upgrade(database.url(), MODEL, ACME, login="app")
    for name, column in zip(names, ("email", "name"), strict=True):
        definition = f"CREATE INDEX {name} ON public.users USING btree (tenant_id, {column})"
        assert definition in told(database, INDEXES)


@ON_15
def test_a_lock_is_waited_for_and_others_don_t_wait_long_behind_it(database: Database) -> None:
    shop(database, owner="app")
    waits: list[str] = []
    with report(database, "SELECT count(*) FROM users") as connection:

        def progress(_: Step, said: str) -> None:
            if said.startswith("waits"):
                waits.append(said)
                if len(waits) == 3:
                    connection.rollback()

        with Writer(database.url("app")) as writer:
            upgrade(
                database.url(), MODEL, ACME, login="app", until="walls",
                lock_timeout_s=LOCK_TIMEOUT_S, progress=progress,
            )  # fmt: skip
    assert len(waits) >= 3
    assert writer.failure is None
    assert writer.slowest_s < LOCK_TIMEOUT_S + MARGIN_S


@ON_15
@pytest.mark.parametrize("until", ["column", "keys"])
def test_a_lock_that_never_comes_free_is_named(database: Database, until: str) -> None:
    shop(database)
    if until == "keys":
        upgrade(database.url(), MODEL, ACME, login="app", until="column")
    with (
        report(database, "UPDATE users SET name = name") as holder,
        nullcontext(holder.info.backend_pid) as pid,
        pytest.raises(UpgradeError, match=r"no lock came free within 0\.2 s") as caught,
    ):
        upgrade(database.url(), MODEL, ACME, login="app", lock_timeout_s=0.05, patience_s=0.2)
    assert f"pg_terminate_backend({pid})" in str(caught.value)
    assert "(report)" in str(caught.value)
    upgrade(database.url(), MODEL, ACME, login="app")
    assert pending(database) == []


@ON_15
def test_a_second_upgrade_waits_for_the_first(database: Database) -> None:
    shop(database)
    refused: list[str] = []

    def progress(_: Step, said: str) -> None:
        if said == "begins" and not refused:
            with pytest.raises(UpgradeError) as caught:
                upgrade(database.url(), MODEL, ACME, login="app", patience_s=0.1)
            refused.append(str(caught.value))

    upgrade(database.url(), MODEL, ACME, login="app", progress=progress)
    assert refused == ["another upgrade of this database has run for 0.1 s: wait for it"]
    assert pending(database) == []
