"""What the dialects share: who may begin, and how a transaction begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.isolation.plan import CHECK_IN
from partywall.runtime import entering, forks
from partywall.runtime.lease import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL, Connection, Dialect
    from sqlalchemy.pool import PoolProxiedConnection

    from partywall.runtime.lease import Lease

OURS = frozenset({KEY, "identity_token"})


class Walled:
    """The part that all share: who may begin, and how a transaction begins and ends."""

    pooled_per_transaction = False
    keeps_statements = False
    overlapping = False
    check_in: tuple[str, ...] = CHECK_IN
    committing: tuple[str, ...] = ("COMMIT",)

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> type[Dialect]:
        """This class: SQLAlchemy's would go back to a dialect without walls."""
        del url
        return cls  # type: ignore[return-value]  # a mixin of dialects

    def set_connection_execution_options(
        self, connection: Connection, opts: Mapping[str, Any]
    ) -> None:
        """Take the lease from the options to the connection's `.info`, and allow no autocommit."""
        if "isolation_level" in opts:
            raise ConfigurationError(
                "a tenant's connection can't change its isolation level: pass it on, "
                'as in tenancy.session(context, isolation_level="SERIALIZABLE")'
            )
        if KEY in opts:
            connection.connection.info[KEY] = opts[KEY]
        if opts.keys() <= OURS:
            return
        super().set_connection_execution_options(connection, opts)  # type: ignore[misc]  # a mixin

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Begin and enter, in one message."""
        entering.begin(self, dbapi_connection.dbapi_connection, dbapi_connection.info)

    def do_commit(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Commit and check in, in one message."""
        entering.end(self, dbapi_connection.dbapi_connection, dbapi_connection.info, verb="COMMIT")

    def do_rollback(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Roll back and check in; what the pool calls for every connection that comes back."""
        try:
            info = dbapi_connection.info
        except NotImplementedError:
            # SQLAlchemy's own first look at a server, in autocommit and before any lease.
            return
        entering.end(self, dbapi_connection.dbapi_connection, info, verb="ROLLBACK")

    def do_close(self, dbapi_connection: Any) -> None:
        """Close, unless a fork's parent is still using it."""
        if not forks.inherited(dbapi_connection):
            super().do_close(dbapi_connection)  # type: ignore[misc]  # a mixin

    def do_terminate(self, dbapi_connection: Any) -> None:
        """Close without ceremony, unless a fork's parent is still using it."""
        if not forks.inherited(dbapi_connection):
            super().do_terminate(dbapi_connection)  # type: ignore[misc]  # a mixin

    def do_begin_twophase(self, connection: Connection, xid: Any) -> None:
        """Refuse: a prepared transaction outlives the session, and with it the tenant."""
        del connection, xid
        raise ConfigurationError("two-phase transactions outlive their tenant's session: not here")

    def overlap(self, connection: Any, statements: tuple[str, ...], entry: entering.Entry) -> None:
        """Send the message that enters, and leave its answer to whoever speaks next."""
        raise NotImplementedError

    def settle(self, connection: Any) -> None:
        """Wait for the answer to what `overlap` sent, if nobody has."""

    def forget(self, connection: Any) -> None:
        """Have the driver forget what it has prepared, since the server is told to."""

    def lend(self, connection: Any, lease: Lease | None) -> None:
        """Tell the driver's connection to whom it is lent from now on."""

    def send(
        self, connection: Any, statements: tuple[str, ...], *, valued: bool = False
    ) -> str | None:
        """Execute *statements* in one message; where *valued*, the last one's only value."""
        raise NotImplementedError

    def failed(self, connection: Any) -> bool:
        """Whether the open transaction has failed; asyncpg doesn't tell, SQLite's never do."""
        del connection
        return False

    def post(self, connection: Any, statements: tuple[str, ...]) -> None:
        """Send *statements* and don't wait; only psycopg can."""
        raise NotImplementedError

    def receive(self, connection: Any) -> str | None:
        """Wait for the answer to what was posted: its last value."""
        raise NotImplementedError

    def in_transaction(self, connection: Any) -> bool:
        """Whether a transaction, also a failed one, is open."""
        raise NotImplementedError
