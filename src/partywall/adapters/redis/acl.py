"""A login for one tenant, held to its keys and channels by the server itself.

Key patterns alone hold less than they seem to: SCAN, KEYS, RANDOMKEY and DBSIZE tell of every key,
FLUSHALL removes them, MONITOR shows every command, and none of them names one. So the login is
given a list of commands, each of which the server holds to its keys.
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from partywall.adapters.redis.allowed import DATA
from partywall.adapters.redis.keyspace import Keyspace, escaped
from partywall.errors import ConfigurationError, UnsafeLogin

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from partywall.context import TenantContext

SPOKEN = frozenset(
    {"multi", "exec", "discard", "watch", "unwatch", "ping", "command"}
    | {"publish", "subscribe", "unsubscribe", "psubscribe", "punsubscribe"}
)
"""What a client needs besides `DATA`; COMMAND tells of the server's commands, and no key."""

SCRIPTS = frozenset(["eval", "evalsha"])


def login_rules(
    context: TenantContext,
    password: str,
    *,
    known: frozenset[str] = DATA | SPOKEN | SCRIPTS,
    namespace: str = "pw",
    scripts: bool = False,
) -> list[str]:
    """The rules of `ACL SETUSER` for a tenant's login; they take away all that it had before.

    Args:
        context: the tenant.
        password: the login's; the rules hold its hash alone.
        known: the commands that the server has: one that it doesn't know, it refuses.
        namespace: as of the tenant's caches.
        scripts: let it run Lua, which opens the server's interpreter to whoever has the login.

    Raises:
        ConfigurationError: without a password.
    """
    if not password:
        raise ConfigurationError("a tenant's login needs a password")
    space = Keyspace(context, namespace)
    commands = (DATA | SPOKEN | (SCRIPTS if scripts else frozenset())) & known
    return [
        "reset",
        "on",
        f"#{hashlib.sha256(password.encode()).hexdigest()}",
        *(f"+{command}" for command in sorted(commands)),
        f"~{escaped(space.key('')[:-1]).decode()}[:!]*",
        f"&{escaped(space.key('')).decode()}*",
    ]


def create_login(
    redis: Redis,
    context: TenantContext,
    name: str,
    password: str,
    *,
    namespace: str = "pw",
    scripts: bool = False,
) -> None:
    """Make a tenant's login, or make it anew; the server's own word says which commands it has.

    Args:
        redis: a client of an administrator.
        context: the tenant.
        name: of the login; it never names an administrator's.
        password: the login's.
        namespace: as of the tenant's caches.
        scripts: as of `login_rules`.

    Raises:
        UnsafeLogin: when the user `default` needs no password: RESET would make anybody into it.
        ConfigurationError: for the user `default`, or without a password.
    """
    ask: Any = redis.execute_command  # which redis-py gives no types
    require_closed(ask("ACL GETUSER", "default"))
    known = names(ask("COMMAND LIST"))
    rules = login_rules(context, password, known=known, namespace=namespace, scripts=scripts)
    ask("ACL SETUSER", tenants(name), *rules)


async def async_create_login(
    redis: AsyncRedis,
    context: TenantContext,
    name: str,
    password: str,
    *,
    namespace: str = "pw",
    scripts: bool = False,
) -> None:
    """As `create_login`, for async code."""
    ask: Any = redis.execute_command  # which redis-py gives no types
    require_closed(await ask("ACL GETUSER", "default"))
    known = names(await ask("COMMAND LIST"))
    rules = login_rules(context, password, known=known, namespace=namespace, scripts=scripts)
    await ask("ACL SETUSER", tenants(name), *rules)


def tenants(name: str) -> str:
    """The name of a tenant's login.

    Raises:
        ConfigurationError: for none, and for the one that every connection begins as.
    """
    if not name or name == "default":
        raise ConfigurationError("a tenant's login has a name of its own, other than default")
    return name


def names(answer: list[Any]) -> frozenset[str]:
    """The commands that the server has."""
    return frozenset(each.decode() if isinstance(each, bytes) else each for each in answer)


def require_closed(default: dict[str, Any] | None) -> None:
    """Let nobody in without a password.

    Args:
        default: what `ACL GETUSER default` says, as redis-py reads it.

    Raises:
        UnsafeLogin: when the user is on and needs none.
    """
    flags = set(map(str, (default or {}).get("flags", ["on", "nopass"])))
    if "nopass" in flags and "off" not in flags:
        raise UnsafeLogin(
            "the user default is on and needs no password, and any login becomes it with RESET: "
            "give it one first (ACL SETUSER default resetpass >…), or turn it off"
        )
