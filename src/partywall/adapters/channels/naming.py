"""What a channel is: a name of the application's, of one tenant.

The same name in two tenants is two channels. Nothing here matches: a name is compared as a whole,
so that there is no pattern to subscribe to, and what could be one to a broker is no name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.context import TenantContext, required
from partywall.errors import InvalidChannel

if TYPE_CHECKING:
    from typing import Self

PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.:@-]*[A-Za-z0-9_])?"
NAME = re.compile(rf"{PART}(?:/{PART})*\Z")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Topic:
    """A channel of a tenant.

    Attributes:
        tenant_id: whose; it has no slash in it (`partywall.context.ID`).
        name: what the application calls it.
    """

    tenant_id: str
    name: str

    @classmethod
    def of(cls, context: TenantContext, name: str) -> Self:
        """The channel *name* of the context's tenant.

        Raises:
            InvalidChannel: for what is no name; the message doesn't repeat it.
            MissingTenant: without a context.
        """
        whose = required(context, "a channel is a tenant's: give the TenantContext whose it is")
        return cls(whose.tenant_id, named(name))

    @property
    def path(self) -> str:
        """Both in one text, which no other channel has: a tenant's id has no slash."""
        return f"{self.tenant_id}/{self.name}"


def named(name: Any) -> str:
    """A channel's name.

    Raises:
        InvalidChannel: for what is none.
    """
    if isinstance(name, str) and len(name) <= LONGEST and NAME.match(name):
        return str.__str__(name)
    raise InvalidChannel(
        f"this is no channel's name: give parts of ASCII letters, digits and any of _ . : @ - "
        f"between them, divided by single slashes, {LONGEST} characters at most"
    )
