"""Places with a login of their own, and places that are files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from partywall.context import TenantContext
from partywall.errors import DeletedTenant, UnknownTenant
from partywall.isolation import DatabasePerTenant, FilePerTenant
from partywall.runtime.housing import provision
from partywall.runtime.tenancy import Tenancy
from tests.conftest import clear
from tests.runtime.provisioned import asked, carried_out, open_now

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.servers import Postgres

TENANTS = [f"n{number}" for number in range(6)]


def test_the_applications_password_is_not_sent_for_a_tenants_login() -> None:
    with Tenancy("postgresql://app:s3cret@db/app", DatabasePerTenant(logins=True)) as tenancy:
        url = tenancy.grounds.engine(tenancy.lease(TenantContext("a"))).url
        assert (url.username, url.password, url.database) == ("t_a", None, "t_a")


def test_each_tenant_logs_in_as_itself_with_its_own_password(postgres18: Postgres) -> None:
    known = {"t_ours": "s3cret ours", "t_theirs": "s3cret theirs"}
    model = DatabasePerTenant(logins=True, passwords=known.__getitem__)
    rules = postgres18.data / "pg_hba.conf"
    trusting = rules.read_text()
    with psycopg.connect(postgres18.url(), autocommit=True) as control:
        try:
            rules.write_text(
                f"host all /^t_ all scram-sha-256\nlocal all /^t_ scram-sha-256\n{trusting}"
            )
            control.execute("SELECT pg_reload_conf()")
            for tenant in ("ours", "theirs"):
                carried_out(postgres18, model.provision(tenant, "unused"))
            with Tenancy(postgres18.url(), model) as tenancy:
                with tenancy.session(TenantContext("ours")) as session:
                    assert session.execute(text("SELECT session_user")).scalar() == "t_ours"
                known["t_theirs"] = "wr0ng"
                with pytest.raises(DBAPIError, match="authentication failed") as caught:
                    asked(tenancy, TenantContext("theirs"))
                assert "wr0ng" not in str(caught.value)
                known["t_theirs"] = "s3cret theirs"
                assert asked(tenancy, TenantContext("theirs"))[0] == "t_theirs"
                assert "s3cret" not in repr(model) + repr(tenancy.grounds.servers)
        finally:
            rules.write_text(trusting)
            control.execute("SELECT pg_reload_conf()")
            clear(control)


def test_a_tenants_login_reaches_no_other_database(postgres15: Postgres) -> None:
    model = DatabasePerTenant(logins=True)
    with psycopg.connect(postgres15.url(), autocommit=True) as control:
        try:
            for tenant in ("p", "q"):
                carried_out(postgres15, model.provision(tenant, "unused"))
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(postgres15.url("t_p", "t_q"))
            with Tenancy(postgres15.url(), model) as tenancy:
                assert asked(tenancy, TenantContext("q"))[0] == "t_q"
                carried_out(postgres15, model.remove("q"))
                with pytest.raises(DBAPIError):
                    asked(tenancy, TenantContext("q"))
                with pytest.raises(DeletedTenant):
                    asked(tenancy, TenantContext("q"))
                with pytest.raises(UnknownTenant):
                    asked(tenancy, TenantContext("r"))
            with pytest.raises(psycopg.errors.DuplicateObject):
                carried_out(postgres15, model.provision("q", "unused"))
        finally:
            carried_out(postgres15, model.remove("p"))
            control.execute("DROP ROLE t_p, t_q")


def test_files_are_bounded_too(tmp_path: Path) -> None:
    model = FilePerTenant(folder=str(tmp_path))
    for tenant in TENANTS:
        provision(model, tenant, lambda made: made.execute("CREATE TABLE mine (x)"))
    with Tenancy("sqlite://", model, connections=2) as tenancy:
        for _ in range(2):
            for tenant in TENANTS:
                with tenancy.session(TenantContext(tenant)) as session:
                    session.execute(text("INSERT INTO mine VALUES (:x)"), {"x": tenant})
                    found = session.execute(text("SELECT DISTINCT x FROM mine")).scalars()
                    assert found.all() == [tenant]
        assert open_now(tenancy) == (0, 2)
        with pytest.raises(UnknownTenant), tenancy.session(TenantContext("nobody")) as session:
            session.execute(text("SELECT 1"))
        assert open_now(tenancy)[0] == 0
