"""What a borrowed connection is lent for, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from partywall.context import TenantContext
    from partywall.isolation.plan import IsolationModel
    from partywall.runtime.events import Observer

KEY = "partywall_lease"
"""The execution option that carries a lease to its connection, and its place in `.info` there."""

FOOTPRINT = "partywall_footprint"
"""The place of a connection's footprint in its `.info`."""


IsolationLevel = Literal["", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


class Wishes(TypedDict, total=False):
    """What a session or a connection may be asked for, besides the tenant."""

    read_only: bool
    """Begin READ ONLY, on the replica where there is one."""
    not_before: str
    """A position that `Tenancy.position` gave: a replica must have come so far, or the session
    goes to the primary. So one reads one's own writes."""
    isolation_level: IsolationLevel
    """Of its transactions; "" for the server's default."""


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """For whom a connection was borrowed.

    Attributes:
        model: how the tenant is entered.
        context: the tenant; None only with *unscoped_reason*.
        begin: the statements that begin its transactions, `BEGIN READ ONLY` for instance.
        ending: what takes back of them what outlives the transaction.
        unscoped_reason: why this lease may see every tenant (`Tenancy.every_tenant`).
        observer: who is told how long entering took.
        tenant: the id of the tenant, "" for every tenant.
        opening: the statements that begin and enter, where entering needs no proof.
    """

    model: IsolationModel
    context: TenantContext | None
    begin: tuple[str, ...] = ("BEGIN",)
    ending: tuple[str, ...] = ()
    unscoped_reason: str = ""
    observer: Observer | None = None
    tenant: str = field(init=False)
    opening: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every transaction of the lease says again."""
        context = self.context
        entered = () if context is None or self.model.challenge else self.model.enter(context)
        object.__setattr__(self, "tenant", "" if context is None else context.tenant_id)
        object.__setattr__(self, "opening", (*self.begin, *entered))


@dataclass(slots=True)
class Footprint:
    """What a pooled connection carries from one lease to the next.

    Attributes:
        tenant: who used it last; None before anybody did.
        served: the tenants it has served since it was opened.
        dirty: whether anybody could have used it since the last check-in.
        pending: whether the answer to a check-in was not waited for (`Tenancy.batch`).
        poisoned: whether something stopped half-way: it is closed, and not lent again.
        challenge: what the server wants answered when the next tenant enters (sealed contexts).
    """

    tenant: str | None = None
    served: set[str] = field(default_factory=set)
    dirty: bool = True
    pending: bool = False
    poisoned: bool = False
    challenge: str = ""
