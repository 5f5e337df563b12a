"""What can be asked of a Redis in a survey, as values; and the scripts of the administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.cache.filling import CONSUMER, ENTRY, FIELD, GROUP, MEMBER

if TYPE_CHECKING:
    from partywall.survey.cache.scene import Keys

PLANT = f"""\
local c, n = ARGV[1], ARGV[2]
redis.call('DEL', unpack(KEYS))
redis.call('SET', KEYS[1], c)
redis.call('SET', KEYS[2], n)
redis.call('RPUSH', KEYS[3], '{MEMBER}', c)
redis.call('HSET', KEYS[4], 'canary', c, '{FIELD}', n)
redis.call('SADD', KEYS[5], '{MEMBER}', c)
redis.call('ZADD', KEYS[6], 1, c, 2, '{MEMBER}')
redis.call('XADD', KEYS[7], '{ENTRY}', '{FIELD}', c)
redis.call('XGROUP', 'CREATE', KEYS[7], '{GROUP}', '0')
redis.call('XREADGROUP', 'GROUP', '{GROUP}', '{CONSUMER}', 'STREAMS', KEYS[7], '>')
redis.call('XADD', KEYS[7], '2-1', '{FIELD}', c)
redis.call('GEOADD', KEYS[8], 13.4, 52.5, c, 13.4, 52.5, '{MEMBER}')
redis.call('PFADD', KEYS[9], c)
redis.call('PFCOUNT', KEYS[9])
return 'OK'
"""
LOOK = """\
local seen = {}
for _, k in ipairs(KEYS) do
  local t, v = redis.call('TYPE', k).ok, ''
  if t == 'string' then v = redis.call('GET', k)
  elseif t == 'list' then v = redis.call('LRANGE', k, 0, -1)
  elseif t == 'hash' then v = redis.call('HGETALL', k)
  elseif t == 'set' then v = redis.call('SORT', k, 'ALPHA')
  elseif t == 'zset' then v = redis.call('ZRANGE', k, 0, -1, 'WITHSCORES')
  elseif t == 'stream' then v = redis.call('XINFO', 'STREAM', k, 'FULL') end
  local ends = redis.call('PTTL', k) > 0
  seen[#seen + 1] = cjson.encode({t, ends, v})
end
return seen
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One command of Redis.

    Attributes:
        apart: sent on a connection of its own, which listens from then on until the attempt ends.
        heard: not sent: what has arrived on that connection.
        database: sent in the database of that number, on a connection that was opened there: what
            can't be opened there is sent nowhere.
    """

    words: tuple[str, ...]
    apart: bool = False
    heard: bool = False
    database: int | None = None


def plant(keys: Keys) -> Call:
    """Make the keys of a tenant anew, each with its canary, and remove what may stand beside."""
    names = [*keys.of.values(), keys.absent]
    return Call(("EVAL", PLANT, str(len(names)), *names, keys.canary, keys.number))


def look(keys: Keys) -> Call:
    """All that stands in the planted keys of a tenant."""
    names = [*keys.of.values(), keys.absent]
    return Call(("EVAL", LOOK, str(len(names)), *names))


def uproot(*keys: Keys) -> Call:
    """Remove the planted keys."""
    names = [name for one in keys for name in (*one.of.values(), one.absent)]
    return Call(("DEL", *names))
