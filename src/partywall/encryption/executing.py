"""Seals what goes to the database and opens what comes from it, where the tenant is known.

SQLAlchemy makes an `ExecutionContext` for each statement, which knows the connection, and the
connection its tenant. Ours seals the parameters before the driver gets them and opens the rows as
they come. https://docs.sqlalchemy.org/en/21/core/internals.html#sqlalchemy.engine.ExecutionContext
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.util import await_only

from partywall.encryption import envelope
from partywall.encryption.columns import BlindIndex, Encrypted, Opened, SealedBySessionsOnly
from partywall.encryption.statements import plan_of, told
from partywall.errors import MissingTenant, NotSealed, UnsafeLogin
from partywall.runtime.entering import lease_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

    from partywall.control.data_keys import Purpose
    from partywall.encryption.keyring import Keyring
    from partywall.encryption.ring import Ring
    from partywall.encryption.statements import Plan

EXPOSED = """
SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'partywall' AND c.relname = 'data_keys' AND has_schema_privilege(n.oid, 'USAGE')
  AND (has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
    OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE'))
"""


def guard(engine: Engine, keyring: Keyring) -> None:
    """Have the columns of `partywall.encryption.columns` sealed and opened on *engine*.

    Its errors don't quote parameters any more: they may be what is to be sealed.

    Raises (when connecting):
        UnsafeLogin: when the login may read or change the wrapped keys.
    """
    known = engine.dialect.execution_ctx_cls
    named: dict[str, Any] = {"keyring": keyring}
    mixed = type(f"Sealing{known.__name__}", (SealingContext, known), named)
    engine.dialect.execution_ctx_cls = mixed
    engine.hide_parameters = True
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", Walled())


class Walled:
    """Asks the server, at the first connection, whether the login could reach the wrapped keys."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, connection: DBAPIConnection, _: object) -> None:
        """Ask, once.

        Raises:
            UnsafeLogin: when it could.
        """
        if self._asked:
            return
        cursor = connection.cursor()
        try:
            cursor.execute(EXPOSED)
            exposed = cursor.fetchone()
        finally:
            cursor.close()
        if exposed:
            raise UnsafeLogin(
                "the application's login may read or change partywall.data_keys, the tenants' "
                "wrapped keys: give the control plane a login of its own, and "
                "REVOKE ALL ON partywall.data_keys FROM this one"
            )
        self._asked = True


class SealingContext:
    """What an `ExecutionContext` does more; to be mixed in before the dialect's own."""

    keyring: Keyring

    def pre_exec(self: Any) -> None:
        """Seal the parameters."""
        super().pre_exec()  # type: ignore[misc]  # the dialect's own
        plan = plan_of(self.compiled)
        if not plan.writes and not plan.hashes:
            return
        seals = ring_for(self, "seal") if plan.writes else None
        hashes = ring_for(self, "index") if plan.hashes else None
        sealer = Sealer(plan, seals, hashes)
        self.parameters = [
            sealer.sealed(given, raw)
            for given, raw in zip(self.parameters, self.compiled_parameters, strict=True)
        ]

    def post_exec(self: Any) -> None:
        """Open the rows, as they are fetched."""
        super().post_exec()  # type: ignore[misc]  # as above
        plan = plan_of(self.compiled)
        if not plan.reads or self.cursor.description is None:
            return
        ring, given = ring_for(self, None), self.compiled_parameters[0]
        opened = Opener(plan, ring, self.processors(plan), given).opened
        if self._insertmanyvalues_rows is not None:
            self._insertmanyvalues_rows = opened(self._insertmanyvalues_rows)
        elif self.dialect.is_async and not self._is_server_side:
            # Now, where a key that must be fetched can be awaited.
            rows = opened(self.cursor.fetchall())
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, initial_buffer=rows
            )
        else:
            self.cursor = OpeningCursor(self.cursor, opened)

    def processors(self: Any, plan: Plan) -> dict[int, Callable[[Any], Any]]:
        """What makes the values of columns that tell rows into those that were written."""
        described = self.cursor.description
        found = {
            at: self.get_result_processor(type_, described[at][0], described[at][1])
            for at, type_ in plan.types.items()
        }
        return {at: process for at, process in found.items() if process is not None}


def ring_for(context: Any, make: Purpose | None) -> Ring:
    """The keys of the tenant whose transaction this is.

    Raises:
        MissingTenant: when it is every tenant's, or nobody's.
    """
    lease = lease_of(context.root_connection.connection.info)
    if lease.context is None:
        raise MissingTenant(
            "a session of every tenant can't seal or open anything: use the tenant's own, "
            "tenancy.session(context)"
        )
    keyring, tenant = context.keyring, lease.tenant
    found: Ring | None = keyring.kept(tenant, make=make)
    if found is not None:
        return found
    load = partial(keyring.ring, tenant, make=make)
    ring: Ring = await_only(asyncio.to_thread(load)) if context.dialect.is_async else load()
    return ring


class Sealer:
    """Seals the parameters of one statement.

    Args:
        plan: of the statement.
        seals: the keys that seal, where something is sealed.
        hashes: the keys of blind indexes, where there are any.
    """

    def __init__(self, plan: Plan, seals: Ring | None, hashes: Ring | None) -> None:
        self._plan, self._seals, self._hashes = plan, seals, hashes

    def sealed(self, given: Any, raw: Mapping[str, Any]) -> Any:
        """One row's parameters, as the driver gets them; *raw* is by name and as it was given."""
        if isinstance(given, dict):
            return {name: self._one(value, name, raw) for name, value in given.items()}
        names = iter(self._plan.order)
        return tuple(
            self._one(value, next(names) if encrypted(value) else "", raw) for value in given
        )

    def _one(self, value: Any, name: str, raw: Mapping[str, Any]) -> Any:
        if not isinstance(value, SealedBySessionsOnly):
            return value
        mark, plain = value.mark, value.value
        if plain is None:
            return None
        if isinstance(mark, BlindIndex):
            assert self._hashes is not None  # noqa: S101 - the plan says so
            key = self._hashes.newest("index")
            where = envelope.place(self._hashes.tenant_id, *mark.place)
            return key.mac(where + mark.written(plain))[: mark.size]
        assert isinstance(mark, Encrypted)  # noqa: S101 - there are two
        assert self._seals is not None  # noqa: S101 - the plan says so
        row = [told(raw[each]) for each in self._plan.writes[name]]
        return envelope.seal(self._seals, mark.written(plain), (*mark.place, *row))


def encrypted(value: object) -> bool:
    """Whether this is to be sealed."""
    return isinstance(value, SealedBySessionsOnly) and isinstance(value.mark, Encrypted)


class Opener:
    """Opens the encrypted columns of rows.

    Args:
        plan: of the statement.
        ring: the tenant's keys.
        processors: what makes the values that tell rows, by place.
        given: the statement's parameters.
    """

    def __init__(
        self,
        plan: Plan,
        ring: Ring,
        processors: Mapping[int, Callable[[Any], Any]],
        given: Mapping[str, Any],
    ) -> None:
        self._plan, self._ring, self._processors, self._given = plan, ring, processors, given

    def opened(self, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """The same rows.

        Raises:
            SealBroken: when a value was not sealed for this tenant, column and row.
            NotSealed: when it was not sealed at all.
        """
        return [self._row(row) for row in rows]

    def _row(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for reading in self._plan.reads:
            data = row[reading.at]
            if data is None:
                continue
            names = [told(self._named(row, at)) for at in reading.row]
            values[reading.at] = Opened(self._value(reading.mark, bytes(data), names))
        return tuple(values)

    def _named(self, row: Sequence[Any], at: int | str) -> Any:
        if isinstance(at, str):
            return self._given[at]
        return self._processors[at](row[at]) if at in self._processors else row[at]

    def _value(self, mark: Encrypted, data: bytes, row: list[str]) -> object:
        if not envelope.looks_sealed(data):
            if mark.migrating:
                return mark.read(data)
            raise NotSealed(
                f"plaintext stands in {mark.place[1]}, which is encrypted: mark it "
                "Encrypted(…, migrating=True) and run reseal, or find out who wrote it"
            )
        return mark.read(envelope.open_(self._ring, data, (*mark.place, *row)))


class OpeningCursor:
    """A driver's cursor whose rows are opened as they are fetched."""

    def __init__(
        self, cursor: Any, opened: Callable[[Iterable[Sequence[Any]]], list[tuple[Any, ...]]]
    ) -> None:
        self._cursor, self._opened = cursor, opened

    def fetchone(self) -> Any:
        """The next row."""
        row = self._cursor.fetchone()
        return None if row is None else self._opened([row])[0]

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows."""
        return self._opened(
            self._cursor.fetchmany() if size is None else self._cursor.fetchmany(size)
        )

    def fetchall(self) -> Any:
        """The rows that are left."""
        return self._opened(self._cursor.fetchall())

    def __getattr__(self, name: str) -> Any:
        """All else is the driver's."""
        return getattr(self._cursor, name)
