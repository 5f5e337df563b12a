"""A tenant column that is there already, or whose rows belong to several tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import UpgradeError
from partywall.fleet.upgrade import upgrade
from tests.fleet.shops import ACME, GLOBEX, MODEL, Writer, pending, seen, shop

if TYPE_CHECKING:
    from partywall.fleet.steps import Step
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
OF_USER = f"(CASE WHEN {{}} % 2 = 0 THEN '{ACME}' ELSE '{GLOBEX}' END)::uuid"
OF_ORDER = (
    f"(SELECT {OF_USER.format('o.user_id')} FROM public.orders o WHERE o.id = items.order_id)"
)
TENANT_OF = {
    "users": OF_USER.format("users.id"),
    "orders": OF_USER.format("user_id"),
    "items": OF_ORDER,
}
"""Users with an even id are one tenant's, the others another's."""


@ON_15
def test_rows_without_a_tenant_are_filled_in_batches(database: Database) -> None:
    shop(database, many=3000)
    database.execute(
        f"ALTER TABLE orders ADD tenant_id uuid; UPDATE orders SET tenant_id = "
        f"'{GLOBEX}' WHERE user_id = 7; ALTER TABLE users ADD tenant_id uuid"
    )
    database.execute(f"UPDATE users SET tenant_id = '{GLOBEX}' WHERE id = 7; ANALYZE")
    database.execute("ALTER TABLE items ADD tenant_id uuid; ALTER TABLE notes ADD tenant_id uuid")
    other = "tenant_id = CASE WHEN {} THEN '" + GLOBEX + "'::uuid END"
    database.execute(
        f"UPDATE items SET {other.format('order_id IN (SELECT id FROM orders WHERE user_id = 7)')}"
    )
    database.execute(f"UPDATE notes SET {other.format('user_id = 7')}")
    database.execute("DELETE FROM tags; UPDATE orders SET parent = NULL")
    said: list[str] = []

    def progress(step: Step, what: str) -> None:
        if step.kind == "batches" and step.locks == ("public.orders",):
            said.append(what)

    upgrade(database.url(), MODEL, ACME, login="app", batch_rows=500, progress=progress)
    assert len([what for what in said if what.endswith("rows")]) >= 5
    assert "2850 rows" in said
    assert seen(database, GLOBEX, "SELECT count(*) FROM orders") == [(150,)]
    assert seen(database, ACME, "SELECT count(*) FROM orders") == [(2850,)]
    assert pending(database) == []


def test_rows_of_several_tenants_are_told_apart_while_the_application_writes(
    database: Database,
) -> None:
    shop(database)
    database.execute("UPDATE orders SET parent = NULL; DELETE FROM tags; DELETE FROM notes")

    def go(until: str) -> None:
        upgrade(
            database.url(),
            MODEL,
            ACME,
            login="app",
            tenant_of=TENANT_OF,
            until=until,  # type: ignore[arg-type] # a stage
        )

    with Writer(database.url()) as writer:
        go("keys")
        written = writer.written
        while writer.written < written + 5 and writer.failure is None:
            writer.halted.wait(0.01)
    assert writer.failure is None
    go("cutover")
    wrong = "SELECT count(*) FROM {0} WHERE tenant_id <> {1}"
    assert database.rows(wrong.format("users", TENANT_OF["users"])) == [(0,)]
    assert database.rows(wrong.format("orders", TENANT_OF["orders"])) == [(0,)]
    assert database.rows(wrong.format("items", TENANT_OF["items"])) == [(0,)]
    [(even,)], [(odd,)] = (
        seen(database, tenant, "SELECT count(*) FROM items") for tenant in (ACME, GLOBEX)
    )
    assert even + odd == 200 + writer.written
    assert min(even, odd) >= 100
    assert database.rows("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == [(0,)]


@ON_15
def test_with_several_tenants_a_session_that_names_none_is_refused_from_the_walls_on(
    database: Database,
) -> None:
    shop(database, owner="app")
    database.execute("UPDATE orders SET parent = NULL; DELETE FROM tags; DELETE FROM notes")
    upgrade(database.url(), MODEL, ACME, login="app", tenant_of=TENANT_OF, until="walls")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no tenant is set"):
        database.rows("SELECT count(*) FROM users", user="app")


@ON_15
def test_rows_whose_tenant_can_t_be_told_stop_the_upgrade(database: Database) -> None:
    shop(database)
    with pytest.raises(UpgradeError, match="rows are left whose tenant is NULL"):
        upgrade(database.url(), MODEL, ACME, login="app", tenant_of={"users": "NULL::uuid"})
    upgrade(database.url(), MODEL, ACME, login="app", tenant_of={"users": f"'{ACME}'::uuid"})
    assert seen(database, ACME, "SELECT count(*) FROM users") == [(20,)]


@ON_15
def test_a_foreign_key_that_crosses_tenants_stops_the_upgrade(database: Database) -> None:
    shop(database)
    with pytest.raises(UpgradeError, match="violates foreign key") as caught:
        upgrade(database.url(), MODEL, ACME, login="app", tenant_of={"users": f"'{GLOBEX}'::uuid"})
    assert "VALIDATE CONSTRAINT" in str(caught.value)
    assert "u1@acme" not in str(caught.value)
