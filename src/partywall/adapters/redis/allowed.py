"""Which commands may name keys of their own: in `execute`, in scripts, and for a tenant's login.

What is not here is refused. Left out on purpose:

- what no key pattern holds: SCAN, KEYS, RANDOMKEY, DBSIZE, FLUSH*, MONITOR, CONFIG, CLIENT, SELECT;
- what reaches keys that it doesn't name: SORT with BY and GET, EVAL, FUNCTION, MIGRATE;
- what reaches another database: COPY with DB, MOVE, SWAPDB;
- DUMP and RESTORE, which take a server's own format;
- OBJECT, DEBUG, MEMORY, which tell of the server;
- PFMERGE: Redis 7.0 doesn't hold it against a login's keys when it has one name;
- what waits for ever: BLPOP and its like.
"""

from __future__ import annotations

STRINGS = """
append bitcount bitfield bitfield_ro bitop bitpos decr decrby get getbit getdel getex getrange
getset incr incrby incrbyfloat lcs mget mset msetnx psetex set setbit setex setnx setrange strlen
"""
NAMES = """
del exists expire expireat expiretime persist pexpire pexpireat pexpiretime pttl rename renamenx
touch ttl type unlink
"""
HASHES = """
hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx
hstrlen hvals
"""
LISTS = """
lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem lset ltrim rpop rpoplpush rpush
rpushx
"""
SETS = """
sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop
srandmember srem sscan sunion sunionstore
"""
SORTED_SETS = """
zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore
zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore
zunion zunionstore
"""
OTHERS = """
geoadd geodist geohash geopos geosearch geosearchstore pfadd pfcount
xack xadd xautoclaim xclaim xdel xlen xpending xrange xread xreadgroup xrevrange xtrim
"""

DATA = frozenset((STRINGS + NAMES + HASHES + LISTS + SETS + SORTED_SETS + OTHERS).split())
"""Commands that touch the keys that they name, and nothing else."""
