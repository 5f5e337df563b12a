"""Each tenant's own line in front of Celery's queue, and how messages move from one to the other.

A message is published to a list that no worker reads, `<queue>/<tenant>`. It moves on to the queue
that workers read as soon as fewer than `at_once` of the tenant's are there or running: nobody
stands behind more than that of one tenant, however many it has waiting.

Moves are single scripts on the server of the broker, so that a message is in one list or in the
other, whoever is killed. A place in the workers' hands is held by a lease: the worker renews it for
what it has, and what a dead worker held becomes free when it runs out. Where a move was missed, the
`agenda` says when to look again, and every worker does.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import ResponseError

from partywall.errors import QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis import Redis

    from partywall.adapters.executions import Limits

LOG = logging.getLogger("partywall.tasks")

PREFIX = "partywall:tasks:"

DUE = "partywall-due"
"""The header that says when a message may be worked on, in seconds since 1970."""

GRACE_S = 60.0
"""How long after its time-out a message that a dead worker held may come back to its line."""

NOW = "local t = redis.call('TIME') local now = t[1] + t[2] / 1e6\n"

ENTER = (
    NOW
    + """
local most = tonumber(ARGV[1])
if most > 0 and redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]) >= most then return 0 end
redis.call('ZADD', KEYS[3], 'LT', now + tonumber(ARGV[3]), ARGV[2])
return 1
"""
)
"""KEYS: line, later, agenda. ARGV: most that may wait, the line's name, when to look after it."""

RELEASE = (
    NOW
    + """
local line, queue, held, later, lost, agenda = unpack(KEYS)
local name, at_once, lease, patience = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
if ARGV[5] then redis.call('ZREM', held, ARGV[5]) redis.call('ZREM', lost, ARGV[5]) end
for _, message in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('ZREM', later, message)
  redis.call('LPUSH', line, message)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now)) do
  redis.call('ZREM', held, id)
  redis.call('ZADD', lost, now + patience, id)
end
redis.call('ZREMRANGEBYSCORE', lost, '-inf', now)
local free = at_once - redis.call('ZCARD', held)
while true do
  local message = redis.call('LINDEX', line, -1)
  if not message then break end
  local headers = cjson.decode(message)['headers']
  local due = tonumber(headers['partywall-due'] or 0)
  if due > now then
    redis.call('RPOP', line)
    redis.call('ZADD', later, due, message)
  else
    local again = redis.call('ZSCORE', held, headers['id'])
    if not again and free < 1 then break end
    if not again then free = free - 1 end
    redis.call('RPOPLPUSH', line, queue)
    redis.call('ZADD', held, now + lease, headers['id'])
  end
end
local next = false
for _, key in ipairs({held, later}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  if first and (not next or tonumber(first) < next) then next = tonumber(first) end
end
if redis.call('ZCARD', lost) > 0 then next = math.min(next or now + 5, now + 5) end
if next then redis.call('ZADD', agenda, next, name) else redis.call('ZREM', agenda, name) end
return redis.call('LLEN', line)
"""
)
"""KEYS: line, queue, held, later, lost, agenda. ARGV: the line's name, how many at once, seconds
that a message may take from the queue to a worker, seconds in which a lost one may come back, and
an id that is in nobody's hands any more.

A message at the head whose id is held already was given back by a worker that ended: it goes first.
"""

RENEW = (
    NOW
    + """
for i = 2, #ARGV - 1 do redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[i]) end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if first then redis.call('ZADD', KEYS[2], 'LT', first, ARGV[#ARGV]) end
return 0
"""
)

AGENDA = (
    NOW
    + """
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
"""
)


@dataclass(frozen=True, slots=True)
class Place:
    """One tenant's line in front of one queue."""

    queue: str
    tenant: str

    @property
    def name(self) -> str:
        """Of the line; a tenant's id has no slash."""
        return f"{self.queue}/{self.tenant}"

    @staticmethod
    def of(name: str) -> Place | None:
        """The line of this name; None for the name of a plain queue."""
        queue, slash, tenant = name.rpartition("/")
        return Place(queue, tenant) if slash else None


class Lines:
    """The lines of all tenants, in the Redis of the broker.

    Args:
        redis: the broker's server.
        limits: what a tenant may have at once, and waiting.
        prefix: what the broker puts before the names of its lists (`global_keyprefix`).
        lease_s: how long what a worker holds is held after its last sign of life.
        visibility_s: after how long the broker gives out again what a dead worker took.
    """

    def __init__(
        self, redis: Redis, limits: Limits, *, prefix: str, lease_s: float, visibility_s: float
    ) -> None:
        self.limits = limits
        self._lists = prefix
        self._lease_s = lease_s
        self._visibility_s = visibility_s
        self._enter = redis.register_script(ENTER)
        self._release = redis.register_script(RELEASE)
        self._renew = redis.register_script(RENEW)
        self._agenda = redis.register_script(AGENDA)

    def enter(self, place: Place) -> None:
        """Make room for a message that is about to be published.

        Raises:
            QuotaExceeded: when the line is as long as it may be.
        """
        keys = [self._lists + place.name, self._key("later", place), f"{PREFIX}agenda"]
        most = self.limits.of(place.tenant).waiting or 0
        if not self._enter(keys=keys, args=[most, place.name, GRACE_S]):
            raise QuotaExceeded(
                f"the tenant has {most} executions waiting, and may have no more",
                kind="tasks_waiting",
            )

    def release(self, place: Place, *, ended: str | None = None) -> int:
        """Move on what may be; how many wait then.

        Args:
            place: the line.
            ended: the id of an execution that is in nobody's hands any more.
        """
        keys = [self._lists + place.name, self._lists + place.queue]
        keys += [self._key(part, place) for part in ("held", "later", "lost")]
        args: list[Any] = [place.name, self.limits.of(place.tenant).at_once]
        args += [self._visibility_s, self._visibility_s + GRACE_S, *([ended] if ended else [])]
        return int(self._release(keys=[*keys, f"{PREFIX}agenda"], args=args))

    def renew(self, place: Place, ids: Iterable[str]) -> None:
        """Say that a worker lives that has these in its hands."""
        keys = [self._key("held", place), f"{PREFIX}agenda"]
        self._renew(keys=keys, args=[self._lease_s, *ids, place.name])

    def look(self, most: int = 100) -> None:
        """Release where something is due, or was missed; a line that is broken stops no other."""
        for name in self._agenda(keys=[f"{PREFIX}agenda"], args=[most]):
            place = Place.of(name.decode() if isinstance(name, bytes) else name)
            if place is None:
                continue
            try:
                self.release(place)
            except ResponseError as error:
                LOG.error("the line %r can't be read: %s", place.name, error)  # noqa: TRY400 - the server's words say all

    @staticmethod
    def _key(part: str, place: Place) -> str:
        return f"{PREFIX}{part}:{place.name}"
