"""Two tenants made up for a database whose configuration declares none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from partywall.catalog.reader import snapshot
from partywall.errors import ModelError
from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration
from partywall.survey.synthesis import IDS, USERS, tenants, twin_schemas
from tests.survey.surveys import ONE_LOGIN, SCHEMAS, WALLED, found

if TYPE_CHECKING:
    from partywall.survey.configuration import TenantSettings
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
URL = "postgresql://admin:secret@host/shop"
SETTING = "current_setting('app.org', true)"


def made(database: Database, ddl: str) -> tuple[TenantSettings, TenantSettings]:
    database.execute(ddl)
    return tenants(snapshot(database.connection, acting=[]), URL)


def notes(kind: str, using: str) -> str:
    return (
        f"CREATE ROLE app LOGIN; CREATE TABLE notes (org_id {kind}, person_id uuid, body text);"
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY; GRANT SELECT, INSERT ON notes TO app;"
        f"CREATE POLICY own ON notes USING ({using});"
    )


@pytest.mark.parametrize(
    ("kind", "ids"),
    [("uuid", IDS["uuid"]), ("int", IDS["N"]), ("bigint", IDS["N"]), ("text", IDS["S"])],
)
def test_ids_are_of_the_kind_that_the_tenant_columns_hold(
    database: Database, kind: str, ids: tuple[str, str]
) -> None:
    one, two = made(database, notes(kind, f"org_id = ({SETTING})::{kind}"))

    assert (one.id, two.id) == ids
    assert (one.name, two.name) == ("A", "B")
    assert conninfo_to_dict(one.url) == {
        "user": "app", "host": "host", "dbname": "shop", "password": "",
    }  # fmt: skip
    assert one.enter == (f"SELECT set_config('app.org', '{ids[0]}', true)",)
    assert two.enter == (f"SELECT set_config('app.org', '{ids[1]}', true)",)


def test_a_setting_of_a_person_gets_a_person(database: Database) -> None:
    one, _ = made(
        database,
        notes(
            "uuid",
            f"org_id = ({SETTING})::uuid "
            "AND person_id = current_setting('app.user_id', true)::uuid",
        ),
    )

    assert f"SELECT set_config('app.user_id', '{USERS[0]}', true)" in one.enter
    assert f"SELECT set_config('app.org', '{IDS['uuid'][0]}', true)" in one.enter


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("->> 'org_id'", {"org_id": IDS["uuid"][1]}),
        ("-> 'app_metadata' ->> 'org_id'", {"app_metadata": {"org_id": IDS["uuid"][1]}}),
        ("->> 'user_id'", {"user_id": USERS[1]}),
    ],
)
def test_claims_of_a_token(database: Database, path: str, claims: dict[str, object]) -> None:
    token = "current_setting('request.jwt.claims', true)::json"

    _, two = made(database, notes("uuid", f"org_id = ({token} {path})::uuid"))

    [statement] = two.enter
    match = re.search(r"'(\{.*\})'", statement)
    assert match
    assert json.loads(match[1]) == {"sub": USERS[1], "role": "authenticated", **claims}


def test_a_role_that_policies_are_for_is_taken(database: Database) -> None:
    one, _ = made(
        database,
        notes("uuid", f"org_id = ({SETTING})::uuid")
        + "CREATE ROLE authenticated; GRANT authenticated TO app; ALTER ROLE app NOINHERIT;"
        "ALTER POLICY own ON notes TO authenticated",
    )

    assert one.enter[0] == 'SET LOCAL ROLE "authenticated"'


def test_twin_schemas(database: Database) -> None:
    one, two = made(database, ONE_LOGIN + "CREATE SCHEMA other; CREATE TABLE other.x (id int)")

    assert (one.name, one.id, two.id) == ("one", "one", "two")
    assert one.enter == ('SET LOCAL search_path = "one", public',)
    assert twin_schemas(snapshot(database.connection, acting=[])) == ("one", "two")


def test_nothing_says_who_the_tenants_are(database: Database) -> None:
    with pytest.raises(ModelError, match=r"nothing in the catalog says .* declare two"):
        made(database, "CREATE ROLE app LOGIN; CREATE TABLE things (id int, colour text)")


def test_no_login_that_an_application_would_use(database: Database) -> None:
    with pytest.raises(ModelError, match="no login role of an application was found"):
        made(database, "CREATE TABLE notes (org int)")


def test_a_survey_without_declared_tenants(database: Database) -> None:
    database.execute(WALLED)
    only = frozenset({"read-rows", "insert-as-other"})

    sound = audit(Configuration(database.url()), only=only)
    database.execute("CREATE POLICY open ON notes FOR SELECT USING (true)")
    leaky = audit(Configuration(database.url()), only=only)

    assert sound.verdict == "held"
    assert sound.controls["proved"] > 0
    assert found(leaky) == {("read", "public.notes")}


def test_claims_that_a_function_reads_are_those_of_the_policies(database: Database) -> None:
    one, _ = made(
        database,
        "CREATE FUNCTION jwt() RETURNS jsonb LANGUAGE sql STABLE AS"
        " $$ SELECT current_setting('request.jwt.claims', true)::jsonb $$;"
        + notes("uuid", "org_id = (SELECT jwt() -> 'app_metadata' ->> 'org_id')::uuid"),
    )

    [statement] = one.enter
    assert f'"app_metadata": {{"org_id": "{IDS["uuid"][0]}"}}' in statement


def test_roles_tell_tenants_apart_where_policies_ask_for_nothing_else(database: Database) -> None:
    one, two = made(
        database, notes("name", "org_id = current_user") + "CREATE ROLE bpp LOGIN; GRANT SELECT ON"
        " notes TO bpp",
    )  # fmt: skip

    assert [(t.id, conninfo_to_dict(t.url)["user"], t.enter) for t in (one, two)] == [
        ("app", "app", ()), ("bpp", "bpp", ()),
    ]  # fmt: skip


def test_each_schema_has_the_login_of_its_name(database: Database) -> None:
    one, two = made(database, SCHEMAS.format(login_a="one", login_b="two").replace(
        "CREATE SCHEMA", "CREATE ROLE two LOGIN; CREATE SCHEMA", 1))  # fmt: skip

    assert [conninfo_to_dict(t.url)["user"] for t in (one, two)] == ["one", "two"]


def test_a_text_that_is_compared_as_a_uuid_holds_one(database: Database) -> None:
    one, _ = made(database, notes("text", f"org_id::uuid = ({SETTING})::uuid"))

    assert one.id == IDS["uuid"][0]
