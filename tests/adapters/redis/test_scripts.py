"""Scripts are held to the keys that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from partywall.adapters.redis import Script
from partywall.errors import WallError
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from tests.adapters.redis.caches import Caches

THEIRS = "pw:{acme:eu}:a"


@pytest.mark.parametrize(
    "source",
    [
        "return redis.call('GET', ARGV[1])",
        "return redis.pcall('GET', ARGV[1])",
        "return server.call('GET', ARGV[1])",
        "return redis.call('get', 'pw:{acme' .. ':eu}:a')",
        "return redis.call('MGET', KEYS[1], ARGV[1])",
        "return redis.call('ZUNIONSTORE', KEYS[1], 1, ARGV[1])",
        "KEYS[1] = ARGV[1] return redis.call('GET', KEYS[1])",
        "local call = redis.call return call('GET', ARGV[1])",
        "#!lua flags=no-writes\nreturn redis.call('GET', ARGV[1])",
    ],
)
def test_a_script_that_leaves_its_keys_fails(caches: Caches, source: str) -> None:
    caches(GLOBEX).set("a", "theirs")
    with pytest.raises(ResponseError, match="partywall: a key is not in KEYS") as caught:
        caches(ACME).run(Script(source), ["a"], [THEIRS])
    assert "theirs" not in str(caught.value)
    # The same without the guard reaches it: KEYS alone is no wall.
    told = caches.plain.eval("return redis.call('GET', ARGV[1])", 1, "pw:{acme}:a", THEIRS)
    assert told == b"theirs"


@pytest.mark.parametrize(
    "command",
    ["'KEYS', '*'", "'SCAN', 0", "'RANDOMKEY'", "'FLUSHALL'", "'DBSIZE'", "'PUBLISH', 'c', 'x'",
     "'SORT', KEYS[1], 'GET', 'pw:*'", "'CONFIG', 'GET', '*'", "'SELECT', 1", "'OBJECT', 'HELP'"],
)  # fmt: skip
def test_a_script_has_no_command_that_no_key_holds(caches: Caches, command: str) -> None:
    with pytest.raises(ResponseError, match="partywall: a script may not use"):
        caches(ACME).run(Script(f"return redis.call({command})"), ["a"])


@pytest.mark.parametrize(
    "source",
    ["return _G.redis.call('GET', 'x')", "return getfenv(0).redis", "loadstring('x')()",
     "debug.getupvalue(redis.call, 1)", "string.dump(redis.call)"],
)  # fmt: skip
def test_a_script_that_names_a_way_round_is_none(source: str) -> None:
    with pytest.raises(WallError, match="leads round"):
        Script(source)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("return redis.call('TIME')[1] ~= nil", 1),
        ("return redis.sha1hex('')", b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("return redis.status_reply('FINE')", b"FINE"),
        ("local n = 0 for i = 1, #KEYS do n = n + redis.call('INCR', KEYS[i]) end return n", 2),
        ("#!lua\nreturn #KEYS", 2),
        ("return redis.call('SUNION', KEYS[1], KEYS[2])", []),
        ("return cjson.encode({1, 2})", b"[1,2]"),
    ],
)
def test_a_script_does_what_it_did_without_the_guard(
    caches: Caches, source: str, answer: object
) -> None:
    found = caches(ACME).run(Script(source), ["a", "b"])
    assert (sorted(found) if isinstance(found, set) else found) == answer


def test_only_registered_scripts_are_run(caches: Caches) -> None:
    with pytest.raises(WallError, match="registered"):
        caches(ACME).run("return 1")
