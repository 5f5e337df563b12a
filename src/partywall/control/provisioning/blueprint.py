"""What a tenant's place is furnished with: tables, compiled once and replayed for each tenant."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, MetaData
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.sql.ddl import SchemaGenerator

from partywall.errors import ConfigurationError, WorkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Dialect, Table

    Schema: TypeAlias = MetaData | Callable[[Connection], object]

BY_FUNCTION = "function"
"""What stands for the tables where a function makes them and nobody says which version it is."""


class Blueprint:
    """The tables that each tenant gets.

    Args:
        schema: SQLAlchemy's metadata, or a function that makes the tables on a connection: a
            migration. It is called in a transaction, with the tenant's place as the only one that
            names resolve to; it must leave the transaction open.
        dialect: of the database they are made in, as it is once connected.
        own: whether a table that names its schema is left out, as one of all tenants.
        version: names what a function makes; another version makes another place.
    """

    def __init__(
        self,
        schema: Schema,
        dialect: Callable[[], Dialect],
        *,
        own: bool = True,
        version: str = "",
    ) -> None:
        self.schema = schema
        self._dialect = dialect
        self._own = own
        self._version = version

    @property
    def known(self) -> bool:
        """Whether two places with the same digest are the same."""
        return isinstance(self.schema, MetaData) or bool(self._version)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tenant's tables, those that others refer to first; () where a function makes them."""
        if not isinstance(self.schema, MetaData):
            return ()
        return tuple(t for t in self.schema.sorted_tables if not self._own or t.schema is None)

    def run(self, connection: Connection) -> None:
        """Have the function make the tables; nothing for a metadata.

        Raises:
            WorkError: when it ends the transaction.
        """
        if isinstance(self.schema, MetaData):
            return
        self.schema(connection)
        if not connection.in_transaction():
            raise WorkError("the function that makes the tables must leave the transaction open")

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """The SQL that makes the tables of a metadata; () where a function does.

        Raises:
            ConfigurationError: when a listener of the metadata needs a real connection.
        """
        if not isinstance(self.schema, MetaData):
            return ()
        recorder = Recorder(self._dialect())
        generator = SchemaGenerator(  # type: ignore[no-untyped-call]  # SQLAlchemy's own
            recorder.dialect, recorder, checkfirst=False, tables=list(self.tables)
        )
        generator.traverse_single(self.schema)
        return tuple(recorder.statements)

    @cached_property
    def digest(self) -> str:
        """Names what is made: places with the same one have the same tables."""
        if not self.known:
            return BY_FUNCTION
        said = "\n".join(self.statements) or f"{BY_FUNCTION} {self._version}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class Recorder(MockConnection):
    """Stands in for a connection while a metadata says what it would create."""

    def __init__(self, dialect: Dialect) -> None:
        self.statements: list[str] = []
        super().__init__(dialect, self._note)

    def exec_driver_sql(self, statement: str) -> None:
        """Note a statement as a driver gets it, which reads %% as %."""
        pyformat = self.dialect.paramstyle in {"format", "pyformat"}
        self.statements.append(statement.replace("%%", "%") if pyformat else statement)

    def _note(self, element: Any, _: object) -> None:  # noqa: ANN401 - what SQLAlchemy would execute
        self.exec_driver_sql(str(element.compile(dialect=self.dialect)))

    def __getattr__(self, name: str) -> object:
        """Refuse what only a real connection can do.

        Raises:
            ConfigurationError: always, but for what Python itself asks for.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        raise ConfigurationError(
            f"a listener of the metadata asks its connection for {name!r}, and can't be replayed "
            "for each tenant: give Building(schema=…) a function that makes the tables"
        )
