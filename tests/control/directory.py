"""Two tenants, three users and a key, written straight into the tables of the directory."""

from __future__ import annotations

import hashlib
import time
import zlib
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import event

from partywall.control.database import announce, now
from partywall.control.tables import api_keys, domains, memberships, roles, tenants, users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Executable

    from partywall.control.access import Access
    from partywall.control.database import Database

ACME = "00000000-0000-4000-8000-00000000000a"
GLOBEX = "00000000-0000-4000-8000-00000000000b"
NOBODY = "00000000-0000-4000-8000-0000000000ff"
ADA = "10000000-0000-4000-8000-00000000000a"
BOB = "10000000-0000-4000-8000-00000000000b"
EVE = "10000000-0000-4000-8000-00000000000e"


def secret() -> str:
    """An API key that nobody has yet."""
    body = token_hex(32)
    return f"pw_{body}{zlib.crc32(body.encode()):08x}"


SECRET = secret()
HASH = hashlib.sha256(SECRET.encode())
KEY = "20000000-0000-4000-8000-00000000000a"

OF_ACME, OF_GLOBEX, OF_ADA, OF_BOB = (
    f"tenant:{ACME}",
    f"tenant:{GLOBEX}",
    f"user:{ADA}",
    f"user:{BOB}",
)
OF_KEY = f"key:{HASH.hexdigest()}"


def tenant(tenant_id: str, slug: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    """A row of `tenants`."""
    return {
        "id": tenant_id, "slug": slug, "skeleton": slug, "name": slug.title(), "status": "active",
        "settings": {}, "created_at": now(), "changed_at": now(), **more,
    }  # fmt: skip


def membership(tenant_id: str, user_id: str, role: str) -> dict[str, Any]:
    """A row of `memberships`."""
    return {
        "tenant_id": tenant_id, "user_id": user_id, "role": role, "version": 1,
        "created_at": now(),
    }  # fmt: skip


def furnish(house: Database) -> None:
    """ACME has the owner ADA, the clerk BOB, a domain and a key of BOB's; GLOBEX has ADA."""
    people = [
        {"id": each, "email": f"{name}@example.com", "email_key": name, "created_at": now()}
        for each, name in ((ADA, "ada"), (BOB, "bob"), (EVE, "eve"))
    ]
    with house.begin() as connection:
        connection.execute(tenants.insert(), [tenant(ACME, "acme"), tenant(GLOBEX, "globex")])
        connection.execute(users.insert(), people)
        connection.execute(
            roles.insert().values(
                tenant_id=ACME, name="clerk", permissions=["invoices:read", "invoices:write"]
            )
        )
        connection.execute(
            memberships.insert(),
            [
                membership(ACME, ADA, "owner"),
                membership(ACME, BOB, "clerk"),
                membership(GLOBEX, ADA, "member"),
            ],
        )
        connection.execute(
            domains.insert().values(
                name="bills.acme.test", tenant_id=ACME, challenge="", created_at=now(),
                verified_at=now(),
            )
        )  # fmt: skip
        connection.execute(
            api_keys.insert().values(
                id=KEY, tenant_id=ACME, user_id=BOB, name="till", key_hash=HASH.digest(),
                permissions=["invoices:read", "log:read"], created_at=now(),
            )
        )  # fmt: skip


def refurnish(house: Database) -> None:
    """Begin again; nobody may be asking."""
    with house.begin() as connection:
        for table in (api_keys, domains, memberships, roles, users, tenants):
            connection.execute(table.delete())
    furnish(house)


def change(house: Database, statement: Executable, *announced: str) -> None:
    """Change something, as the modules of the control plane do."""
    with house.begin() as connection:
        connection.execute(statement)
        announce(connection, *announced)


def rename(house: Database, name: str, tenant_id: str = ACME) -> None:
    """Give a tenant another name."""
    statement = tenants.update().where(tenants.c.id == tenant_id).values(name=name)
    change(house, statement, f"tenant:{tenant_id}")


@contextmanager
def queries(house: Database) -> Iterator[list[str]]:
    """The statements that are executed through *house* in the block."""
    seen: list[str] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        seen.append(told[2])

    event.listen(house.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(house.engine, "before_cursor_execute", note)


def until(true: Callable[[], object], within_s: float = 5.0) -> float:
    """Wait until something is true; for how long it was not."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within_s, "it never came true"
        time.sleep(0.005)
    return time.monotonic() - begun


LISTENERS = "SELECT pid, client_port FROM pg_stat_activity WHERE application_name = %s"
NAME = "partywall listener"


def name(access: Access, tenant_id: str = ACME) -> str:
    found = access.tenant(tenant_id)
    assert found is not None
    return found.name


def from_memory(access: Access, house: Database) -> bool:
    """Whether the same question, asked twice, is answered without a query."""
    name(access)
    with queries(house) as made:
        name(access)
    return not made


@contextmanager
def administering(house: Database) -> Iterator[psycopg.Connection]:
    url = house.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as admin:
        yield admin


def listeners(house: Database) -> list[tuple[int, int]]:
    """Process and port of each connection that listens to this house."""
    with administering(house) as admin:
        found = admin.execute(f"{LISTENERS} AND datname = current_database()".encode(), [NAME])
        return [(int(pid), int(port)) for pid, port in found]
