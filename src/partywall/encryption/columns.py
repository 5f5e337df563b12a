"""Marks for columns: what is sealed, and what finds it again.

A type of SQLAlchemy knows neither connection nor tenant. So these two hand on what they are given,
and the connection seals and opens it: see `partywall.encryption.executing`. Without one that does,
the driver refuses what it gets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Column, LargeBinary, Table
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from partywall.errors import ConfigurationError, MissingTenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Dialect
    from sqlalchemy.sql.base import SchemaEventTarget

Form = Literal["text", "json", "bytes"]


class SealedBySessionsOnly:
    """A value on its way to be sealed; a driver that meets it has no keyring, and refuses it."""

    __slots__ = ("mark", "value")

    def __init__(self, mark: Marked, value: object) -> None:
        self.mark, self.value = mark, value

    def __repr__(self) -> str:
        """Nothing of it."""
        return "<sealed by tenancy.session(context) only>"


@dataclass(frozen=True, slots=True)
class Opened:
    """A value that the connection has opened."""

    value: object


UNLIKENED = (
    "a database can't compare or sort what is sealed: give the table a column BlindIndex(…) beside "
    "it and compare that, or filter what was loaded"
)


class Unlikened(TypeDecorator.Comparator[Any]):
    """Refuses comparisons, which a database can't make of what is sealed."""

    def operate(self, op: Any, *other: Any, **options: Any) -> Any:
        """IS NULL; and `==`, by which SQLAlchemy itself tells columns apart: it's never compiled.

        Raises:
            ConfigurationError: for any other operator.
        """
        if op in {operators.is_, operators.is_not, operators.eq, operators.ne}:
            return super().operate(op, *other, **options)
        raise ConfigurationError(UNLIKENED)


class Marked(TypeDecorator[Any]):
    """A column that the connection fills in."""

    impl = LargeBinary  # type: ignore[mutable-override]  # never set again
    cache_ok = True  # type: ignore[mutable-override]  # as above
    column: Column[Any] | None = None
    _taken = False

    def _set_parent(self, parent: SchemaEventTarget, outer: bool = False, **kw: Any) -> None:  # noqa: FBT001, FBT002 - SQLAlchemy's
        """Learn which column this is: SQLAlchemy's own way for types that must know.

        Raises:
            ConfigurationError: when it is another's already.
        """
        super()._set_parent(parent, outer, **kw)
        if not isinstance(parent, Column):
            return
        if self._taken and self.column is not parent:
            raise ConfigurationError(
                f"one {type(self).__name__}(…) marks one column: write another for the second"
            )
        self.column, self._taken = parent, True

    def copy(self, **kw: Any) -> Any:
        """A mark that can be another column's; a dialect's form of this one stays with its own."""
        copied = super().copy(**kw)
        copied._taken = False  # noqa: SLF001 - its own class
        return copied

    @property
    def table(self) -> Table:
        """The table of its column.

        Raises:
            ConfigurationError: when it marks none.
        """
        if self.column is None or not isinstance(getattr(self.column, "table", None), Table):
            raise ConfigurationError(
                f"{type(self).__name__}(…) marks a column of a table: it can't stand for itself, "
                "in a cast or a parameter"
            )
        table: Table = self.column.table
        return table

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Hand on the value and this mark."""
        del dialect
        return lambda value: SealedBySessionsOnly(self, value)

    def literal_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        """Refuse: it would stand in the statement.

        Raises (when called):
            ConfigurationError: always.
        """
        del dialect

        def refused(value: object) -> str:
            del value
            raise ConfigurationError("what is sealed is never written into a statement's text")

        return refused


class Encrypted(Marked):
    """A column whose values are sealed for the session's tenant; in the database it holds bytes.

    A value can be opened only by its tenant, in its column, and in its row where *row* says so.
    What the application sees is text, or by *form* what JSON can say, or bytes. None stays NULL.

    Args:
        row: names of columns of the same table that never change and that tell its rows apart, as
            `"id"`. They must have a value before the row is inserted (`default=uuid4`), be named in
            the WHERE of an UPDATE, and selected together with this column: the ORM does both.
        form: what the values are.
        name: what the column was called when its first value was sealed, as `table.column`, where
            it has been renamed since.
        migrating: whether plaintext that stands there is taken as it is, until `reseal` has been
            through. It says nothing for its being the tenant's: see docs/limits.md.

    Raises (when a statement is executed):
        MissingTenant: without a tenant.
        SealBroken: when what stands there was sealed for another tenant, column or row, or changed.
        NotSealed: when plaintext stands there.
        ConfigurationError: when a statement doesn't say which row it is about.
    """

    comparator_factory = Unlikened  # type: ignore[mutable-override]  # never set again
    cache_ok = True

    def __init__(
        self, *row: str, form: Form = "text", name: str = "", migrating: bool = False
    ) -> None:
        super().__init__()
        if form not in FORMS:
            raise ConfigurationError(f"form={form!r} is not known: one of {', '.join(FORMS)}")
        self.row, self.form, self.name, self.migrating = row, form, name, migrating

    @property
    def hashable(self) -> bool:  # type: ignore[override]  # of a class attribute
        """Whether its values are, as far as SQLAlchemy must know."""
        return self.form != "json"

    @property
    def place(self) -> tuple[str, ...]:
        """What its values are bound to, but for tenant and row."""
        table = self.table
        assert self.column is not None  # noqa: S101 - `table` made sure
        return ("column", self.name or f"{table.fullname}.{self.column.name}")

    def written(self, value: object) -> bytes:
        """*value* as bytes.

        Raises:
            TypeError: when it is of another form; the message doesn't repeat it.
        """
        return FORMS[self.form][0](value)

    def read(self, data: bytes) -> object:
        """The value that was written as *data*."""
        return FORMS[self.form][1](data)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Take what the connection has opened.

        Raises (when called):
            MissingTenant: when it hasn't.
        """
        del dialect, coltype
        return unsealed


class BlindIndex(Marked):
    """A column that finds an encrypted one again: `where(users.c.email_index == "ann@…")`.

    It holds an HMAC of the value by a key of the tenant's own. Whoever can read the table sees
    which rows of a tenant have the same value, and how often; see docs/limits.md. A statement that
    writes the encrypted column must give this one the same value.

    Args:
        of: the name of the encrypted column, in the same table.
        size: how many bytes it holds. With few, different values are found together, and who reads
            the table can tell less: compare what was loaded.
        fold: brings values into the form in which they are the same: `str.casefold`.
    """

    cache_ok = True

    def __init__(
        self, of: str, *, size: int = 16, fold: Callable[[str], str] | None = None
    ) -> None:
        super().__init__()
        if not 1 <= size <= 32:  # noqa: PLR2004 - an HMAC-SHA256 has 32 bytes
            raise ConfigurationError("a blind index has 1 to 32 bytes")
        self.of, self.size, self.fold = of, size, fold

    @property
    def place(self) -> tuple[str, ...]:
        """What its values are bound to, but for the tenant."""
        source = self.table.c.get(self.of)
        if source is None or not isinstance(source.type, Encrypted):
            raise ConfigurationError(
                f"{self.table.name} has no column {self.of!r} that is Encrypted: BlindIndex(of=…)"
            )
        return ("index", *source.type.place)

    def written(self, value: object) -> bytes:
        """*value* as bytes, folded.

        Raises:
            TypeError: when it is neither text nor bytes.
        """
        if isinstance(value, str):
            return (self.fold(value) if self.fold is not None else value).encode()
        return exact(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """The bytes as they stand there."""
        del dialect, coltype
        return lambda value: None if value is None else bytes(value)


def unsealed(value: object) -> object:
    """What the connection has opened.

    Raises:
        MissingTenant: when it hasn't.
    """
    if value is None:
        return None
    if isinstance(value, Opened):
        return value.value
    raise MissingTenant(
        "an encrypted column is read where nothing opens it: use tenancy.session(context) of a "
        "Tenancy(…, guards=[keyring.guard]), and select the column itself, not what is made of it"
    )


def encoded(value: object) -> bytes:
    """Text as bytes."""
    if not isinstance(value, str):
        raise TypeError(f"this encrypted column holds text, not {type(value).__name__}")
    return value.encode()


def exact(value: object) -> bytes:
    """Bytes as they are."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"this encrypted column holds bytes, not {type(value).__name__}")
    return bytes(value)


def dumped(value: object) -> bytes:
    """JSON as bytes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        raise TypeError("this encrypted column holds what JSON can say, and this is not") from None


FORMS: dict[str, tuple[Callable[[object], bytes], Callable[[bytes], object]]] = {
    "text": (encoded, lambda data: data.decode()),
    "json": (dumped, json.loads),
    "bytes": (exact, lambda data: data),
}
