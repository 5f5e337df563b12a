"""What a survey meets on real servers: settings, encodings, poolers, standbys, broken sessions."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import ConfigurationError, CopyError, TargetError
from partywall.servers.pgbouncer import pgbouncer
from partywall.servers.replica import replica
from partywall.survey.audit import audit, explain
from partywall.survey.configuration import Configuration, PublicRows, TenantSettings
from partywall.survey.connecting import connect, log_on
from partywall.survey.copying import copied
from partywall.survey.readiness import serve
from tests.survey.surveys import WALLED, Survey

if TYPE_CHECKING:
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
ON_18 = pytest.mark.parametrize("server", ["postgres18"], indirect=True)
SECRET = "hunter2hunter2"
HOSTILE = {
    "statement_timeout": "1ms", "lock_timeout": "1ms", "idle_session_timeout": "5ms",
    "idle_in_transaction_session_timeout": "1ms", "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable", "client_encoding": "LATIN1",
    "standard_conforming_strings": "off", "search_path": "''", "role": "keeper",
}  # fmt: skip


@ON_18
def test_settings_of_roles_and_databases_stop_no_survey(survey: Survey) -> None:
    survey.database.execute(WALLED)
    name = survey.database.name
    hostile = HOSTILE | {"transaction_timeout": "1ms"}
    orders = [f"ALTER DATABASE {name} SET {key} = {value if key == 'search_path' else repr(value)}"
              for key, value in hostile.items()]  # fmt: skip
    times = ("statement_timeout", "idle_in_transaction_session_timeout", "client_encoding")
    orders += [f"ALTER ROLE app SET {key} = '{hostile[key]}'" for key in times]
    survey.database.execute("; ".join(orders))

    report = survey("read-rows", attacker="query")

    assert (report.verdict, report.controls["failed"]) == ("held", 0)
    assert report.controls["proved"] > 0


@ON_15
@pytest.mark.parametrize(
    ("encoding", "name"), [("LATIN1", "é£ü"), ("EUC_JP", "日本"), ("SQL_ASCII", "é£ü")]
)
def test_names_in_another_encoding(database: Database, encoding: str, name: str) -> None:
    other = f"{database.name}_2"
    database.execute(f"CREATE DATABASE {other} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    with psycopg.connect(database.server.url(other), client_encoding="UTF8") as connection:
        connection.execute(WALLED.replace("notes", f'"{name}"').encode())
    tenants = tuple(
        TenantSettings(key, key, database.server.url(other, "app"),
                       (f"SELECT set_config('app.org', '{key}', true)",)) for key in "12"
    )  # fmt: skip

    report = audit(
        Configuration(database.server.url(other), tenants=tenants), only=frozenset({"read-rows"})
    )

    assert report.verdict == "held"
    assert (f'public."{name}"', "read") in report.cells


@ON_15
def test_names_that_nobody_can_tell(database: Database) -> None:
    other = f"{database.name}_2"
    database.execute(f"CREATE DATABASE {other} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    with psycopg.connect(database.server.url(other), client_encoding="LATIN1") as connection:
        connection.pgconn.exec_(b'CREATE TABLE "caf\xe9" ()')

    with pytest.raises(TargetError, match="holds names that are no UTF-8"):
        explain(Configuration(database.server.url(other)))


@ON_15
def test_a_pooler_is_told_from_a_server(database: Database) -> None:
    database.execute(WALLED)
    for ignored in ("extra_float_digits", "extra_float_digits,options"):
        settings = {"pool_mode": "session", "ignore_startup_parameters": ignored}
        with pgbouncer(database.server, settings) as pooler:
            url = pooler.url(database.name)
            with pytest.raises(ConfigurationError, match="is a connection pooler"):
                explain(Configuration(url))


@ON_15
def test_a_standby_can_be_read_and_not_written(survey: Survey) -> None:
    survey.database.execute(WALLED)
    name = survey.database.name
    with replica(survey.database.server) as standby:
        tenants = tuple(
            TenantSettings(key, key, standby.url(name, "app"),
                           (f"SELECT set_config('app.org', '{key}', true)",)) for key in "12"
        )  # fmt: skip
        configuration = Configuration(standby.url(name), tenants=tenants)
        for place in ("copy", "target"):
            with pytest.raises(ConfigurationError, match=r"is a standby.*--read-only"):
                audit(configuration, place=place)
        report = audit(configuration, place="target", read_only=True, only=frozenset({"read-rows"}))
    assert (report.findings, report.cells["public.notes", "read"]) == ((), "held")


@pytest.mark.parametrize("version", [90624, 120022, 130022])
def test_servers_that_are_not_served(version: int) -> None:
    with pytest.raises(ConfigurationError, match="14 to 18 are served"):
        serve(version, "here")


@pytest.mark.parametrize("version", [140000, 150018, 180000, 190000])
def test_servers_that_are(version: int) -> None:
    serve(version, "here")


@ON_15
def test_without_a_superuser_the_catalog_speaks_and_nothing_is_attacked(
    database: Database,
) -> None:
    database.execute(WALLED)
    model, identities, _ = explain(Configuration(database.url("app")))
    assert ("public.notes" in model.owned, identities) == (True, {})
    tenants = tuple(TenantSettings(k, k, database.url("app"), (f"SELECT {k}",)) for k in "12")
    wanted = r'ALTER ROLE "app" SUPERUSER.*docs/how-to/managed-server.md'
    for ask in (explain, audit):
        with pytest.raises(ConfigurationError, match=wanted):
            ask(Configuration(database.url("app"), tenants=tenants))


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://app:{SECRET}@127.0.0.1/shop",
        f"postgresql+psycopg://app:{SECRET}@127.0.0.1/shop",
        f"postgresql://app:{SECRET}@[::1/shop",
        f"postgresql://app:%zz{SECRET}@127.0.0.1/shop",
        f"postgresql://app:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://app:{SECRET}@127.0.0.1:port/shop",
        f"host=127.0.0.1 port=1 user=app password={SECRET}",
        f"password={SECRET} nonsense",
    ],
)
def test_no_refusal_quotes_a_password(url: str) -> None:
    for reach in (connect, log_on):
        with pytest.raises(ConfigurationError) as refused:
            reach(url)
        error: BaseException | None = refused.value
        while error is not None:  # `--verbose` shows what it came from as well
            assert SECRET not in str(error)
            error = error.__cause__


@ON_15
@pytest.mark.parametrize(
    ("ids", "enters", "words"),
    [
        (("1", "1"), ("SET LOCAL app.org = '1'", "SET LOCAL app.org = 1"), "have the same id"),
        (("1", "2"), ("SET LOCAL app.org = '1'",) * 2, "enter by the same words"),
        (("1", "2"), ("SET LOCAL app.org = '2'", "SET LOCAL app.org = '1'"), "enters as globex"),
        (("1", "2"), ("COMMIT", "SELECT 1"), "ends the transaction"),
    ],
)
def test_declarations_that_are_not_two_tenants(
    database: Database, ids: tuple[str, str], enters: tuple[str, str], words: str
) -> None:
    database.execute(WALLED)
    tenants = tuple(
        TenantSettings(name, key, database.url("app"), (enter,))
        for name, key, enter in zip(("acme", "globex"), ids, enters, strict=True)
    )
    with pytest.raises(ConfigurationError, match=words):
        explain(Configuration(database.url(), tenants=tenants))


@ON_15
@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"tables": {"public.note": "org"}}, r"no table public.note \(did you mean public.notes"),
        ({"tables": {"public.notes": "orgg"}}, r"no column orgg \(did you mean org\?\)"),
        ({"shared": ("notes",)}, r"^\[model\] shared: there is no table notes"),
        ({"public": (PublicRows("public.plans", "true"),)}, "no table public.plans"),
        ({"public": (PublicRows("public.notes", "shared"),)}, 'column "shared" does not exist'),
        (
            {"public": (PublicRows("public.notes", "true); DROP TABLE notes; SELECT (1"),)},
            "no condition",
        ),
    ],
)
def test_declarations_about_what_is_not_there(
    survey: Survey, declared: dict[str, object], words: str
) -> None:
    survey.database.execute(WALLED)
    with pytest.raises(ConfigurationError, match=words):
        survey("read-rows", **declared)  # type: ignore[arg-type] # fields of Configuration
    assert survey.database.rows("SELECT count(*) FROM notes") == [(2,)]


@ON_15
def test_a_copy_is_dropped_after_the_server_ended_our_session(database: Database) -> None:
    database.execute(WALLED)
    url = database.url()

    with (
        closing(connect(url)) as admin,
        copied(admin, [database.name], lambda name: connect(url, name)) as copies,
    ):
        assert len(copies) == 1
        database.rows(f"SELECT pg_terminate_backend({admin.info.backend_pid}, 5000)")
    assert database.rows("SELECT 1 FROM pg_database WHERE datname LIKE 'partywall\\_copy%'") == []


@ON_15
def test_a_copy_that_can_t_be_made_is_told_in_the_server_s_words(database: Database) -> None:
    database.execute(WALLED + "SET default_transaction_read_only = on")
    making = copied(
        database.connection, [database.name], lambda name: connect(database.url(), name)
    )
    with ExitStack() as stack, pytest.raises(CopyError, match=r"could not be made: .*read-only"):
        stack.enter_context(making)
