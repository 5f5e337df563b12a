"""What can't be moved is named with its mend before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall import RowSecurity
from partywall.errors import ConfigurationError, MissingTenant
from partywall.fleet.upgrade import upgrade
from partywall.isolation.upgrading import made
from tests.fleet.shops import ACME, MODEL, pending, shop

if TYPE_CHECKING:
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)

REFUSED = [
    (
        "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "public.parts is partitioned",
    ),
    ("CREATE TABLE keyless (id int)", "public.keyless has no primary key: ALTER TABLE"),
    ("ALTER TABLE orders ADD tenant_id text", "public.orders.tenant_id is of type text: declare"),
    ("CREATE POLICY mine ON notes USING (true)", "DROP POLICY mine ON public.notes"),
    (
        (
            "ALTER TABLE orders ADD CONSTRAINT apart EXCLUDE USING gist (tstzrange(placed, placed) "
            "WITH &&)"
        ),
        "ALTER TABLE public.orders DROP CONSTRAINT apart, and add it again with the tenant",
    ),
    (
        "ALTER TABLE notes ADD CONSTRAINT late UNIQUE (body, id) DEFERRABLE",
        "late of public.notes is deferrable",
    ),
    (
        "CREATE VIEW grouped AS SELECT id, email FROM users GROUP BY id",
        "a view groups by users_pkey of public.users",
    ),
    (
        "CREATE MATERIALIZED VIEW stored AS SELECT * FROM spending",
        "DROP MATERIALIZED VIEW public.stored",
    ),
    (
        "ALTER TABLE countries ADD best int REFERENCES users",
        "countries_best_fkey of public.countries refers to public.users",
    ),
    (
        (
            "ALTER TABLE notes ADD CONSTRAINT empties FOREIGN KEY (user_id) REFERENCES users "
            "ON UPDATE SET NULL"
        ),
        "empties of public.notes empties its columns ON UPDATE",
    ),
    (
        "ALTER TABLE notes ADD CONSTRAINT unread FOREIGN KEY (user_id) REFERENCES users NOT VALID",
        "VALIDATE CONSTRAINT unread",
    ),
    (
        (
            "ALTER TABLE users ADD CONSTRAINT two UNIQUE (id, email); ALTER TABLE notes "
            "ADD CONSTRAINT whole FOREIGN KEY (user_id, body) REFERENCES users (id, email) "
            "MATCH FULL NOT VALID; "
            "TRUNCATE notes CASCADE; ALTER TABLE notes VALIDATE CONSTRAINT whole"
        ),
        "whole of public.notes is MATCH FULL",
    ),
    (
        (
            "ALTER TABLE tags ALTER id DROP DEFAULT, DROP CONSTRAINT tags_pkey, ALTER id DROP NOT "
            "NULL, ADD key uuid DEFAULT gen_random_uuid() PRIMARY KEY"
        ),
        "public.tags.id counts and may be NULL",
    ),
    (
        "ALTER TABLE users REPLICA IDENTITY USING INDEX users_email_key",
        "public.users is replicated by an index",
    ),
    ('CREATE TABLE "a.b" (id int PRIMARY KEY)', "public.a.b has a dot in its name"),
]


@ON_15
@pytest.mark.parametrize(("statement", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_can_t_be_moved_is_refused(database: Database, statement: str, said: str) -> None:
    shop(database)
    database.execute(statement)
    with pytest.raises(ConfigurationError) as caught:
        upgrade(database.url(), MODEL, ACME, login="app")
    assert said in str(caught.value)
    assert database.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'partywall'") == []


@ON_15
def test_who_can_t_be_held_is_refused(database: Database) -> None:
    shop(database)
    database.execute("CREATE ROLE strong LOGIN BYPASSRLS")
    for login, said in (
        ("nobody", "there is no role nobody: CREATE ROLE nobody LOGIN"),
        ("postgres", "no wall would hold postgres"),
        ("strong", "no wall would hold strong"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            upgrade(database.url(), MODEL, ACME, login=login)


@ON_15
def test_what_was_named_must_be_there(database: Database) -> None:
    shop(database)

    def refused(model: RowSecurity = MODEL, tenant: object = ACME, **options: object) -> str:
        with pytest.raises((ConfigurationError, MissingTenant)) as caught:
            upgrade(database.url(), model, tenant, login="app", **options)  # type: ignore[arg-type] # any
        return str(caught.value)

    assert "there is no table public.lost" in refused(tables=["users", "lost"])
    assert "there is no table public.lost" in refused(RowSecurity(shared=frozenset({"lost"})))
    assert "public.countries can't be shared and" in refused(tables=["countries"])
    assert "tenant_of names public.countries" in refused(tenant_of={"countries": "NULL"})
    assert "the tenant id is empty" in refused(tenant="")
    assert "can't stand while" in refused(RowSecurity(sealed=True, key=b"k" * 32))


@ON_15
def test_some_tables_can_be_moved_alone(database: Database) -> None:
    shop(database)
    upgrade(database.url(), MODEL, ACME, login="app", tables=["tags", "notes", "users", "orders",
                                                             "items"])  # fmt: skip
    columns = "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'"
    assert ('Odd "Name',) not in database.rows(columns)
    assert any("Odd" in does for does in pending(database))


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), unique=True))
def test_names_of_stand_ins_are_short_and_never_shared(pairs: list[tuple[str, str]]) -> None:
    plain = [pair for pair in pairs if "\0" not in "".join(pair)]
    names = {made(*pair) for pair in plain}
    assert len(names) == len(plain)
    assert all(len(name) < 63 for name in names)
