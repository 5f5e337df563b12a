"""Each allowed command, in every form that the server documents, against every wall."""

# ruff: noqa: ANN401 - what the server says

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from partywall.adapters.redis import TenantCache, create_login
from partywall.adapters.redis.acl import SCRIPTS, SPOKEN
from partywall.adapters.redis.allowed import DATA
from partywall.errors import WallError
from tests.adapters.redis.caches import ACME, GLOBEX
from tests.adapters.redis.spoken import Key, documented, keys_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.redis.caches import Caches
    from tests.adapters.redis.spoken import Words

NOT_SPOKEN = (
    "wrong number",
    "Number of keys",
    "syntax error",
    "unknown",
    "Invalid arguments",
    "not allowed",
)
DENIED = (
    """
KEYS *|SCAN 0|RANDOMKEY|DBSIZE|FLUSHDB|FLUSHALL|MONITOR|CONFIG GET maxmemory|CLIENT LIST|CLIENT ID
SELECT 1|SWAPDB 0 1|MOVE pw:{acme}:a 1|COPY pw:{acme}:a pw:{acme}:b DB 1
MIGRATE 127.0.0.1 1 pw:{acme}:a 0 1|SCRIPT FLUSH|SCRIPT LOAD x|FUNCTION LIST|FUNCTION FLUSH
EVAL return(1) 0|FCALL f 0|SORT pw:{acme}:a BY x_* GET y_*|SORT_RO pw:{acme}:a BY x_*|INFO|ACL LIST
ACL WHOAMI|OBJECT ENCODING pw:{acme}:a|DUMP pw:{acme}:a|RESTORE pw:{acme}:a 0 x|SAVE|BGSAVE|SHUTDOWN
REPLICAOF NO ONE|PUBSUB CHANNELS|MEMORY USAGE pw:{acme}:a|SLOWLOG GET|LATENCY LATEST|MODULE LIST
PFMERGE pw:{acme}:a|BLPOP pw:{acme}:a 0|CLUSTER INFO|LASTSAVE|WAIT 0 0|PSYNC ? -1|SYNC|FAILOVER
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.fixture
def known(redis_url: str) -> dict[str, list[Words]]:
    with Redis.from_url(redis_url) as client:
        there = {name.decode() for name in client.execute_command("COMMAND LIST")}
    return documented(redis_url, sorted(DATA & there))


@pytest.fixture
def login(redis_url: str) -> Iterator[Redis]:
    """A client with the login of acme; the user default has a password meanwhile."""
    with Redis.from_url(redis_url) as admin:
        admin.config_set("requirepass", "administrator's")
        create_login(admin, ACME, "acme", "the secret of acme")
        address = redis_url.replace("redis://", "redis://acme:the%20secret%20of%20acme@")
        with Redis.from_url(address) as client:
            yield client
        admin.config_set("requirepass", "")


def written(words: Words, keys: list[Any]) -> list[Any]:
    return [keys[word.number] if isinstance(word, Key) else word for word in words]


def attacks(words: Words, mine: bytes, theirs: bytes | str) -> Iterator[list[Any]]:
    """All keys another's, and each alone."""
    count = keys_in(words)
    yield written(words, [theirs] * count)
    for place in range(count):
        yield written(words, [theirs if n == place else mine for n in range(count)])


def test_the_server_knows_every_allowed_command_and_documents_a_key_in_it(
    known: dict[str, list[Words]],
) -> None:
    assert {name for name, found in known.items() if not found} == set()
    assert set(known) == DATA  # Redis 7.0 has them all


def test_a_tenants_login_reaches_no_key_of_another_by_any_allowed_command(
    known: dict[str, list[Words]], login: Redis
) -> None:
    mine, theirs = b"pw:{acme}:a", b"pw:{acme:eu}:a"
    through: list[Any] = []
    unspoken = []
    for name, found in known.items():
        controls = 0
        for words in found:
            answer = answered(login, written(words, [mine] * keys_in(words)))
            if isinstance(answer, NoPermissionError):
                through.append(("kept out of its own", words))
            if isinstance(answer, ResponseError) and any(w in str(answer) for w in NOT_SPOKEN):
                continue
            controls += 1
            through += [
                ("let in", attack)
                for attack in attacks(words, mine, theirs)
                if not isinstance(answered(login, attack), NoPermissionError)
            ]
        if not controls:
            unspoken.append(name)
    assert through == []
    assert unspoken == []


def answered(client: Redis, words: list[Any]) -> Any:
    try:
        return client.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py
    except ResponseError as error:
        return error


def test_execute_reaches_no_key_of_another_by_any_allowed_command(
    redis_url: str, known: dict[str, list[Words]]
) -> None:
    with Redis.from_url(redis_url) as client:
        cache = TenantCache(client, ACME)
        mine, theirs = cache.key("a"), TenantCache(client, GLOBEX).key("a")
        through: list[Any] = []
        controls = set()
        for name, found in known.items():
            for words in found:
                try:
                    cache.execute(*written(words, [mine] * keys_in(words)))
                except WallError:
                    through.append(("kept out of its own", words))
                    continue
                except ResponseError as error:
                    if any(each in str(error) for each in NOT_SPOKEN):
                        continue
                controls.add(name)
                for foreign in (theirs, bytes(theirs), "a"):
                    for attack in attacks(words, mine, foreign):
                        try:
                            cache.execute(*attack)
                        except WallError:
                            continue
                        through.append(("let in", attack))
    assert through == []
    assert controls == set(known)


@pytest.mark.parametrize("line", DENIED)
def test_what_no_key_pattern_holds_is_denied(login: Redis, line: str) -> None:
    words = line.split()
    assert isinstance(answered(login, words), NoPermissionError)
    cache = TenantCache(login, ACME)
    with pytest.raises(WallError, match="not among the commands"):
        cache.execute(*words)


@pytest.mark.usefixtures("login")
def test_the_server_lets_the_login_use_no_command_that_no_list_names(redis_url: str) -> None:
    address = redis_url.replace("redis://", "redis://:administrator's@")
    may = set()
    with Redis.from_url(address) as admin:
        for name, arity, flags, *_ in flattened(admin.execute_command("COMMAND INFO")):
            words = name.decode().split("|")
            filled = [*words, *["pw:{acme}:a"] * (abs(arity) - len(words))]
            try:
                said = admin.execute_command("ACL DRYRUN", "acme", *filled)
            except ResponseError as error:  # a command that takes more or fewer words
                said = str(error).encode()
            if b"no permissions to run" not in said and b"no_auth" not in flags:
                may.add(words[0])
    assert may == DATA | SPOKEN
    assert not may & SCRIPTS


def flattened(facts: Any) -> Iterator[Any]:
    """Commands, and instead of containers what they contain."""
    for each in facts:
        if len(each) > 9 and each[9] and each[0] != b"command":
            yield from flattened(each[9])
        else:
            yield each


@pytest.mark.parametrize(
    ("command", "arguments"), [("GET", ()), ("MSET", ()), ("UNLINK", ()), ("get a", ()), ("", ())]
)
def test_a_command_without_any_key_is_not_sent(
    caches: Caches, command: str, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(WallError):
        caches(ACME).execute(command, *arguments)


def test_a_key_that_nobody_marked_is_not_sent_whatever_it_is(caches: Caches) -> None:
    cache = caches(ACME)
    for key in (b"pw:{acme}:a", "pw:{acme}:a", "a", 1):
        with pytest.raises(WallError, match=r"write cache\.key"):
            cache.execute("GET", key)
    assert cache.execute("GET", cache.key("a")) is None


def test_execute_answers_as_the_server_does(caches: Caches) -> None:
    cache = caches(ACME)
    cache.set("a", "hello")
    assert cache.execute("getrange", cache.key("a"), 1, 3) == b"ell"
    assert cache.execute("BITCOUNT", cache.key("a")) == 21
    assert cache.execute("ZUNIONSTORE", cache.key("z"), 1, cache.key("y")) == 0
