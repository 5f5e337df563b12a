"""How much sockets and streams may take, and who has how many."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from partywall.errors import ConfigurationError, QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.context import TenantContext

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process grants.

    Attributes:
        per_tenant: sockets and streams of a tenant.
        per_user: those of a user in a tenant; of "", the application itself, there is no such
            limit.
        channels: that one of them joins.
        waiting: messages that wait to be sent to one; with one more it is closed.
        message_bytes: of a message, in and out; None for what the broker carries.
        idle_s: it ends after so long without a message in either direction; None for never.
        stall_s: for so long the network may take nothing.
    """

    per_tenant: int = 1000
    per_user: int = 20
    channels: int = 50
    waiting: int = 100
    message_bytes: int | None = None
    idle_s: float | None = None
    stall_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what lets nobody in.

        Raises:
            ConfigurationError: for a limit that is not positive.
        """
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and value <= 0:
                raise ConfigurationError(f"Limits({each.name}={value}): a limit is positive")


class Seats:
    """Counts who is here."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tenants: Counter[str] = Counter()
        self._users: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def taken(self, context: TenantContext) -> Iterator[None]:
        """One more, for the block.

        Raises:
            QuotaExceeded: when there are as many as may be.
        """
        tenant, user = context.tenant_id, (context.tenant_id, context.user_id)
        if self._tenants[tenant] >= self._limits.per_tenant:
            raise QuotaExceeded("the tenant has as many sockets as it may", kind="sockets")
        if context.user_id and self._users[user] >= self._limits.per_user:
            raise QuotaExceeded("the user has as many sockets as one may", kind="sockets_of_a_user")
        self._tenants[tenant] += 1
        self._users[user] += 1
        try:
            yield
        finally:
            given_back(self._tenants, tenant)
            given_back(self._users, user)


def given_back(counter: Counter[K], key: K) -> None:
    """One less; who has none left is forgotten."""
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
