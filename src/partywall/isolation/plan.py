"""What every isolation model answers: pure values that the runtime executes. No I/O here."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from partywall.context import TenantContext

CHECK_IN = (
    "RESET ROLE",
    "RESET ALL",
    "CLOSE ALL",
    "UNLISTEN *",
    "DISCARD TEMP",
    "DISCARD SEQUENCES",
    "SELECT pg_advisory_unlock_all()",
)
"""What a transaction could have left in a session of PostgreSQL, taken back.

DISCARD ALL can't share a message with COMMIT, and would throw away the driver's own prepared
statements; those go when the next tenant is another one (`SWITCH`).
https://www.postgresql.org/docs/current/sql-discard.html
"""

SWITCH = "DEALLOCATE ALL"
"""Sent before another tenant enters: a statement prepared by the last one, perhaps under the name
that the driver will use next, must not be there to be executed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tenant's data lies when each tenant has a place of its own.

    Attributes:
        name: unique among all tenants; what pools are kept by.
        server: names the server of the fleet, "" for the one in `Tenancy`'s url.
        database: the database, or for SQLite the path of the file; "" for the one in the url.
        role: the login of its own that the tenant's database has, "" for the url's.
    """

    name: str
    server: str = ""
    database: str = ""
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class IsolationModel(ABC):
    """How the walls are built; `Tenancy` is given one of its five subclasses.

    Attributes:
        tenants_per_connection: after so many distinct tenants a pooled connection is closed, since
            a backend keeps what it has learnt of every schema it has seen; None: never.
    """

    dialects: ClassVar[frozenset[str]]
    """The databases it works on: `postgresql`, `sqlite`."""

    tenants_per_connection: int | None = None

    def enter(self, context: TenantContext) -> tuple[str, ...]:
        """The statements that follow BEGIN in the same message, each valid until COMMIT."""
        del context
        return ()

    def place(self, context: TenantContext) -> Place | None:
        """The tenant's own place, or None where all share one database."""
        del context
        return None

    @property
    def challenge(self) -> str:
        """The query that fetches what `prove` must answer; "" where entering needs no proof."""
        return ""

    def prove(self, context: TenantContext, challenge: str) -> tuple[str, ...]:
        """As `enter`, with a proof of the right to, which holds for one transaction."""
        del challenge
        return self.enter(context)

    def settings(self) -> dict[str, str]:
        """Settings that a new connection starts with, and that RESET ALL returns to."""
        return {}
