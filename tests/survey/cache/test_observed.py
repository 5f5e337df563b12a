"""What an application keeps without a tenant, seen while two tenants use it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from partywall.errors import TargetError
from partywall.survey.cache.attacks import observed
from partywall.survey.cache.observation import surface
from partywall.survey.cache.observing import spoken
from partywall.survey.cache.settings import CacheSettings
from partywall.survey.cache.through import watched
from partywall.survey.explaining.docstrings import parts
from tests.survey.cache.applications import Driver, application
from tests.survey.cache.servers import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.driven import Driven
    from partywall.survey.layers import LayerReport

ATTACKS = {one.name: one for one in observed()}


def report(url: str, made: str, *, channel: str = "{tenant}:events") -> LayerReport:
    driver = Driver(application(url, made, channel=channel))
    return asyncio.run(watched(CacheSettings(url, {}), driver))


def line(name: str, section: str) -> str:
    return parts(ATTACKS[name].doc)[2][section].splitlines()[0]


@pytest.mark.parametrize("name", ["key-without-tenant", "poisoned-key"])
def test_a_key_without_a_tenant_is_found_with_the_answer_it_gave(redis_url: str, name: str) -> None:
    found = report(redis_url, line(name, "Breaches"))
    named = [one for one in found.findings if one.name == name]
    assert {(one.attacker, one.victim) for one in named} == {("acme", "globex"), ("globex", "acme")}
    last = named[0].witness[-1]
    assert "note-of-" in last.returned
    assert last.actor not in last.returned


@pytest.mark.parametrize("name", ["key-without-tenant", "poisoned-key"])
def test_a_key_with_the_tenant_holds(redis_url: str, name: str) -> None:
    found = report(redis_url, line(name, "Holds"))
    assert found.findings == ()
    assert found.verdict == "held"
    assert found.controls["proved"]


def test_what_the_application_kept_is_removed_and_what_stood_there_before_stays(
    redis_url: str,
) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as client:
        client.set("acme:before", "kept")
        report(redis_url, 'key = f"notes:{page}"')
        assert client.keys() == ["acme:before"]


def test_a_shared_key_that_answered_nobody_wrongly_is_undecided(redis_url: str) -> None:
    made = 'key = "one" if page == "greeting" else f"{tenant}:{page}"'
    found = report(redis_url, made)
    assert found.findings == ()
    assert "cache key one:settings" in {one.at for one in found.undecided}
    assert found.verdict == "undecided"


def test_an_application_that_keeps_nothing_proves_nothing(redis_url: str) -> None:
    class Silent(Driver):
        async def drive(self, tenant: str) -> Sequence[Driven]:
            return [] if tenant else await super().drive(tenant)

    driver = Silent(application(redis_url, 'key = "k"'))
    found = asyncio.run(watched(CacheSettings(redis_url, {}), driver))
    assert found.verdict == "undecided"
    assert "touched no key" in found.undecided[0].because


def test_a_key_in_a_database_that_is_not_looked_at_proves_nothing(redis_url: str) -> None:
    driver = Driver(application(f"{redis_url}/1", line("key-without-tenant", "Breaches")))
    elsewhere = asyncio.run(watched(CacheSettings(redis_url, {}), driver))
    assert elsewhere.verdict == "undecided"
    assert "touched no key of the database" in elsewhere.undecided[0].because
    there = asyncio.run(watched(CacheSettings(f"{redis_url}/1", {}), driver))
    assert there.verdict == "breached"


@pytest.mark.parametrize("command", ["MONITOR", "EVAL"])
def test_an_administrator_that_may_not_look_has_seen_nothing(redis_url: str, command: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.execute_command("ACL", "SETUSER", "keeper", "on", ">k", "~*", "&*", "+@all",
                               f"-{command}")  # fmt: skip
    driver = Driver(application(redis_url, line("key-without-tenant", "Breaches")))
    keeper = CacheSettings(address(redis_url, "keeper").replace("secret-keeper", "k"), {})
    with pytest.raises(TargetError, match=rf"refuses its administrator {command}"):
        asyncio.run(watched(keeper, driver))


def test_a_tenant_that_asked_nothing_is_undecided_where_keys_are_shared(redis_url: str) -> None:
    class Deaf(Driver):
        async def drive(self, tenant: str) -> Sequence[Driven]:
            answers = await super().drive(tenant)
            return answers if tenant == "acme" else []

    driver = Deaf(application(redis_url, line("key-without-tenant", "Breaches")))
    found = asyncio.run(watched(CacheSettings(redis_url, {}), driver))
    tried = [one for one in found.tried if one.attack == "key-without-tenant"]
    assert {one.state for one in tried if one.attacker == "globex"} == {"undecided"}


def test_a_channel_for_all_tenants_is_undecided(redis_url: str) -> None:
    found = report(redis_url, 'key = f"{tenant}:{page}"', channel="events")
    assert ("shared-channel", "cache channel events") in {(o.name, o.at) for o in found.undecided}


def test_ids_in_names_of_keys_are_one_surface() -> None:
    assert surface("note:17:x") == surface("note:230:x") == "cache key note:{id}:x"


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4))
def test_what_monitor_tells_is_read_as_it_was_sent(words: list[bytes]) -> None:
    texts = [word.decode("latin-1") for word in words]
    quoted = " ".join(_as_redis_prints(word) for word in words)
    told = list(spoken(f"1795323511.899474 [0 127.0.0.1:1] {quoted}"))
    assert told == ([] if texts[0].upper() == "PING" else [tuple(texts)])


def _as_redis_prints(word: bytes) -> str:
    """As sdscatrepr writes it."""
    named = {0x5C: "\\\\", 0x22: '\\"', 10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b"}
    plain = "".join(named.get(b) or (chr(b) if 32 <= b < 127 else f"\\x{b:02x}") for b in word)
    return f'"{plain}"'
