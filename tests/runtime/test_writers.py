"""Writers of one tenant's file, who read before they write, wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import text

from partywall import Tenancy, TenantContext
from partywall.isolation import FilePerTenant
from partywall.runtime.housing import provision


def test_writers_of_one_tenant_who_read_first_wait_for_each_other(tmp_path: Path) -> None:
    model = FilePerTenant(folder=str(tmp_path / "tenants"), durable=False)
    provision(
        model, "acme", lambda c: c.executescript("CREATE TABLE a (n); INSERT INTO a VALUES (0)")
    )

    def add(_: int) -> None:
        with tenancy.session(TenantContext("acme")) as session:
            n = session.execute(text("SELECT n FROM a")).scalar_one()
            session.execute(text("UPDATE a SET n = :n"), {"n": n + 1})

    with Tenancy("sqlite://", model, connections=4) as tenancy:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(200)))
        with tenancy.session(TenantContext("acme"), read_only=True) as session:
            assert session.execute(text("SELECT n FROM a")).scalar_one() == 200
