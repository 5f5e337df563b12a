"""Enter a tenant and leave it again, on any driver: the thin shell around the plans.

A transaction begins with one message: BEGIN and the context. It ends with one: COMMIT or ROLLBACK,
and the check-in that takes back what it could have left. Whatever stops half-way poisons its
connection, which is then closed and never lent again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from partywall.errors import MissingTenant, PartywallError, UnknownTenant, WallError
from partywall.isolation.plan import SWITCH
from partywall.runtime.forks import hold, inherited
from partywall.runtime.lease import FOOTPRINT, KEY, Footprint, Lease

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Info = MutableMapping[Any, Any]

NO_SUCH_SCHEMA = "3F000"
NO_SUCH_ROLE = "22023"
"""What SET ROLE says of the role of a tenant that was removed: only its tombstone is there."""

IN_FAILED_TRANSACTION = "25P02"
FAILED = (
    "a statement of this transaction failed, so that nothing of it can be committed: let "
    "its error pass, or put the statement that may fail into a savepoint"
)
STOPPED = (
    "this connection was stopped half-way, and nothing more is done on it: let the error that "
    "stopped it end the block"
)


class Wire(Protocol):
    """What entering needs of a driver's connection."""

    pooled_per_transaction: bool
    """Whether a proxy may put each transaction on another server session."""

    keeps_statements: bool
    """Whether the driver prepares statements and executes them again in later transactions."""

    check_in: tuple[str, ...]
    """What takes back all that a transaction could have left in its session."""

    committing: tuple[str, ...]
    """What commits, and fails where the transaction has failed and `failed` can't tell."""

    overlapping: bool
    """Whether the answer to entering is waited for when the first statement needs it."""

    def overlap(self, connection: Any, statements: tuple[str, ...], entry: Entry) -> None:
        """Send the message that enters, and leave its answer to whoever speaks next."""

    def settle(self, connection: Any) -> None:
        """Wait for the answer to what `overlap` sent, if nobody has."""

    def forget(self, connection: Any) -> None:
        """Have the driver forget what it has prepared, since the server is told to, and heard."""

    def lend(self, connection: Any, lease: Lease | None) -> None:
        """Tell the driver's connection to whom it is lent from now on."""

    def send(
        self,
        connection: Any,
        statements: tuple[str, ...],
        *,
        valued: bool = False,
    ) -> str | None:
        """Execute *statements* in one message; where *valued*, the last one's only value."""

    def failed(self, connection: Any) -> bool:
        """Whether the open transaction has failed, as far as the driver knows."""

    def post(self, connection: Any, statements: tuple[str, ...]) -> None:
        """Send *statements* in one message, and don't wait for the answer."""

    def receive(self, connection: Any) -> str | None:
        """Wait for the answer to what was posted, and raise what the server raised."""

    def in_transaction(self, connection: Any) -> bool:
        """Whether a transaction, also a failed one, is open, as the driver knows."""


def footprint(info: Info) -> Footprint:
    """The footprint of the connection that *info* belongs to."""
    found = info.get(FOOTPRINT)
    if found is None:
        found = info[FOOTPRINT] = Footprint()
    assert isinstance(found, Footprint)  # noqa: S101 - nobody else writes there
    return found


def lease_of(info: Info) -> Lease:
    """The lease under which the connection is borrowed.

    Raises:
        MissingTenant: when there is none: nobody begins without a tenant.
    """
    lease = info.get(KEY)
    if not isinstance(lease, Lease):
        raise MissingTenant(
            "a transaction can't begin without a tenant: get the connection from "
            "tenancy.session(context) or tenancy.connection(context)"
        )
    return lease


def begin(wire: Wire, connection: Any, info: Info) -> None:
    """Begin the transaction of the lease's tenant, in one message.

    Raises:
        MissingTenant: without a lease.
        UnknownTenant: when the tenant's schema does not exist.
    """
    hold(connection)
    lease = lease_of(info)
    entry = Entry(lease, footprint(info))
    try:
        statements = opening(wire, connection, entry.seen, lease)
        if wire.overlapping:
            wire.overlap(connection, statements, entry)
            return
        wire.send(connection, statements)
    except BaseException as error:
        entry.failed(error)
        raise
    entry.answered()


class Entry:
    """One entering of a tenant, from the message to its answer."""

    __slots__ = ("lease", "seen", "started")

    def __init__(self, lease: Lease, seen: Footprint) -> None:
        self.lease, self.seen = lease, seen
        self.started = time.perf_counter() if lease.observer is not None else 0.0

    def hold(self) -> None:
        """Refuse to go on after a failure: the server may have begun no transaction.

        Raises:
            WallError: when entering has failed.
        """
        if self.seen.poisoned:
            raise WallError(STOPPED)

    def failed(self, error: BaseException) -> None:
        """Poison the connection: whatever fails half-way leaves it in the middle of something.

        Raises:
            UnknownTenant: when *error* says that the tenant has no schema, or no role.
        """
        self.seen.poisoned = True
        if getattr(error, "sqlstate", None) in {NO_SUCH_SCHEMA, NO_SUCH_ROLE}:
            unknown = UnknownTenant("the tenant has no schema in this database: provision it first")
            refused(self.lease, unknown)
            raise unknown from error

    def answered(self) -> None:
        """Tell the observer how long it took."""
        observer = self.lease.observer
        if observer is not None:
            observer.entered(self.lease.context, time.perf_counter() - self.started)


def opening(wire: Wire, connection: Any, seen: Footprint, lease: Lease) -> tuple[str, ...]:
    """The statements that begin and enter, for a connection that is the tenant's from now on.

    Asks for a challenge first where one is needed and none at hand.
    """
    if seen.pending:
        seen.pending = False
        wire.receive(connection)
    another = wire.keeps_statements and seen.tenant not in (None, lease.tenant)
    if another:
        wire.forget(connection)
    seen.dirty = True
    seen.tenant = lease.tenant
    if lease.model.tenants_per_connection is not None:
        seen.served.add(lease.tenant)
    wire.lend(connection, lease)
    first = (SWITCH, *lease.opening) if another else lease.opening
    model, context = lease.model, lease.context
    if context is None or not model.challenge:
        return first
    if wire.pooled_per_transaction:
        # The answer must reach the server session that asked, which only this transaction holds.
        asked = wire.send(connection, (*first, model.challenge), valued=True)
        return model.prove(context, str(asked))
    asked = seen.challenge or wire.send(connection, (model.challenge,), valued=True)
    seen.challenge = ""
    return (*first, *model.prove(context, str(asked)))


def end(wire: Wire, connection: Any, info: Info, *, verb: str) -> None:
    """Commit or roll back, and check in, in one message; nothing where nothing began.

    Args:
        wire: how to speak to the driver.
        connection: the driver's connection.
        info: its `.info`.
        verb: COMMIT or ROLLBACK.

    Raises:
        WallError: when a statement failed, its error was swallowed, and the rest was to be
            committed: the server would answer with a rollback and no error. So also after what
            stopped the connection half-way, and in a forked child for its parent's transaction.
    """
    if verb == "COMMIT":
        hold(connection)
    if inherited(connection):  # what there is to roll back is the parent's
        return
    seen = footprint(info)
    if seen.poisoned:
        if verb == "COMMIT":
            raise WallError(STOPPED)
        return
    wire.settle(connection)
    open_ = wire.in_transaction(connection)
    if seen.pending or not (seen.dirty or open_):
        return
    if verb == "COMMIT" and wire.failed(connection):
        raise WallError(FAILED)
    statements, asking = closing(wire, info.get(KEY), verb=verb, open_=open_)
    seen.challenge = ""
    try:
        answer = wire.send(connection, statements, valued=asking)
    except BaseException as error:
        # After a commit that the server refused the check-in did not run: as the connection is
        # still dirty, it goes with the rollback that follows. A cancelled one is closed.
        seen.poisoned = not isinstance(error, Exception)
        if verb == "COMMIT" and getattr(error, "sqlstate", None) == IN_FAILED_TRANSACTION:
            raise WallError(FAILED) from error
        raise
    seen.dirty = False
    if asking:
        seen.challenge = str(answer)


def closing(wire: Wire, lease: object, *, verb: str, open_: bool) -> tuple[tuple[str, ...], bool]:
    """The statements that end a transaction and check in; and whether the last one has a value."""
    statements: tuple[str, ...] = ()
    if open_:
        statements = wire.committing if verb == "COMMIT" else (verb,)
    statements += wire.check_in
    if not isinstance(lease, Lease):
        return statements, False
    statements += lease.ending
    if not lease.model.challenge or wire.pooled_per_transaction:
        return statements, False
    return (*statements, lease.model.challenge), True


def refused(lease: Lease, error: PartywallError) -> None:
    """Tell the observer what was refused."""
    if lease.observer is not None:
        lease.observer.refused(lease.context, error)
