"""WebSockets and server-sent events that stay with their tenant, for Starlette and FastAPI.

What ends a socket is told by its code, which says what the client is to do:

====  ==================================================================================
1000  the handler has come to its end
1001  the server stops: connect again
1003  a binary message, or
1007  one that is no JSON: mend the client
1009  a message that is too large: mend the client
1013  messages may have been missed (too slow, a broker or a control plane that was lost):
      connect again after a pause, and read anew what is shown
4401  the credential holds no longer: get another one, connect again
4403  the membership has ended, or the tenant is suspended: don't come back
4408  nothing was said or heard for too long
====  ==================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError

try:
    import starlette  # noqa: F401 - asked for here, so that its absence is named once
except ModuleNotFoundError as error:
    if error.name != "starlette":
        raise
    raise ConfigurationError(
        "partywall.adapters.channels needs Starlette: pip install 'partywall[fastapi]'"
    ) from error

from partywall.adapters.channels.brokers import Broker, MemoryBroker
from partywall.adapters.channels.channels import Channels
from partywall.adapters.channels.limits import Limits
from partywall.adapters.channels.sockets import TenantSocket
from partywall.adapters.channels.streams import EventStream
from partywall.adapters.late import late

if TYPE_CHECKING:
    from partywall.adapters.channels.brokers.postgres import PostgresBroker
    from partywall.adapters.channels.brokers.redis import RedisBroker

__all__ = [
    "Broker",
    "Channels",
    "EventStream",
    "Limits",
    "MemoryBroker",
    "PostgresBroker",
    "RedisBroker",
    "TenantSocket",
]

__getattr__ = late(__name__, {"PostgresBroker": "brokers.postgres", "RedisBroker": "brokers.redis"})
