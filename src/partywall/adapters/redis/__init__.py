"""One tenant's part of a Redis: keys, channels, streams, locks and scripts under its own prefix."""

from partywall.errors import ConfigurationError

try:
    import redis  # noqa: F401 - asked for here, so that its absence is named once
except ModuleNotFoundError as error:
    if error.name != "redis":
        raise
    raise ConfigurationError(
        "partywall.adapters.redis needs redis-py: pip install 'partywall[redis]'"
    ) from error

from partywall.adapters.caching.counts import Counts, Tally
from partywall.adapters.redis.acl import async_create_login, create_login, login_rules
from partywall.adapters.redis.asynchronous import AsyncTenantCache, AsyncTenantPipeline
from partywall.adapters.redis.cache import TenantCache, TenantPipeline
from partywall.adapters.redis.keyspace import Key, Sealing
from partywall.adapters.redis.listening import AsyncSubscription, Message, Subscription
from partywall.adapters.redis.scripts import Script

__all__ = [
    "AsyncSubscription",
    "AsyncTenantCache",
    "AsyncTenantPipeline",
    "Counts",
    "Key",
    "Message",
    "Script",
    "Sealing",
    "Subscription",
    "Tally",
    "TenantCache",
    "TenantPipeline",
    "async_create_login",
    "create_login",
    "login_rules",
]
