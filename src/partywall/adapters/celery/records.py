"""What a tenant's executions are and how they stand, by tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from partywall.adapters.celery.line import NOW, PREFIX
from partywall.adapters.executions import ENDED, Execution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis import Redis

    from partywall.adapters.executions import Status

OPEN = (
    NOW
    + """
for i = 1, 2 do
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not oldest or redis.call('EXISTS', ARGV[1] .. oldest) == 1 then break end
  redis.call('ZREM', KEYS[1], oldest)
end
for i = 3, #ARGV, 2 do
  local key = ARGV[1] .. ARGV[i]
  if redis.call('HGET', key, 'status') ~= 'cancelled' then
    redis.call('HSET', key, 'name', ARGV[i + 1], 'status', 'waiting')
  end
  redis.call('EXPIRE', key, ARGV[2])
  redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i])
end
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
"""
)
"""KEYS: the tenant's index. ARGV: what its records' keys begin with, seconds to keep them, and then
id and name of each. The index forgets its oldest as their records go."""

TURN = """
local status = redis.call('HGET', KEYS[1], 'status')
if status == ARGV[1] then return status end
if ARGV[1] == 'cancelled' and not status then return '' end
for i = 4, #ARGV do if status == ARGV[i] then return status end end
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'name', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return status or ''
"""
"""ARGV: the new status, the task's name, seconds to keep it, and from which it can't be left."""


class Records:
    """The records of all tenants; every one is asked for by its tenant and its id.

    Args:
        redis: where they are.
        keep_s: how long after the last change.
    """

    def __init__(self, redis: Redis, keep_s: int) -> None:
        self._redis = redis
        self._keep_s = keep_s
        self._open = redis.register_script(OPEN)
        self._turn = redis.register_script(TURN)

    def open(self, tenant: str, named: Iterable[tuple[str, str]], *, later_s: float = 0) -> None:
        """Write down executions that wait: id and name of the task.

        Args:
            tenant: whose.
            named: id and name of each.
            later_s: in how many seconds they may begin.
        """
        args = [part for pair in named for part in pair]
        keep_s = self._keep_s + int(later_s)
        self._open(keys=[index(tenant)], args=[record(tenant, ""), keep_s, *args])

    def close(self, tenant: str, execution_id: str) -> None:
        """Forget one that never came to be."""
        self._redis.delete(record(tenant, execution_id))
        self._redis.zrem(index(tenant), execution_id)

    def turn(self, tenant: str, execution_id: str, name: str, status: Status) -> str:
        """Write down how an execution stands now, unless it was cancelled; how it stood before.

        Nobody's is cancelled where there is no record of it.
        """
        final = {"cancelled": sorted(ENDED)}.get(status, ["cancelled"])
        key = record(tenant, execution_id)
        before = self._turn(keys=[key], args=[status, name, self._keep_s, *final])
        return text(before)

    def of(self, tenant: str, execution_id: str) -> Execution | None:
        """One execution of the tenant."""
        fields = self._redis.hmget(record(tenant, execution_id), ["name", "status"])
        name, status = [text(field) for field in fields]
        return Execution(execution_id, name, cast("Status", status)) if status else None

    def newest(self, tenant: str, most: int) -> list[Execution]:
        """The tenant's executions, the newest first."""
        ids = [text(found) for found in self._redis.zrevrange(index(tenant), 0, most - 1)]
        return [found for found in (self.of(tenant, i) for i in ids) if found is not None]


def record(tenant: str, execution_id: str) -> str:
    """The key of a record; a tenant's id has no slash."""
    return f"{PREFIX}record:{tenant}/{execution_id}"


def index(tenant: str) -> str:
    """The key of the ids of a tenant's executions."""
    return f"{PREFIX}index:{tenant}"


def text(value: object) -> str:
    """What Redis answers, as text, whether or not the client decodes it."""
    return value.decode() if isinstance(value, bytes) else str(value or "")
