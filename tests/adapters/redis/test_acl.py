"""What of a cache works with a tenant's login, and what says that it doesn't."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import redis.asyncio
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from partywall.adapters.redis import (
    AsyncTenantCache,
    Counts,
    Script,
    TenantCache,
    async_create_login,
    create_login,
    login_rules,
)
from partywall.errors import ConfigurationError, UnsafeLogin
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDING = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")


@pytest.fixture
def admin(redis_url: str) -> Iterator[Redis]:
    """An administrator's client, and nobody comes in without a password."""
    with Redis.from_url(redis_url) as client:
        client.config_set("requirepass", "administrator's")
        yield client
        client.config_set("requirepass", "")


def address(url: str, name: str, password: str) -> str:
    return url.replace("redis://", f"redis://{name}:{password}@")


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_cache_works_with_its_tenants_login(admin: Redis, redis_url: str, protocol: int) -> None:
    create_login(admin, ACME, "acme", "secret")
    with Redis.from_url(address(redis_url, "acme", "secret"), protocol=protocol) as client:
        cache = TenantCache(client, ACME, counts=Counts())
        cache.set("a", 1, ttl_s=100)
        assert cache.get("a") == b"1"
        cache.hset("h", {"f": 1})
        assert cache.hgetall("h") == {"f": b"1"}
        cache.xadd("s", {"f": 1})
        assert len(cache.xread({"s": "0"})["s"]) == 1
        assert cache.get_or_compute("c", lambda: "v", ttl_s=100, group="g") == b"v"
        cache.invalidate_group("g", 100)
        assert cache.get_or_compute("c", lambda: "w", ttl_s=100, group="g") == b"w"
        cache.save_counts()
        with cache.lock("l", ttl_s=100), cache.pipeline(watch=["a"]) as pipe:
            pipe.set("a", 2)
            assert pipe.execute() == [True]
        with cache.subscribe("c") as one, cache.psubscribe("*") as other:
            assert cache.publish("c", "x") == 2
            assert one.get(60) == other.get(60) is not None
        assert cache.execute("GETRANGE", cache.key("a"), 0, 0) == b"2"
        assert cache.execute("ZUNIONSTORE", cache.key("z"), 1, cache.key("y")) == 0


def test_what_needs_a_scan_says_so(admin: Redis, redis_url: str) -> None:
    create_login(admin, ACME, "acme", "secret")
    with Redis.from_url(address(redis_url, "acme", "secret")) as client:
        cache = TenantCache(client, ACME)
        for asked in (cache.keys, cache.flush, cache.memory_bytes, lambda: list(cache.scan())):
            with pytest.raises(ConfigurationError, match="may not SCAN"):
                asked()


def test_a_login_reaches_no_channel_and_no_key_of_another_tenant(
    admin: Redis, redis_url: str
) -> None:
    create_login(admin, ACME, "acme", "secret")
    TenantCache(admin, GLOBEX).set("a", "theirs")
    with Redis.from_url(address(redis_url, "acme", "secret")) as client:
        other = TenantCache(client, GLOBEX)
        with pytest.raises(NoPermissionError):
            other.get("a")
        with pytest.raises(NoPermissionError):
            other.publish("c", "x")
        with pytest.raises(NoPermissionError), other.subscribe("c"):
            pass
        for pattern in ("*", "pw:{acme:eu}:*", "pw:*"):
            listening = client.pubsub()
            listening.psubscribe(pattern)
            with pytest.raises(NoPermissionError):
                listening.parse_response()
            listening.close()


def test_what_could_not_be_listened_to_gives_its_connection_back(
    admin: Redis, redis_url: str
) -> None:
    create_login(admin, ACME, "acme", "secret")
    url = address(redis_url, "acme", "secret")
    with Redis.from_url(url, max_connections=1) as client:
        refused = TenantCache(client, GLOBEX).subscribe("c")
        with pytest.raises(NoPermissionError), refused:
            pass
        assert client.ping()

    async def awaited() -> None:
        async with redis.asyncio.Redis.from_url(url, max_connections=1) as client:
            refused = AsyncTenantCache(client, GLOBEX).subscribe("c")
            with pytest.raises(NoPermissionError):
                async with refused:
                    pass
            assert await client.ping()

    asyncio.run(awaited())


def test_scripts_are_for_logins_that_were_given_them_and_leave_no_keys_there_either(
    admin: Redis, redis_url: str
) -> None:
    create_login(admin, ACME, "acme", "secret")
    url = address(redis_url, "acme", "secret")
    with Redis.from_url(url) as client, pytest.raises(NoPermissionError):
        TenantCache(client, ACME).run(ADDING, ["n"], [1])
    create_login(admin, ACME, "acme", "secret", scripts=True)
    TenantCache(admin, GLOBEX).set("n", 5)
    with Redis.from_url(url) as client:
        assert TenantCache(client, ACME).run(ADDING, ["n"], [1]) == 1
        beyond = "return redis.call('GET', 'pw:{acme:eu}:n')"
        with pytest.raises(ResponseError, match="can't access at least one of the keys"):
            client.eval(beyond, 0)
    assert admin.eval(beyond, 0) == b"5"


def test_a_login_that_is_made_anew_keeps_nothing_of_before(admin: Redis, redis_url: str) -> None:
    admin.acl_setuser("acme", enabled=True, passwords=["+old"], commands=["+@all"], keys=["*"])
    create_login(admin, ACME, "acme", "secret")
    old, new = (address(redis_url, "acme", each) for each in ("old", "secret"))
    with Redis.from_url(old) as client, pytest.raises(AuthenticationError):
        client.ping()
    with Redis.from_url(new) as client, pytest.raises(NoPermissionError):
        client.get("anything")


def test_no_login_is_made_where_everybody_is_let_in_without(redis_url: str) -> None:
    with Redis.from_url(redis_url) as admin:
        with pytest.raises(UnsafeLogin, match="RESET"):
            create_login(admin, ACME, "acme", "secret")
        # This is why: any login becomes the user default, who may do anything.
        admin.execute_command("ACL SETUSER", "acme", *login_rules(ACME, "secret"))
        admin.set("theirs", 1)
        with Redis.from_url(address(redis_url, "acme", "secret"), protocol=2) as client:
            connection = client.connection_pool.get_connection()
            connection.send_command("GET", "theirs")
            with pytest.raises(NoPermissionError):
                connection.read_response()
            connection.send_command("RESET")
            connection.read_response()
            connection.send_command("GET", "theirs")
            assert connection.read_response() == b"1"
            connection.disconnect()


@pytest.mark.parametrize("rule", [["off"], ["resetpass", ">long"]])
def test_a_user_default_that_is_off_or_has_a_password_will_do(
    admin: Redis, redis_url: str, rule: list[str]
) -> None:
    ask: Any = admin.execute_command
    ask("ACL SETUSER", "root", "on", ">long", "+@all", "~*", "&*")
    with Redis.from_url(address(redis_url, "root", "long")) as root:
        root.execute_command("ACL SETUSER", "default", *rule)
        create_login(root, ACME, "acme", "secret")
        root.execute_command("ACL SETUSER", "default", "on")


def test_the_rules_hold_no_password() -> None:
    assert not any("secret" in rule for rule in login_rules(ACME, "secret"))


@pytest.mark.parametrize("name", ["", "default"])
def test_the_user_of_everybody_is_no_tenants(admin: Redis, name: str) -> None:
    with pytest.raises(ConfigurationError, match="other than default"):
        create_login(admin, ACME, name, "secret")


def test_a_login_needs_a_password() -> None:
    with pytest.raises(ConfigurationError, match="password"):
        login_rules(ACME, "")


def test_logins_are_made_by_async_code_too(admin: Redis, redis_url: str) -> None:
    async def made() -> None:
        url = address(redis_url, "default", "administrator's")
        async with redis.asyncio.Redis.from_url(url) as client:
            await async_create_login(client, ACME, "acme", "secret")

    asyncio.run(made())
    made_so: Any = admin.acl_getuser("acme")
    assert made_so["keys"] == ["~pw:{acme}[:!]*"]
