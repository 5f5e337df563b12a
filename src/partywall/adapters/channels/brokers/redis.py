"""A broker on Redis: PUBLISH and SUBSCRIBE, each tenant under a prefix of its own.

https://redis.io/docs/latest/develop/pubsub/
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from partywall.adapters.channels.brokers.line import Line
from partywall.errors import ConfigurationError

try:
    import redis.asyncio as aio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ModuleNotFoundError as error:
    if error.name != "redis":
        raise
    raise ConfigurationError("RedisBroker needs redis: pip install 'partywall[redis]'") from error

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from partywall.adapters.channels.naming import Topic

    Connection: TypeAlias = aio.connection.AbstractConnection

SENDING = 8
"""Connections for PUBLISH; whoever finds none waits."""


class RedisBroker(Line["Connection"]):
    """Carries messages over Redis, on one subscribed connection for all sockets of the process.

    A channel of Redis is `<prefix>/<tenant's id>/<name>`, so that an ACL can keep a login to one
    tenant (`&partywall/<id>/*`). Whoever may PUBLISH there is believed.

    A connection that is lost is not quietly replaced, as redis-py's PubSub does: who listened is
    told that something may have been missed.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        prefix: of all channels; without a slash.
        heartbeat_s: how often the server is asked for a sign of life; it has as long to answer.
    """

    largest_bytes = 2**20
    errors: ClassVar[tuple[type[Exception], ...]] = (RedisError,)

    def __init__(self, url: str, *, prefix: str = "partywall", heartbeat_s: float = 5.0) -> None:
        super().__init__(heartbeat_s=heartbeat_s)
        if not prefix or "/" in prefix:
            raise ConfigurationError("RedisBroker(prefix=…): give a text without a slash")
        self._prefix = prefix
        once: dict[str, Any] = {"protocol": 2, "retry": Retry(NoBackoff(), 0)}
        once["socket_connect_timeout"] = 3 * heartbeat_s
        self._listening = aio.ConnectionPool.from_url(url, **once, socket_timeout=None)
        timeouts = {"timeout": 3 * heartbeat_s, "socket_timeout": 3 * heartbeat_s}
        pool = aio.BlockingConnectionPool.from_url(url, max_connections=SENDING, **timeouts, **once)
        self._sending = aio.Redis.from_pool(pool)
        self._told: dict[tuple[bytes, bytes], asyncio.Future[None]] = {}

    def address(self, topic: Topic) -> str:
        """The prefix, the tenant and the name, divided by slashes."""
        return f"{self._prefix}/{topic.path}"

    async def subscribe(self, address: str) -> None:
        """As `Broker.subscribe`."""
        await self._tell(await self.connected(), b"subscribe", address.encode())

    async def unsubscribe(self, address: str) -> None:
        """As `Broker.unsubscribe`."""
        if self.connection is not None:
            await self._tell(self.connection, b"unsubscribe", address.encode())

    async def publish(self, address: str, text: str) -> None:
        """As `Broker.publish`."""
        try:
            await self._sending.publish(address, text)
        except (RedisError, OSError) as error:
            raise self.unsure(None, error) from error

    async def close(self) -> None:
        """As `Broker.close`."""
        await super().close()
        await self._sending.aclose()
        await self._listening.aclose()

    async def connect(self) -> Connection:
        """As `Line.connect`."""
        connection: Connection = self._listening.make_connection()  # type: ignore[no-untyped-call]  # redis-py's
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
        return connection

    async def listen(self, connection: Connection) -> None:
        """As `Line.listen`."""
        loop, patience_s = asyncio.get_running_loop(), 2 * self.heartbeat_s
        pinging = asyncio.create_task(self._ping(connection))
        try:
            async with asyncio.timeout(patience_s) as patience:
                while True:
                    reply = await connection.read_response(disconnect_on_error=False)
                    patience.reschedule(loop.time() + patience_s)
                    self._take(reply)
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def disconnect(self, connection: Connection) -> None:
        """As `Line.disconnect`."""
        for waiting in self._told.values():
            if not waiting.done():
                waiting.set_exception(RedisError("the connection was lost"))
        await connection.disconnect(nowait=True)

    async def _ping(self, connection: Connection) -> None:
        while connection.is_connected:
            await asyncio.sleep(self.heartbeat_s)
            await connection.send_command("PING", check_health=False)

    def _take(self, reply: Any) -> None:
        if not isinstance(reply, list):
            return  # to a PING before the first subscription
        kind, *rest = reply
        if kind == b"message":
            # Whoever has a tenant's login may publish any bytes: they harm that tenant alone.
            self.heard(rest[0].decode(), rest[1].decode("utf-8", "replace"))
        elif (waiting := self._told.get((kind, rest[0]))) is not None and not waiting.done():
            waiting.set_result(None)

    async def _tell(self, connection: Connection, command: bytes, address: bytes) -> None:
        """Send a command, and wait until the server has done it."""
        if not connection.is_connected:  # sending would connect again
            raise self.unsure(connection, RedisError())
        done = self._told[command, address] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(3 * self.heartbeat_s):
                await connection.send_command(command, address, check_health=False)
                await done
        except (RedisError, OSError, TimeoutError) as error:
            raise self.unsure(connection, error) from error
        finally:
            if self._told.get((command, address)) is done:
                del self._told[command, address]
