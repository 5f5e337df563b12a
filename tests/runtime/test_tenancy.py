"""What `Tenancy` refuses before it opens anything, and the one way to all tenants."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from partywall import Tenancy, TenantContext
from partywall.errors import ConfigurationError, MissingTenant, TenantMismatch
from partywall.isolation import (
    DatabasePerTenant,
    FilePerTenant,
    RowSecurity,
    SchemaPerTenant,
    ScopedQueries,
)
from partywall.runtime.housing import provision

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.isolation import IsolationModel

NOWHERE = "postgresql://app@127.0.0.1:1/none"
ACME = TenantContext("acme")


@pytest.mark.parametrize("model", [SchemaPerTenant(), RowSecurity(), DatabasePerTenant()])
def test_what_sqlite_cannot_have_is_refused_with_what_it_can(model: IsolationModel) -> None:
    with pytest.raises(ConfigurationError, match="FilePerTenant or ScopedQueries") as refused:
        Tenancy("sqlite:///x.db", model)
    assert type(model).__name__ in str(refused.value)


def test_files_are_no_postgresql() -> None:
    with pytest.raises(ConfigurationError, match="RowSecurity, SchemaPerTenant, DatabasePerTenant"):
        Tenancy(NOWHERE, FilePerTenant(folder="/nowhere"))


@pytest.mark.parametrize("url", ["mysql://h/d", "postgresql+psycopg2://h/d", "oracle://h/d"])
@pytest.mark.parametrize("option", ["url", "replica", "servers"])
def test_another_driver_is_refused_wherever_it_stands(url: str, option: str) -> None:
    given: dict[str, Any] = {option: {"one": url} if option == "servers" else url}
    with pytest.raises(ConfigurationError, match="is not supported: begin the url with one of"):
        Tenancy(**{"url": NOWHERE, "isolation": DatabasePerTenant(), **given})


@pytest.mark.parametrize("connections", [0, -1])
def test_a_pool_without_connections_is_refused(connections: int) -> None:
    with pytest.raises(ConfigurationError, match="connections"):
        Tenancy(NOWHERE, RowSecurity(), connections=connections)


def test_an_unknown_pooler_is_refused() -> None:
    wrong: Any = "session"
    with pytest.raises(ConfigurationError, match="'session' is not known"):
        Tenancy(NOWHERE, RowSecurity(), pooler=wrong)


@pytest.mark.parametrize(
    "wishes", [{"isolation_level": "SERIALIZABLE"}, {"isolation_level": "AUTOCOMMIT"}]
)
def test_sqlite_has_one_isolation_level(tmp_path: Path, wishes: Any) -> None:  # noqa: ANN401
    tenancy = Tenancy(f"sqlite:///{tmp_path}/x.db", ScopedQueries())
    with pytest.raises(ConfigurationError, match="always serialisable"):
        tenancy.session(ACME, **wishes)


def test_an_isolation_level_is_one_of_three() -> None:
    wrong: Any = "SERIALIZABLE; DROP TABLE x"
    with pytest.raises(ConfigurationError, match="can't be had"):
        Tenancy(NOWHERE, RowSecurity()).session(ACME, isolation_level=wrong)


@pytest.mark.parametrize("way", ["session", "plain", "connection", "batch"])
def test_nothing_is_opened_without_a_context(way: str) -> None:
    tenancy = Tenancy(NOWHERE, RowSecurity())
    none: Any = None
    with pytest.raises(MissingTenant), getattr(tenancy, way)(none):
        pass


@pytest.mark.parametrize("way", ["plain", "batch"])
def test_plain_connections_are_psycopgs(tmp_path: Path, way: str) -> None:
    model = FilePerTenant(folder=str(tmp_path))
    provision(model, "acme", lambda connection: connection.execute("CREATE TABLE x (id)"))
    with (
        Tenancy("sqlite://", model) as tenancy,
        pytest.raises(ConfigurationError, match="psycopg"),
        getattr(tenancy, way)(ACME),
    ):
        pass


@pytest.mark.parametrize("way", ["plain", "batch"])
def test_scoped_queries_have_no_way_round_the_analysis(tmp_path: Path, way: str) -> None:
    tenancy = Tenancy(f"sqlite:///{tmp_path}/x.db", ScopedQueries())
    with pytest.raises(ConfigurationError, match="goes round it"), getattr(tenancy, way)(ACME):
        pass


@pytest.mark.parametrize(
    "model",
    [RowSecurity(), SchemaPerTenant(), SchemaPerTenant(roles=True), DatabasePerTenant()],
    ids=["rows", "schemas", "roles", "databases"],
)
def test_every_tenant_is_refused_where_the_database_keeps_them_apart(
    model: IsolationModel, caplog: pytest.LogCaptureFixture
) -> None:
    tenancy = Tenancy(NOWHERE, model)
    with (
        pytest.raises(ConfigurationError, match="a login of its own"),
        tenancy.every_tenant(reason="a report", by="me"),
    ):
        pass
    assert caplog.records == []


@pytest.mark.parametrize(("reason", "by"), [("", "me"), ("a report", ""), (" ", "me"), ("x", "\t")])
def test_every_tenant_needs_a_reason_and_who_asks(tmp_path: Path, reason: str, by: str) -> None:
    tenancy = Tenancy(f"sqlite:///{tmp_path}/x.db", ScopedQueries())
    with (
        pytest.raises(ConfigurationError, match="a reason and who asks"),
        tenancy.every_tenant(reason=reason, by=by),
    ):
        pass


def test_every_use_of_it_is_logged_before_it_begins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tenancy = Tenancy(f"sqlite:///{tmp_path}/x.db", ScopedQueries())
    with tenancy.every_tenant(reason="a report", by="me") as session:
        (logged,) = caplog.records
        assert (logged.name, logged.levelno) == ("partywall.audit", logging.WARNING)
        assert (vars(logged)["reason"], vars(logged)["by"]) == ("a report", "me")
        assert session.scalar(text("SELECT 1")) == 1
        with pytest.raises(TenantMismatch):
            _ = session.context

    async def main() -> None:
        async with tenancy.async_every_tenant(reason="another", by="me") as found:
            assert await found.scalar(text("SELECT 1")) == 1
        await tenancy.async_close()

    asyncio.run(main())
    assert [vars(each)["reason"] for each in caplog.records] == ["a report", "another"]
