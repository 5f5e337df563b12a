"""Tenants entered as declared: what the server says of the session, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import ConfigurationError
from partywall.survey.addresses import login_of, without_secret
from partywall.survey.configuration import Configuration, TenantSettings
from partywall.survey.connecting import connect, log_in
from partywall.survey.entering import identities, lodging, settings_in
from tests.survey.surveys import WALLED, found

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from partywall.survey.identity import Identity, Who
    from tests.conftest import Database
    from tests.survey.surveys import Survey

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
ORG = "SELECT set_config('app.org', '1', true)"


@pytest.mark.parametrize(
    ("enter", "names"),
    [
        ([], ()),
        (["SET LOCAL app.org = '1'"], ("app.org",)),
        (["SET SESSION App.Org TO 1"], ("app.org",)),
        (["SELECT set_config('App.Org', '1', true), set_config('app.user', '2', true)"],
         ("app.org", "app.user")),
        (["SELECT pg_catalog.set_config('app.org', '1', true); SET search_path = one"],
         ("app.org", "search_path")),
        (["SET ROLE one"], ("role",)),
        (["SET LOCAL app.org = '1'", "SET LOCAL app.org = '2'"], ("app.org",)),
        (["SELECT enter_tenant('1')", "this is no SQL"], ()),
    ],
)  # fmt: skip
def test_settings_that_statements_set(enter: list[str], names: tuple[str, ...]) -> None:
    assert settings_in(enter) == names


@pytest.mark.parametrize(
    ("url", "login", "database"),
    [
        ("postgresql://app@host/shop", "app", "shop"),
        ("postgresql://app:secret@host:5433/shop?sslmode=require", "app", "shop"),
        ("postgresql://app@host", "app", "app"),
        ("host=there user=app dbname=shop", "app", "shop"),
    ],
)
def test_who_a_url_logs_in_as_and_where(url: str, login: str, database: str) -> None:
    assert login_of(url, "here") == (login, database)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://host/shop", r"^here: the URL names no role"),
        ("not a url", r"^here: .* write it as postgresql://role@host:port/database"),
    ],
)
def test_a_url_that_does_not_say_who(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        login_of(url, "here")


def test_a_url_in_a_report_has_no_secret() -> None:
    assert without_secret("postgresql://app:secret@host:5433/shop") == "host:5433/shop"


def entered(
    database: Database, *enter: str, login: str = "app", url: str = ""
) -> dict[Who, Identity]:
    """Tenants acme, by *enter*, and globex, by nothing."""
    tenants = (
        TenantSettings("acme", "1", url or database.url(login), enter),
        TenantSettings("globex", "2", database.url("app"), enter),
    )
    configuration = Configuration(database.url(), tenants=tenants)
    with connect(configuration.url) as connection:
        return identities(configuration, lambda _: connection)


@ON_15
def test_what_the_server_says_of_a_session(database: Database) -> None:
    database.execute(WALLED + "CREATE SCHEMA one; CREATE ROLE worker; GRANT worker TO app;")

    people = entered(database, "SET LOCAL ROLE worker", ORG, "SET LOCAL search_path = one, public")

    acme = people["A"]
    assert (acme.login, acme.role, acme.database) == ("app", "worker", database.name)
    assert acme.settings == (("app.org", "1"),)
    assert acme.search_path == ("public",)  # worker may not use one
    assert people["none"].role == "app"
    assert people["none"].settings == ()


@ON_15
def test_an_empty_context_where_a_setting_carries_the_tenant(database: Database) -> None:
    database.execute(WALLED)

    assert set(entered(database)) == {"A", "B", "none"}
    empty = entered(database, ORG)["empty"]

    assert empty.settings == (("app.org", ""),)
    assert empty.enter[-1] == "SELECT set_config('app.org', '', true)"


@ON_15
def test_a_role_that_is_not_there(database: Database) -> None:
    database.execute(WALLED)

    with pytest.raises(ConfigurationError, match=r"^\[tenants.acme\]: there is no role ghost "):
        entered(database, login="ghost")


@ON_15
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT nonsense()", "function nonsense.* does not exist"),
        ("SET LOCAL ROLE postgres", "permission denied to set role"),
        ("SELEC 1", "syntax error"),
        ("SET LOCAL work_mem = 'much'", "work_mem"),
    ],
)
def test_a_statement_that_fails(database: Database, statement: str, words: str) -> None:
    database.execute(WALLED)

    with pytest.raises(ConfigurationError, match=rf"(?s)^\[tenants.acme\].*{words}"):
        entered(database, statement)


@ON_15
def test_a_session_is_left_as_it_was(database: Database) -> None:
    database.execute(WALLED)
    configuration = Configuration(
        database.url(),
        tenants=(
            TenantSettings("acme", "1", database.url("app"), ("SET app.org = '1'",)),
            TenantSettings("globex", "2", database.url("app"), ("SELECT nonsense()",)),
        ),
    )
    with connect(configuration.url) as connection:
        with pytest.raises(ConfigurationError, match="globex"):
            identities(configuration, lambda _: connection)

        row = connection.execute(
            "SELECT session_user::text, current_user::text, current_setting('app.org', true)"
        ).fetchone()

    assert row in {("postgres", "postgres", None), ("postgres", "postgres", "")}


@ON_15
@pytest.mark.parametrize("name", ["acme", "globex", "anonymous"])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://app@127.0.0.1:1/shop", "can't connect to 127.0.0.1:1/shop: "),
        ("locked", 'role "keeper" is not permitted to log in'),
    ],
)
def test_a_log_in_that_fails_names_the_tenant(
    database: Database, name: str, url: str, words: str
) -> None:
    database.execute(WALLED)
    wrong = database.url("keeper") if url == "locked" else url
    acme, globex, nobody = (
        TenantSettings(one, "1", wrong if one == name else database.url("app"))
        for one in ("acme", "globex", "anonymous")
    )
    where = "[anonymous]" if name == "anonymous" else f"[tenants.{name}]"

    with pytest.raises(ConfigurationError) as raised:
        log_in(Configuration(database.url(), tenants=(acme, globex), anonymous=nobody))

    assert str(raised.value).startswith(f"{where} url: ")
    assert words in str(raised.value)


def test_an_address_where_nobody_listens() -> None:
    with pytest.raises(ConfigurationError, match=r"^can't connect to 127.0.0.1:1/shop: ") as raised:
        connect("postgresql://postgres:secret@127.0.0.1:1/shop")

    assert "secret" not in str(raised.value)
    assert isinstance(raised.value.__cause__, psycopg.Error)


@ON_15
def test_a_database_that_is_not_there(database: Database) -> None:
    with pytest.raises(ConfigurationError, match='database "nowhere" does not exist'):
        connect(database.url(), "nowhere")


@ON_15
def test_settings_of_the_role_and_of_the_database(database: Database) -> None:
    name = database.name
    database.execute(
        WALLED + "CREATE SCHEMA one; GRANT USAGE ON SCHEMA one TO app;"
        "ALTER ROLE ALL SET app.reach = 'all';"
        f"ALTER DATABASE {name} SET app.reach = 'database';"
        f"ALTER DATABASE {name} SET app.place = 'database';"
        "ALTER ROLE app SET app.place = 'role'; ALTER ROLE app SET app.org = '1';"
        f"ALTER ROLE app IN DATABASE {name} SET app.org = '2';"
        "ALTER ROLE app SET search_path = one, public"
    )
    people = entered(database)

    there = lodging(database.connection, people["A"].login)
    with psycopg.connect(database.url("app")) as session:
        truth = {
            setting: session.execute("SELECT current_setting(%s)", [setting]).fetchone()
            for setting in there
        }

    assert there == {
        "app.reach": "database", "app.place": "role", "app.org": "2", "search_path": "one, public",
    }  # fmt: skip
    assert {name: (value,) for name, value in there.items()} == truth
    assert people["A"].search_path == ("one", "public")


@ON_15
@pytest.mark.parametrize("place", ["copy", "target"])
def test_a_tenant_that_its_logins_own_settings_enter(survey: Survey, place: Place) -> None:
    survey.database.execute(
        WALLED + "CREATE ROLE app_two LOGIN; GRANT USAGE ON SCHEMA public TO app_two;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app_two;"
        "ALTER ROLE app SET app.org = '1'; ALTER ROLE app_two SET app.org = '2'"
    )
    logins = ("app", "app_two")

    sound = survey("read-rows", "change-row", enter="", logins=logins, place=place)
    survey.database.execute("ALTER ROLE app SET app.org = '2'")
    leaky = survey("read-rows", enter="", logins=logins, place=place)

    assert (sound.verdict, sound.controls["failed"]) == ("held", 0)
    assert sound.controls["proved"] > 0
    assert ("read", "public.notes") in found(leaky)
