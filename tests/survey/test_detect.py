"""What a survey takes for the tenancy model, from catalogs of real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.model import Isolation, TenancyModel
from partywall.survey.audit import explain
from partywall.survey.configuration import Configuration, TenantSettings, load
from tests.survey.surveys import ONE_LOGIN, TWO_LOGINS, WALLED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
ORG = "SELECT set_config('app.org', '{}', true)"
IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
APP = "CREATE ROLE app LOGIN; "


def explained(
    database: Database,
    enter: str = ORG,
    ids: tuple[str, str] = ("1", "2"),
    logins: tuple[str, str] = ("app", "app"),
    databases: tuple[str, str] | None = None,
) -> TenancyModel:
    """The model of a survey of *database* for two tenants."""
    places = databases or (database.name, database.name)
    tenants = tuple(
        TenantSettings(
            name, tenant, database.server.url(place, login),
            (enter.format(tenant),) if enter else (),
        )
        for name, tenant, login, place in zip(("one", "two"), ids, logins, places, strict=True)
    )  # fmt: skip
    return explain(Configuration(database.url(), tenants=tenants))[0]


def owners(model: TenancyModel) -> dict[str, tuple[str, str]]:
    return {table: (owner.kind, owner.column) for table, owner in model.owned.items()}


def walled(table: str, columns: str, using: str) -> str:
    """A table behind row security that `app` may use."""
    return (
        f"CREATE TABLE {table} ({columns}); ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY own ON {table} USING ({using});"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO app;"
    )


def test_row_security_by_a_column(database: Database) -> None:
    database.execute(WALLED)

    model = explained(database)

    assert model.isolation is Isolation.ROW_SECURITY
    assert owners(model) == {"public.notes": ("column", "org")}
    assert (model.shared, model.settings, model.logins) == ({}, ("app.org",), ("app",))
    assert (model.carried_by_role, model.carried_by_path, model.notes) == (False, False, ())
    assert "'app.org'" in model.context_columns["public.notes", "org"]


def test_row_security_by_membership(database: Database) -> None:
    person = "current_setting('app.person', true)::int"
    database.execute(
        APP
        + walled(
            "members", "team int, person int, PRIMARY KEY (team, person)", f"person = {person}",
        )
        + walled(
            "papers", "id int PRIMARY KEY, team int NOT NULL",
            f"team IN (SELECT m.team FROM members m WHERE m.person = {person})",
        )
    )  # fmt: skip

    model = explained(database, "SELECT set_config('app.person', '7{}', true)")

    assert owners(model) == {
        "public.members": ("column", "team"),
        "public.papers": ("column", "team"),
    }
    assert set(model.context_columns) == {("public.members", "person")}
    assert model.settings == ("app.person",)


BODIES = {
    "sql": "SELECT current_setting('app.org', true)::int",
    "plpgsql": "BEGIN RETURN current_setting('app.org', true)::int; END",
    "plpgsql by a variable": (
        "DECLARE found int; BEGIN found := current_setting('app.org', true)::int; RETURN found; END"
    ),
}


@pytest.mark.parametrize("language", BODIES)
def test_row_security_by_a_helper_function(database: Database, language: str) -> None:
    database.execute(
        APP
        + "CREATE FUNCTION current_org() RETURNS int STABLE "
        + f"LANGUAGE {language.split(maxsplit=1)[0]} AS $$ {BODIES[language]} $$;"
        + walled("notes", "org_id int, body text", "org_id = (SELECT current_org())")
    )

    model = explained(database, "SET LOCAL application_name = 'as {}'")

    assert owners(model) == {"public.notes": ("column", "org_id")}
    assert "current_org()" in model.context_columns["public.notes", "org_id"]
    assert "app.org" in model.settings


def test_row_security_by_claims_of_a_token(database: Database) -> None:
    claims = "current_setting('request.jwt.claims', true)::json"
    database.execute(
        APP + walled("notes", "org_id uuid, body text", f"org_id = ({claims} ->> 'org_id')::uuid")
    )
    enter = "SELECT set_config('request.jwt.claims', '{{\"org_id\": \"{}\"}}', true)"

    model = explained(database, enter, IDS)

    assert owners(model) == {"public.notes": ("column", "org_id")}
    assert model.settings == ("request.jwt.claims",)


def test_row_security_by_the_role(database: Database) -> None:
    database.execute(
        APP + "CREATE ROLE t_one LOGIN; CREATE ROLE t_two LOGIN; GRANT app TO t_one, t_two;"
        + walled("notes", "tenant text, body text", "tenant = current_user")
        + walled("drafts", "person text, body text", "person = current_user")
    )  # fmt: skip

    model = explained(database, "", ("t_one", "t_two"), ("t_one", "t_two"))

    assert owners(model) == {
        "public.notes": ("column", "tenant"), "public.drafts": ("user", "person"),
    }  # fmt: skip
    assert model.carried_by_role
    assert model.logins == ("t_one", "t_two")
    assert model.settings == ()


def test_children_through_foreign_keys(database: Database) -> None:
    database.execute(
        WALLED + "CREATE TABLE lines (org_no int, note uuid, "
        "id int PRIMARY KEY, FOREIGN KEY (org_no, note) REFERENCES notes);"
        "ALTER TABLE lines RENAME org_no TO half;"
        "CREATE TABLE marks (line int REFERENCES lines, colour text);"
    )

    model = explained(database)

    assert owners(model) == {
        "public.notes": ("column", "org"),
        "public.lines": ("parent", "half,note"),
        "public.marks": ("parent", "line"),
    }
    assert model.owned["public.marks"].parent == "public.lines"
    assert model.notes == ("Tenant-owned tables without row security: public.lines, public.marks",)


@pytest.mark.parametrize("reference", ["REFERENCES organisations", ""])
def test_the_list_of_tenants(database: Database, reference: str) -> None:
    database.execute(
        APP + "CREATE TABLE organisations (id uuid PRIMARY KEY, name text);"
        + walled(
            "notes", f"org_id uuid {reference}, body text",
            "org_id = current_setting('app.org', true)::uuid",
        )
    )  # fmt: skip

    model = explained(database, ids=IDS)

    assert owners(model) == {
        "public.notes": ("column", "org_id"), "public.organisations": ("registry", "id"),
    }  # fmt: skip


PAPERS = (
    APP + "CREATE TABLE papers (id int PRIMARY KEY, wearer text); GRANT SELECT ON papers TO app;"
)


def test_a_column_of_any_name_that_holds_the_ids(database: Database) -> None:
    database.execute(PAPERS + "INSERT INTO papers VALUES (1, 'acme-1'), (2, 'globex-2')")

    model = explained(database, ids=("acme-1", "globex-2"))

    assert owners(model) == {"public.papers": ("column", "wearer")}


@pytest.mark.parametrize("rows", ["", "INSERT INTO papers VALUES (1, 'acme-1')"])
def test_a_column_of_any_name_that_does_not_hold_both(database: Database, rows: str) -> None:
    database.execute(PAPERS + rows)

    model = explained(database, ids=("acme-1", "globex-2"))

    assert model.owned == {}
    assert model.shared == {"public.papers": "no column and no foreign key leads to a tenant"}


def test_tables_that_are_nobodys(database: Database) -> None:
    database.execute(
        WALLED + "CREATE TABLE countries (code text PRIMARY KEY, name text);"
        + walled("news", "id int PRIMARY KEY, headline text", "true")
    )  # fmt: skip

    assert explained(database).shared == {
        "public.countries": "no column and no foreign key leads to a tenant",
        "public.news": "its policies look at no tenant",
    }


SCHEMA_OWNED = {"one.orders": ("schema", ""), "two.orders": ("schema", "")}
COUNTRIES = "CREATE TABLE public.countries (code text PRIMARY KEY);"


def test_schema_per_tenant_with_a_login_each(database: Database) -> None:
    database.execute(TWO_LOGINS + COUNTRIES)

    model = explained(database, "", ("one", "two"), ("app_one", "app_two"))

    assert model.isolation is Isolation.SCHEMA
    assert model.schemas == {"A": "one", "B": "two"}
    assert owners(model) == SCHEMA_OWNED
    assert set(model.shared) == {"public.countries"}
    assert (model.carried_by_role, model.carried_by_path) == (True, False)


def test_schema_per_tenant_with_one_login(database: Database) -> None:
    database.execute(ONE_LOGIN + COUNTRIES)

    model = explained(database, "SET LOCAL search_path = {}, public", ("one", "two"))

    assert model.isolation is Isolation.SCHEMA
    assert model.schemas == {"A": "one", "B": "two"}
    assert owners(model) == SCHEMA_OWNED
    assert (model.carried_by_role, model.carried_by_path) == (False, True)
    assert model.settings == ()


def test_schemas_that_are_named_by_the_path_alone(database: Database) -> None:
    database.execute(ONE_LOGIN)
    tenants = tuple(
        TenantSettings(name, number, database.url("app"), (f"SET LOCAL search_path = {name}",))
        for name, number in (("one", "8001"), ("two", "8002"))
    )

    model, _, _ = explain(Configuration(database.url(), tenants=tenants))

    assert model.schemas == {"A": "one", "B": "two"}


def test_database_per_tenant(database: Database) -> None:
    other = f"{database.name}_two"
    database.execute(f"{APP} CREATE TABLE orders (id int PRIMARY KEY)")
    database.connection.execute(f"CREATE DATABASE {other} TEMPLATE partywall_template".encode())

    model = explained(database, "", ("one", "two"), databases=(database.name, other))

    assert model.isolation is Isolation.DATABASE
    assert owners(model) == {"public.orders": ("database", "")}


def test_no_wall_at_all(database: Database) -> None:
    database.execute(APP + "CREATE TABLE notes (org int, body text)")

    model = explained(database)

    assert model.isolation is Isolation.NONE
    assert owners(model) == {"public.notes": ("column", "org")}
    [note] = model.notes
    assert note.startswith("There is no wall in the database")


def test_what_is_declared_overrides_what_is_found(database: Database, tmp_path: Path) -> None:
    database.execute(
        WALLED
        + "CREATE TABLE papers (wearer text, team int); CREATE TABLE teams (id int PRIMARY KEY)"
    )
    path = tmp_path / "partywall.toml"
    tenants = "".join(
        f'[tenants.{name}]\nid = "{number}"\nurl = "{database.url("app")}"\n'
        f'enter = ["{ORG.format(number)}"]\n'
        for name, number in (("one", 1), ("two", 2))
    )
    path.write_text(
        f'[database]\nurl = "{database.url()}"\n{tenants}'
        '[model]\nshared = ["public.teams"]\n'
        'tenant_columns = { "public.papers" = "wearer" }\n',
        encoding="utf-8",
    )

    model, _, _ = explain(load(path))

    assert owners(model) == {
        "public.notes": ("column", "org"),
        "public.papers": ("column", "wearer"),
    }
    assert model.owned["public.papers"].reason == "declared"
    assert "public.teams" in model.shared


def test_without_declared_tenants_the_catalog_alone_speaks(database: Database) -> None:
    database.execute(WALLED)

    model, identities, facts = explain(Configuration(database.url()))

    assert owners(model) == {"public.notes": ("column", "org")}
    assert {who: i.login for who, i in identities.items()}.keys() >= {"A", "B", "none"}
    assert set(facts.by_qualified) == {"public.notes"}


def test_a_shared_table_is_no_second_list_of_tenants_for_its_name_alone(
    database: Database,
) -> None:
    database.execute(
        APP + walled("tenants", "id text PRIMARY KEY", "id = current_setting('app.org', true)")
        + walled('"Notes"', '"Account Id" text, id uuid PRIMARY KEY',
                 "\"Account Id\" = current_setting('app.org', true)")
        + "CREATE TABLE sites (code text PRIMARY KEY, label text); GRANT SELECT ON sites TO app"
    )  # fmt: skip
    model = explained(database)
    assert owners(model) == {
        'public."Notes"': ("column", "Account Id"), "public.tenants": ("registry", "id"),
    }  # fmt: skip
    assert set(model.shared) == {"public.sites"}
