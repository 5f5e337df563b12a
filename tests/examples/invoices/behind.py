"""What stands behind a running application, seen and broken past all of its walls."""

from __future__ import annotations

import datetime as dt
import sqlite3
import uuid
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from partywall import FilePerTenant
from partywall.control import administration
from partywall.control.database import Database, now
from partywall.isolation.naming import physical_name, tenant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.examples.invoices.houses import Company, House

    Say = Callable[[str], list[tuple[Any, ...]]]

TABLES = {"customers", "invoices", "comments", "files", "reports", "counters"}
"""Of each company."""

RECORDS = ("tenants", "users", "memberships", "works", "audit_log", "workflow_status")
"""What a sign-up leaves in the control plane's database, and in that of its workflows."""


@contextmanager
def server(
    house: House, database: str = "", *schemas: str, user: str = "postgres"
) -> Iterator[Say]:
    """A way to say things to a database of the application's server; its own without a name."""
    assert house.server is not None
    path = ",".join(schemas or ("public",))
    url = house.server.url(database or house.database, user)
    with psycopg.connect(url, autocommit=True, options=f"-csearch_path={path}") as connection:

        def say(statement: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

        yield say


def say(house: House, statement: str) -> None:
    """Say something to the application's database."""
    with server(house) as saying:
        saying(statement)


@contextmanager
def file(path: Path, *attached: Path) -> Iterator[Say]:
    """A way to say things to a SQLite file, and to others with it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for each in attached:
            connection.execute("ATTACH ? AS other", [str(each)])
        yield lambda statement: connection.execute(statement).fetchall()


def path_of(house: House, tenant_id: str) -> Path:
    """A company's file."""
    return Path(FilePerTenant(folder=str(house.folder / "data" / "tenants")).path(tenant_id))


@contextmanager
def inside(house: House, company: Company) -> Iterator[Say]:
    """The tables of a company, by their bare names; where they are shared, those of all."""
    name = physical_name(company.id)
    if house.isolation == "files":
        with file(path_of(house, company.id)) as say:
            yield say
        return
    database = name if house.isolation == "databases" else ""
    schema = name if house.isolation == "schemas" else "public"
    with server(house, database, schema) as say:
        yield say


@contextmanager
def control(house: House) -> Iterator[Say]:
    """The control plane's tables, and those of DBOS, by their bare names."""
    data = house.folder / "data"
    if house.server is None:
        with file(data / "control.db", data / "control.db.works") as say:
            yield say
    else:
        with server(house, f"control_{house.isolation}", "partywall", "dbos") as say:
            yield say


@contextmanager
def workflows(house: House) -> Iterator[Say]:
    """The tables of DBOS, by their bare names."""
    if house.server is None:
        with file(house.folder / "data" / "control.db.works") as say:
            yield say
    else:
        with server(house, f"control_{house.isolation}", "dbos") as say:
            yield say


def records(house: House) -> dict[str, int]:
    """How many rows the control plane has of what."""
    with control(house) as say:
        return {table: say(f"SELECT count(*) FROM {table}")[0][0] for table in RECORDS}


def logged(house: House) -> Counter[str]:
    """How many entries the audit log has of each tenant, and under "" of none."""
    with control(house) as say:
        return Counter(tenant_id for (tenant_id,) in say("SELECT tenant_id FROM audit_log"))


PLACES = r"""
SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\_%'
UNION SELECT datname FROM pg_database WHERE datname LIKE 't\_%'
UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 't\_%'
"""


def places(house: House) -> set[str]:
    """Which companies have something: rows, or whatever has a name of theirs; by their ids."""
    if house.isolation == "files":
        found = {each.stem for each in (house.folder / "data" / "tenants").rglob("*.sqlite*")}
        return {str(tenant_of(name)) for name in found}
    with server(house) as say:
        if house.shared:
            each = [f"SELECT tenant_id::text FROM {table}" for table in sorted(TABLES)]
            return {id_ for (id_,) in say(" UNION ".join(each))}
        return {str(tenant_of(name)) for (name,) in say(PLACES)}


HELD = """
SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('{name}'))
     + (SELECT count(*) FROM pg_database WHERE datname = '{name}')
"""


def emptied(house: House, tenant_id: str) -> bool:
    """Whether nothing is left of a company that was removed, but for the tombstone of its name."""
    if house.isolation == "files":
        return not path_of(house, tenant_id).exists()
    if house.shared:
        return tenant_id not in places(house)
    with server(house) as say:
        return say(HELD.format(name=physical_name(tenant_id))) == [(0,)]


def record(house: House, table: str, id_: str, column: str) -> str:
    """What the control plane has in a column of one row."""
    kept = uuid.UUID(id_).hex if house.server is None else id_
    with control(house) as say:
        ((value,),) = say(f"SELECT {column} FROM {table} WHERE id = '{kept}'")
    return str(value)


def administrator(house: House) -> dict[str, str]:
    """The credentials of somebody new who may administrate all companies for an hour."""
    company = house.company()
    user_id = company.get("/me").json()["id"]
    database = Database(house.control_url)
    with database.begin() as connection:
        administration.appoint(connection, user_id, ["127.0.0.1/32"])
        until = now() + dt.timedelta(hours=1)
        administration.grant(connection, user_id, None, reason="a test", until=until)
    database.close()
    return company.headers
