"""Brings what stands in encrypted columns to the tenant's newest data key, while others work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, and_, func, literal, or_, select, tuple_, type_coerce, update

from partywall.context import TenantContext
from partywall.encryption import envelope
from partywall.encryption.columns import Encrypted
from partywall.encryption.statements import column_of, told
from partywall.errors import ConfigurationError, SealBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Column, ColumnElement, Connection, Row, Table

    from partywall.encryption.keyring import Keyring
    from partywall.encryption.ring import Ring
    from partywall.runtime.tenancy import Tenancy

BATCH = 500


@dataclass(slots=True)
class Progress:
    """How far a `reseal` is.

    Attributes:
        tenants: how many it has been through.
        resealed: how many values it has sealed anew.
        overtaken: how many others wrote meanwhile, with what they wrote left as it is; where one
            of them may have used an older key, run again.
        broken: how many could not be opened, and were left, by `table.column`.
        tenant_id, table: where it is.
        stopped: whether it was told to stop before the end.
    """

    tenants: int = 0
    resealed: int = 0
    overtaken: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    tenant_id: str = ""
    table: str = ""
    stopped: bool = False


def reseal(
    tenancy: Tenancy,
    keyring: Keyring,
    tables: Iterable[Table],
    tenants: Iterable[str],
    *,
    batch: int = BATCH,
    pausing: Callable[[Progress], bool] = lambda _: True,
) -> Progress:
    """Seal anew what an older key has sealed, and what is plaintext in a column that is migrating.

    Each batch is a transaction. A value that somebody has changed since it was read is left to
    them. Stopped at any point, another call goes on from there: what is done is passed over by the
    database. Read and write meanwhile as always.

    Args:
        tenancy: the way to the tenants' data, with the keyring among its guards.
        keyring: the keys; rotate the tenants' first, and wait its *ttl_s*.
        tables: those with encrypted columns; others are passed over. `metadata.sorted_tables`.
        tenants: their ids.
        batch: how many rows at once.
        pausing: is shown the progress after each batch; may wait; what it returns says whether to
            go on.

    Returns:
        How far it came.

    Raises:
        ConfigurationError: for a table without a primary key.
        MissingTenant, UnknownTenant, Unavailable: as sessions do.
    """
    progress = Progress()
    todo = [Resealing(table, marks) for table in tables if (marks := marked(table))]
    for tenant_id in tenants:
        progress.tenant_id = tenant_id
        context, ring = TenantContext(tenant_id), keyring.ring(tenant_id)
        for each in todo:
            progress.table = each.table.fullname
            for _ in each.batches(tenancy, context, ring, batch, progress):
                if not pausing(progress):
                    progress.stopped = True
                    return progress
        progress.tenants += 1
    return progress


def marked(table: Table) -> list[Column[Any]]:
    """The encrypted columns of a table."""
    return [column for column in table.c if isinstance(column.type, Encrypted)]


class Resealing:
    """The work on one table."""

    def __init__(self, table: Table, marks: Sequence[Column[Any]]) -> None:
        self.table, self._marks = table, marks
        self._key = list(table.primary_key)
        if not self._key:
            raise ConfigurationError(
                f"{table.fullname} has no primary key, by which reseal could name its rows: add one"
            )
        names = {name for column in marks for name in mark_of(column).row}
        self._row = [column_of(table, name) for name in sorted(names)]

    def batches(
        self, tenancy: Tenancy, context: TenantContext, ring: Ring, size: int, progress: Progress
    ) -> Iterator[None]:
        """Seal anew, batch by batch; each yield stands after a commit."""
        after: tuple[Any, ...] = ()
        query = self._query(tenancy, context, ring)
        while True:
            page = query
            if after:
                # One by one where the key is one column, as databases read an index best.
                keys = self._key[0] if len(self._key) == 1 else tuple_(*self._key)
                last = after[0] if len(after) == 1 else tuple_(*self._literals(after))
                page = query.where(keys > last)
            with tenancy.connection(context) as connection:
                rows = connection.execute(page.limit(size)).all()
                for row in rows:
                    self._reseal(connection, context, tenancy, ring, row, progress)
            if not rows:
                return
            after = tuple(rows[-1][: len(self._key)])
            yield
            if len(rows) < size:
                return

    def _query(self, tenancy: Tenancy, context: TenantContext, ring: Ring) -> Any:
        header = envelope.header(ring.newest("seal"))
        raw = [type_coerce(column, LargeBinary) for column in self._marks]
        old = [func.substr(each, 1, len(header)) != literal(header, LargeBinary) for each in raw]
        query = select(*self._key, *self._row, *raw).where(or_(*old)).order_by(*self._key)
        return query.where(*self._own(tenancy, context))

    def _own(self, tenancy: Tenancy, context: TenantContext) -> list[ColumnElement[bool]]:
        """What ties a statement to the tenant where the tables are shared."""
        column = self.table.c.get(getattr(tenancy.isolation, "column", ""))
        if column is None:
            return []
        return [column == typed(column, context.tenant_id)]

    def _literals(self, values: Sequence[Any]) -> list[Any]:
        return [literal(v, c.type) for v, c in zip(values, self._key, strict=True)]

    def _reseal(
        self,
        connection: Connection,
        context: TenantContext,
        tenancy: Tenancy,
        ring: Ring,
        row: Row[Any],
        progress: Progress,
    ) -> None:
        many = len(self._key)
        key, bound = row[:many], row[many : many + len(self._row)]
        named = {c.key: value for c, value in zip(self._row, bound, strict=True)}
        for column, data in zip(self._marks, row[many + len(self._row) :], strict=True):
            mark = mark_of(column)
            if data is None or bytes(data).startswith(envelope.header(ring.newest("seal"))):
                continue
            places = (*mark.place, *(told(named[name]) for name in mark.row))
            try:
                plain = opened(ring, mark, bytes(data), places)
            except SealBroken:
                where = f"{self.table.fullname}.{column.name}"
                progress.broken[where] = progress.broken.get(where, 0) + 1
                continue
            new = envelope.seal(ring, plain, places)
            unchanged = type_coerce(column, LargeBinary) == literal(bytes(data), LargeBinary)
            named_row = [c == literal(v, c.type) for c, v in zip(self._key, key, strict=True)]
            done = connection.execute(
                update(self.table)
                .where(and_(*named_row, *self._own(tenancy, context)), unchanged)
                .values({column: literal(new, LargeBinary)})
            )
            progress.resealed += done.rowcount
            progress.overtaken += 1 - done.rowcount


def opened(ring: Ring, mark: Encrypted, data: bytes, places: tuple[str, ...]) -> bytes:
    """What stands in a column, as bytes.

    Raises:
        SealBroken: when it is not the tenant's there; also for plaintext in a column that is not
            migrating.
    """
    if mark.migrating and not envelope.looks_sealed(data):
        return data
    return envelope.open_(ring, data, places)


def mark_of(column: Column[Any]) -> Encrypted:
    """What an encrypted column is."""
    assert isinstance(column.type, Encrypted)  # noqa: S101 - so the caller chose
    return column.type


def typed(column: Column[Any], tenant_id: str) -> Any:
    """The tenant's id as its column has it."""
    made = getattr(column.type, "python_type", str)
    return tenant_id if made is str else made(tenant_id)
