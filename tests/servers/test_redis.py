"""A disposable Redis: alone, and gone without a trace."""

from __future__ import annotations

import pytest
from redis import Redis as Client

from partywall.errors import ConfigurationError, ServerError
from partywall.servers import redis
from partywall.servers.processes import processes_of


def test_it_answers_and_goes() -> None:
    with redis() as server:
        with Client.from_url(server.url()) as client:
            assert client.ping()
            assert client.config_get("save") == {"save": ""}
        assert processes_of(server.folder)
    assert not server.folder.exists()
    assert not processes_of(server.folder)


def test_its_settings_are_kept() -> None:
    with redis({"maxmemory": "10mb"}) as server, Client.from_url(server.url()) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(10 * 2**20)}


@pytest.mark.parametrize(("name", "value"), [("a b", "1"), ("port", "1\nbind 0.0.0.0")])
def test_a_setting_can_not_smuggle_in_another(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="is no setting"):
        redis({name: value})


def test_what_it_says_is_told_where_it_does_not_start() -> None:
    with pytest.raises(ServerError, match="did not start"):
        redis({"no-such-directive": "1"})


def test_each_test_finds_it_empty(redis_url: str) -> None:
    with Client.from_url(redis_url) as client:
        assert client.dbsize() == 0
