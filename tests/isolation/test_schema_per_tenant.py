"""The plans of a schema for each tenant: values, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant
from partywall.isolation import SchemaPerTenant
from partywall.isolation.naming import identifier, tenant_of

IDS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_.:@-]{0,10}[A-Za-z0-9])?", fullmatch=True)
ACME = TenantContext("acme")


@given(IDS, IDS)
def test_two_tenants_never_share_a_schema(one: str, other: str) -> None:
    model = SchemaPerTenant()
    assert (model.schema(one) == model.schema(other)) == (one == other)
    assert tenant_of(model.schema(one)) == one


@given(IDS)
def test_a_tenants_statements_name_its_schema_and_no_other(tenant: str) -> None:
    model = SchemaPerTenant(roles=True)
    own = identifier(model.schema(tenant))
    said = [
        *model.enter(TenantContext(tenant)),
        *model.provision(tenant, "app"),
        *model.remove(tenant, "app"),
    ]
    assert [each for each in said if own not in each] == ['ALTER ROLE "app" NOINHERIT']
    for statement in said:
        assert set(statement.split('"')[1::2]) <= {model.schema(tenant), "app"}


def test_entering_confirms_the_schema_and_keeps_temporary_tables_last() -> None:
    assert SchemaPerTenant(extensions=("extensions",)).enter(ACME) == (
        """SELECT '"t_acme"'::pg_catalog.regnamespace""",
        'SET LOCAL search_path = "t_acme", "extensions", pg_temp',
    )


def test_roles_are_entered_before_the_path_is_set() -> None:
    _, role, path = SchemaPerTenant(roles=True).enter(ACME)
    assert role == 'SET LOCAL ROLE "t_acme"'
    assert path.startswith("SET LOCAL search_path")


def test_between_transactions_no_name_resolves() -> None:
    assert SchemaPerTenant().settings() == {"search_path": '""'}


def test_a_backend_does_not_learn_every_schema() -> None:
    assert SchemaPerTenant().tenants_per_connection == 200


def test_provisioning_gives_rows_and_nothing_of_the_structure() -> None:
    said = "; ".join(SchemaPerTenant().provision("acme", "app"))
    assert said.startswith('CREATE SCHEMA "t_acme"; GRANT USAGE ON SCHEMA "t_acme" TO "app"')
    for right in ("GRANT ALL", "CREATE ON", "TRUNCATE", "REFERENCES", "TRIGGER", "IF NOT EXISTS"):
        assert right not in said


def test_with_roles_the_login_inherits_nothing() -> None:
    said = SchemaPerTenant(roles=True).provision("acme", "app")
    assert said.index('ALTER ROLE "app" NOINHERIT') < said.index('GRANT "t_acme" TO "app"')
    assert not [each for each in said if 'SCHEMA "t_acme"' in each and 'TO "app"' in each]


@pytest.mark.parametrize("roles", [False, True])
def test_a_removed_tenant_leaves_a_tombstone(*, roles: bool) -> None:
    said = SchemaPerTenant(roles=roles).remove("acme", "app")
    assert said[0] == 'DROP SCHEMA "t_acme" CASCADE'
    assert said[-2] == 'CREATE SCHEMA "t_acme"'
    assert ('DROP ROLE "t_acme"' in said) is roles


def test_a_login_is_quoted() -> None:
    said = "; ".join(SchemaPerTenant().provision("acme", 'a"; DROP TABLE x; --'))
    assert '"a""; DROP TABLE x; --"' in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prefix": "Bad"}, "can't begin"),
        ({"prefix": "pg_"}, "can't begin"),
        ({"prefix": ""}, "can't begin"),
        ({"extensions": ("public",)}, "can't be on every tenant's"),
        ({"extensions": ("t_acme",)}, "can't be on every tenant's"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        SchemaPerTenant(**options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("tenant", ["", None, 'a"', "a'; --", "x" * 62, "../a", "a\n"])
def test_what_is_no_id_has_no_schema(tenant: object) -> None:
    with pytest.raises(MissingTenant):
        SchemaPerTenant().schema(tenant)  # type: ignore[arg-type]  # wrong on purpose
