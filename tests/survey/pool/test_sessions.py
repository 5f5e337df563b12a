"""What is left in the sessions of a pool: real PgBouncers, a server without one, a naive pool."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from partywall.errors import ConfigurationError, Unreachable
from partywall.servers.daemon import found
from partywall.servers.pgbouncer import PgBouncer, pgbouncer
from partywall.survey.configuration import TenantSettings
from partywall.survey.explaining.applications import LOGIN_EACH, ONE_LOGIN
from partywall.survey.layers import LayerReport, Tried, Watch
from partywall.survey.pool.attacks import every_attack
from partywall.survey.pool.sessions import Held, closed
from partywall.survey.pool.settings import PoolSettings
from partywall.survey.pool.surveying import survey
from tests.survey.pool.naive import naive_pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)

LOCAL = "SELECT set_config('app.tenant', '{}', true)"
LASTING = "SELECT set_config('app.tenant', '{}', false)"
DIRECT = {one.name for one in every_attack() if not one.storms}
TRANSACTIONS = {"pool_mode": "transaction"}
UNCLEARED = {"pool_mode": "transaction", "server_reset_query_always": "0"}
SESSIONS = {"pool_mode": "session"}
UNCLEARED_SESSIONS = {"pool_mode": "session", "server_reset_query": ""}
ROWS = "INSERT INTO shop.invoices VALUES ('acme', 1, 'a', 'draft'), ('globex', 1, 'b', 'draft')"


def settings(url: str, enter: str = LOCAL, size: int = 3, other: str = "") -> PoolSettings:
    a, b = (
        TenantSettings(name, name, there, (enter.format(name),) if enter else ())
        for name, there in (("acme", url), ("globex", other or url))
    )
    nobody = TenantSettings("anonymous", "", url)
    return PoolSettings(url, size, wait_s=1, tenants=(a, b), anonymous=nobody)


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute(ONE_LOGIN.script)
    database.execute("CREATE ROLE clerk; GRANT clerk TO app")
    database.execute(ROWS)
    return database


@contextmanager
def pooled(database: Database, how: dict[str, str]) -> Iterator[str]:
    with pgbouncer(database.server, {"default_pool_size": "3", **how}) as bouncer:
        yield bouncer.url(database.name, "app")


def names(report: LayerReport) -> set[str]:
    return {one.name for one in report.findings}


@pytest.mark.parametrize("how", [TRANSACTIONS, SESSIONS], ids=["transactions", "sessions"])
@pytest.mark.parametrize("enter", [LOCAL, LASTING], ids=["local", "lasting"])
def test_a_pool_that_clears_its_sessions_holds(
    shop: Database, how: dict[str, str], enter: str
) -> None:
    with pooled(shop, how) as url:
        report = survey(settings(url, enter), Watch())
    assert report.verdict == "held", report.undecided
    assert {one.attack for one in report.tried} == DIRECT
    assert {one.state for one in report.tried} == {"held"}
    assert report.controls["failed"] == 0


@pytest.mark.parametrize("how", [UNCLEARED, UNCLEARED_SESSIONS], ids=["transactions", "sessions"])
def test_a_pool_that_does_not_is_breached_in_every_way_but_where_it_closes(
    shop: Database, how: dict[str, str]
) -> None:
    with pooled(shop, how) as url:
        entered = survey(settings(url, LASTING), Watch())
        local = survey(settings(url, LOCAL), Watch())
        with psycopg.connect(url, autocommit=True) as connection:
            left = connection.execute("SELECT count(*) FROM pg_class WHERE relname ~ '^partywall_'")
            assert left.fetchone() == (0,)
            locks = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert locks.fetchone() == (0,)
            role = connection.execute("SELECT current_user, current_setting('app.tenant', true)")
            assert role.fetchone() in {("app", ""), ("app", None)}
    assert names(entered) == DIRECT - {"left-transaction"}
    assert names(local) == DIRECT - {"left-transaction", "left-context"}
    [rows, *_] = (one for one in entered.findings if one.name == "left-context")
    assert (rows.attacker, rows.victim, rows.effect) == ("nobody", "acme", "read")
    assert "rows of shop.invoices" in rows.because
    assert rows.witness[-1].returned == "True"


def test_a_session_that_is_handed_on_within_a_transaction_is_found(shop: Database) -> None:
    with naive_pool(shop.server.port) as port:
        url = f"postgresql://app@127.0.0.1:{port}/{shop.name}"
        report = survey(settings(url), Watch())
    assert "left-transaction" in names(report)
    tried = [one for one in report.tried if one.attack == "left-transaction"]
    assert {one.state for one in tried} == {"breached"}
    assert len(tried) == 4  # a transaction and a failed one, both ways


def test_a_server_without_a_pool_ends_sessions_with_their_connections(shop: Database) -> None:
    report = survey(settings(shop.url("app"), LASTING), Watch())
    assert report.verdict == "held", report.undecided


def test_where_each_tenant_has_a_login_no_session_is_shared(database: Database) -> None:
    database.execute(LOGIN_EACH.script)
    with pgbouncer(database.server, UNCLEARED) as bouncer:
        url, other = (bouncer.url(database.name, name) for name in ("acme", "globex"))
        report = survey(settings(url, "", other=other), Watch())
    states = {(one.attack, one.state) for one in report.tried}
    assert ("left-tables", "held") in states
    assert names(report) == {"left-locks"}  # which are the database's, whoever logs in


class Impersonal(PgBouncer):
    """Logs in to the server as one, whoever has logged in to it."""

    def configuration(self, settings: Mapping[str, str]) -> Mapping[str, str]:
        files = dict(super().configuration(settings))
        there = f"port={self.server.port}"
        files["pgbouncer.ini"] = files["pgbouncer.ini"].replace(there, f"{there} user=app")
        return files


def test_a_pool_that_logs_in_as_one_for_all_does_not_keep_logins_apart(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sessions are handed round: the finder is never handed what the leaver had."""
    monkeypatch.setattr("partywall.survey.pool.surveying.ENDING_S", 0.1)
    shop.execute("CREATE ROLE acme LOGIN; CREATE ROLE globex LOGIN")
    program = found("pgbouncer", name="PgBouncer", package="pgbouncer")
    turns = {**UNCLEARED, "default_pool_size": "4", "server_round_robin": "1"}
    with Impersonal(program, shop.server, turns) as bouncer:
        url, other = (bouncer.url(shop.name, name) for name in ("acme", "globex"))
        connections = [psycopg.connect(url) for _ in range(4)]
        for one in connections:
            one.execute("SELECT 1")
        for one in connections:
            one.commit()
            one.close()
        report = survey(settings(url, size=1, other=other), Watch())
    states = {one.state for one in report.tried if one.attack == "left-tables"}
    assert states <= {"breached", "undecided"}
    assert any("may hold still what was left there" in one for one in report.left)


def test_what_a_session_is_entered_by_is_in_no_report(shop: Database) -> None:
    shop.execute("TRUNCATE shop.invoices CASCADE")
    with pooled(shop, UNCLEARED) as url:
        key = "SELECT set_config('app.key', 'key-of-{}', false)"
        report = survey(settings(url, key), Watch())
    [one, _] = (one for one in report.findings if one.name == "left-context")
    assert one.witness[-1].returned == "(what acme had set)"
    assert "key-of-" not in repr(report)


def test_what_a_login_may_not_leave_is_closed(shop: Database) -> None:
    shop.execute(f"REVOKE TEMPORARY ON DATABASE {shop.name} FROM public")
    shop.execute("REVOKE clerk FROM app")
    with pooled(shop, TRANSACTIONS) as url:
        report = survey(settings(url), Watch())
    closed = {one.attack for one in report.tried if one.state == "closed"}
    assert closed == {"left-tables", "left-role"}
    assert report.verdict == "held"


def test_sessions_that_others_hold_leave_it_undecided(shop: Database) -> None:
    """The finder is never handed what the leaver had: other clients take it in between."""
    with pooled(shop, {**UNCLEARED, "default_pool_size": "4", "server_round_robin": "1"}) as url:
        with psycopg.connect(url, autocommit=True) as warm:
            warm.execute("SELECT 1")
        report = survey(settings(url, size=1), Watch())
    assert report.verdict in {"breached", "undecided"}
    open_ = [one for one in report.tried if one.state == "undecided"]
    assert all("[pool] size" in one.because for one in open_)


def test_an_enter_that_fails_is_a_configuration_error(shop: Database) -> None:
    with (
        pooled(shop, TRANSACTIONS) as url,
        pytest.raises(ConfigurationError, match=r"acme\] could not be entered"),
    ):
        survey(settings(url, "SELECT nothing_{}()"), Watch())


@pytest.mark.usefixtures("server")
def test_a_pool_that_is_not_there_is_unreachable() -> None:
    url = "postgresql://app:secret@127.0.0.1:1/app"
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/app") as refused:
        survey(settings(url), Watch())
    assert "secret" not in str(refused.value)


class Silent:
    """A connection on which nothing is answered until it is cut."""

    broken, closed = False, True

    def __init__(self) -> None:
        self.ended = False

    async def execute(self, _: bytes) -> None:
        await asyncio.sleep(0.1)
        raise psycopg.OperationalError("cut")

    async def close(self) -> None:
        self.ended = True


@pytest.mark.usefixtures("server")
def test_sessions_are_all_given_back_also_where_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("partywall.survey.pool.sessions.ANSWER_S", 0.01)
    silent: list[Any] = [Silent(), Silent()]
    asyncio.run(closed(Held(one, 0) for one in silent))
    assert [one.ended for one in silent] == [True, True]


class Stopping(Watch):
    """Stops a survey as Ctrl-C does, after so many attempts."""

    def __init__(self, after: int) -> None:
        self.after = after

    def judged(self, tried: Tried) -> None:
        self.after -= tried.state == "breached"
        if not self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 5])
def test_an_interrupted_survey_leaves_nothing_in_the_pool(shop: Database, after: int) -> None:
    with pooled(shop, UNCLEARED) as url:
        with pytest.raises(KeyboardInterrupt):
            survey(settings(url, LASTING), Stopping(after))
        for _ in range(3):
            with psycopg.connect(url, autocommit=True) as connection:
                tables = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
                path = "current_setting('search_path')"
                tenant = "coalesce(current_setting('app.tenant', true), '')"
                found = connection.execute(f"SELECT {path}, {tenant}, ({tables})".encode())
                assert found.fetchone() == ('"$user", public', "", 0)
