"""The tenants' data keys, wrapped: who has this table and not what wraps them has nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, exc, select, text, update

from partywall.control import audit, ids, tables, tenants
from partywall.control.database import announce, inserting
from partywall.control.listening import Listener
from partywall.errors import DeletedTenant, RecordConflict, Unavailable, UnknownTenant

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from partywall.control.database import Database
    from partywall.control.memory import Hearing

Purpose = Literal["seal", "index"]

DATA_KEYS = tables.data_keys

ANNOUNCED = "data_keys:"
"""What is announced when the keys of a tenant change, before its id."""

ACTOR = "partywall"

NO_ANSWER = "the control plane's database gives no answer about data keys: look whether it is up"

READERS = text("""
SELECT r.rolname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, pg_roles AS r
WHERE n.nspname = 'partywall' AND c.relname = 'data_keys'
  AND NOT r.rolsuper AND NOT pg_has_role(r.oid, c.relowner, 'MEMBER')
  AND r.rolname NOT IN ('pg_read_all_data', 'pg_write_all_data')
  AND has_schema_privilege(r.oid, n.oid, 'USAGE')
  AND (has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
    OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE'))
ORDER BY 1
""")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A version of a tenant's data key, as it is kept.

    Attributes:
        id: stands in what it seals.
        purpose: seal; or index, for blind indexes.
        number: counts the versions of a purpose, from 1.
        kek: the version of the key-encryption key that wraps it.
        wrapped: the key as that one encrypted it.
    """

    id: str
    tenant_id: str
    purpose: Purpose
    number: int
    kek: str
    wrapped: bytes = field(repr=False)
    created_at: dt.datetime


COLUMNS = [DATA_KEYS.c[name] for name in WrappedKey.__slots__]


class DataKeys:
    """The wrapped keys in the control plane's database.

    Args:
        database: the control plane's.

    Raises:
        Unavailable: from every question, when the database gives no answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, tenant_id: str) -> list[WrappedKey]:
        """All keys of a tenant; none of one that nobody knows, or whose keys were destroyed."""
        if not ids.possible(tenant_id):
            return []
        with self._reading() as connection:
            return listed(connection, tenant_id)

    def add(self, key: WrappedKey) -> bool:
        """Keep a new key; False when there is one of that number already.

        Raises:
            UnknownTenant: when nobody has that id.
            DeletedTenant: when the tenant was deleted: it gets no keys any more.
        """
        if not ids.possible(key.tenant_id):
            raise UnknownTenant("nobody has this id in the control plane: register the tenant")
        with self._writing() as connection:
            return added(connection, key)

    def replace(self, key: WrappedKey, kek: str, wrapped: bytes) -> bool:
        """Keep *key* wrapped anew; False when it is not as it was, or gone."""
        with self._writing() as connection:
            done = connection.execute(
                update(DATA_KEYS)
                .where(DATA_KEYS.c.id == key.id, DATA_KEYS.c.wrapped == key.wrapped)
                .values(kek=kek, wrapped=wrapped)
            )
            return done.rowcount == 1

    def wrapped_otherwise(self, kek: str, *, after: str = "", limit: int = 100) -> list[WrappedKey]:
        """Keys that another version than *kek* wraps, the first *limit* after an id."""
        query = select(*COLUMNS).where(DATA_KEYS.c.kek != kek).order_by(DATA_KEYS.c.id)
        if after:
            query = query.where(DATA_KEYS.c.id > after)
        with self._reading() as connection:
            return [WrappedKey(*row) for row in connection.execute(query.limit(limit))]

    def shred(self, tenant_id: str, *, by: str) -> int:
        """Destroy all keys of a deleted tenant; how many there were.

        Raises:
            UnknownTenant: when nobody has that id.
            RecordConflict: when the tenant is not deleted.
        """
        with self._writing() as connection:
            return shredded(connection, tenant_id, by=by)

    def discard(self, tenant_id: str, key_id: str, *, by: str) -> bool:
        """Destroy one key of a tenant that is not the newest; False when there is none of that id.

        What it sealed can't be opened any more.

        Raises:
            RecordConflict: when it is the newest of its purpose.
        """
        with self._writing() as connection:
            return discarded(connection, tenant_id, key_id, by=by)

    def readers(self) -> tuple[str, ...]:
        """The roles that may read or change the keys besides owner and superusers: none, if right.

        SQLite has no roles: whoever may read its file.
        """
        if self._database.sqlite:
            return ()
        with self._reading() as connection:
            return tuple(connection.execute(READERS).scalars())

    def listener(self, memory: Hearing, *, heartbeat_s: float) -> Listener | None:
        """What hears of changes by other processes; on SQLite nothing does."""
        self._database.tell(memory)
        if self._database.sqlite:
            return None
        return Listener(self._database, memory, heartbeat_s=heartbeat_s)

    def _reading(self) -> AbstractContextManager[Connection]:
        return answering(self._database.reading())

    def _writing(self) -> AbstractContextManager[Connection]:
        return answering(self._database.begin())


def listed(connection: Connection, tenant_id: str) -> list[WrappedKey]:
    """All keys of a tenant, the newest version last."""
    query = select(*COLUMNS).where(DATA_KEYS.c.tenant_id == tenant_id)
    return [WrappedKey(*row) for row in connection.execute(query.order_by(DATA_KEYS.c.number))]


def added(connection: Connection, key: WrappedKey) -> bool:
    """Keep a new key of a tenant that is not deleted; of two with one number the first stays.

    Raises:
        UnknownTenant: when nobody has that id.
        DeletedTenant: when the tenant was deleted.
    """
    if tenants.known(connection, key.tenant_id, lock=True).status == "deleted":
        raise DeletedTenant("the tenant was deleted, and gets no data keys any more")
    row = {name: getattr(key, name) for name in WrappedKey.__slots__}
    numbered = ["tenant_id", "purpose", "number"]
    inserted = inserting(connection, DATA_KEYS).on_conflict_do_nothing(index_elements=numbered)
    done = connection.execute(inserted.returning(DATA_KEYS.c.id), row).first() is not None
    if done:
        announce(connection, ANNOUNCED + key.tenant_id)
    return done


def shredded(connection: Connection, tenant_id: str, *, by: str) -> int:
    """Destroy all keys of a deleted tenant; how many there were.

    Raises:
        UnknownTenant: when nobody has that id.
        RecordConflict: when the tenant is not deleted.
    """
    if not ids.possible(tenant_id):
        raise UnknownTenant("nobody has this id in the control plane")
    status = tenants.known(connection, tenant_id, lock=True).status
    if status != "deleted":
        raise RecordConflict(
            f"the tenant is {status}, and without its data keys all that is sealed for it is lost: "
            "remove the tenant, which shreds them"
        )
    gone = connection.execute(delete(DATA_KEYS).where(DATA_KEYS.c.tenant_id == tenant_id)).rowcount
    announce(connection, ANNOUNCED + tenant_id)
    if gone:
        noted(connection, tenant_id, "data_keys.shredded", by, {"data_keys": gone})
    return gone


def discarded(connection: Connection, tenant_id: str, key_id: str, *, by: str) -> bool:
    """Destroy one key that is not the newest of its purpose; False when there is none of that id.

    Raises:
        RecordConflict: when it is the newest.
    """
    if not ids.possible(tenant_id, key_id):
        return False
    tenants.known(connection, tenant_id, lock=True)
    keys = listed(connection, tenant_id)
    found = next((key for key in keys if key.id == key_id), None)
    if found is None:
        return False
    if all(key.number <= found.number for key in keys if key.purpose == found.purpose):
        raise RecordConflict("this is the tenant's newest key, which seals: rotate it first")
    connection.execute(delete(DATA_KEYS).where(DATA_KEYS.c.id == key_id))
    announce(connection, ANNOUNCED + tenant_id)
    noted(connection, tenant_id, "data_keys.discarded", by, {"number": found.number})
    return True


def noted(
    connection: Connection, tenant_id: str, action: str, by: str, detail: dict[str, str | int]
) -> None:
    """Put what was done into the tenant's audit log."""
    audit.record(connection, tenant_id, action, actor=by, subject=tenant_id, detail=detail)


@contextmanager
def answering(block: AbstractContextManager[Connection]) -> Iterator[Connection]:
    """The same block.

    Raises:
        Unavailable: when the database gives no answer.
    """
    try:
        with block as connection:
            yield connection
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        raise Unavailable(NO_ANSWER) from error
