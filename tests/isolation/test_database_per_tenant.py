"""The plans of a database for each tenant: values, without a server."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.context import TenantContext
from partywall.errors import ConfigurationError, UnknownTenant
from partywall.isolation import DatabasePerTenant, Place
from partywall.isolation.database_per_tenant import verifier
from partywall.isolation.naming import tenant_of

IDS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_.:@-]{0,10}[A-Za-z0-9])?", fullmatch=True)


@given(IDS, IDS)
def test_two_tenants_never_share_a_database(one: str, other: str) -> None:
    model = DatabasePerTenant()
    assert (model.database(one) == model.database(other)) == (one == other)
    assert tenant_of(model.database(one)) == one


def test_a_place_is_named_after_the_id() -> None:
    context = TenantContext("acme")
    assert DatabasePerTenant().place(context) == Place("t_acme", database="t_acme")
    own = DatabasePerTenant(logins=True, prefix="db_").place(context)
    assert own == Place("db_acme", database="db_acme", role="db_acme")


@pytest.mark.parametrize("placed", [{"a": "one"}, {"a": "one"}.__getitem__, {"a": "one"}.get])
def test_a_placement_decides_alone(placed: object) -> None:
    model = DatabasePerTenant(placement=placed)  # type: ignore[arg-type] # `get` may give None
    assert model.place(TenantContext("a")).server == "one"
    with pytest.raises(UnknownTenant, match="placed on no server"):
        model.place(TenantContext("b"))


def test_an_empty_placement_is_no_server() -> None:
    with pytest.raises(UnknownTenant):
        DatabasePerTenant(placement={"a": ""}).place(TenantContext("a"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prefix": "Bad"}, "can't begin"),
        ({"prefix": "pg_"}, "can't begin"),
        ({"connections_per_tenant": 0}, "needs a connection"),
        ({"passwords": str}, "logins=True"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        DatabasePerTenant(**options)  # type: ignore[arg-type] # wrong on purpose


def test_nobody_may_connect_before_the_walls_stand() -> None:
    steps = DatabasePerTenant().provision("a", "app")
    said = [statement for step in steps for statement in step.statements]
    assert said[0].startswith("CREATE ROLE"), "the name is reserved before anything is made"
    assert said[1] == 'CREATE DATABASE "t_a" ALLOW_CONNECTIONS false'
    assert len(steps[1].statements) == 1, "PostgreSQL makes no database in a transaction"
    assert said.index('REVOKE ALL ON DATABASE "t_a" FROM PUBLIC') < said.index(
        'ALTER DATABASE "t_a" ALLOW_CONNECTIONS true'
    )
    assert said[-1] == 'GRANT CONNECT ON DATABASE "t_a" TO "app"'


def test_names_in_statements_are_quoted() -> None:
    steps = DatabasePerTenant().provision("A.b", 'a"pp')
    assert steps[-1].database == "t_$41$2eb"
    assert steps[-1].statements[-1] == 'GRANT CONNECT ON DATABASE "t_$41$2eb" TO "a""pp"'


def test_a_removed_tenant_leaves_its_role() -> None:
    first, last = DatabasePerTenant(logins=True).remove("a")
    assert first.statements[0] == 'ALTER ROLE "t_a" NOLOGIN PASSWORD NULL'
    assert last.statements == ('DROP DATABASE IF EXISTS "t_a" WITH (FORCE)',)


def test_no_statement_contains_a_password() -> None:
    model = DatabasePerTenant(logins=True, passwords=lambda _: "s3cret")
    assert "s3cret" not in repr(model.provision("a", "app"))
    assert "SCRAM-SHA-256$4096:" in model.provision("a", "app")[0].statements[0]


def test_the_verifier_is_the_servers() -> None:
    """The example of RFC 7677: user `user`, password `pencil`."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="
        "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.parametrize("password", ["", "päss", "a\tb"])
def test_a_password_the_server_would_change_is_refused(password: str) -> None:
    with pytest.raises(ConfigurationError):
        verifier(password, b"0" * 16)
