"""The page does what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis import Redis

from tests.blocks import blocks, run

if TYPE_CHECKING:
    import pytest

PAGE = "how-to/redis.md"


def test_redis(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Redis.from_url(redis_url) as admin:
        admin.config_set("requirepass", "administrators")
        try:
            monkeypatch.setenv(
                "REDIS_URL", redis_url.replace("redis://", "redis://:administrators@")
            )
            run(PAGE)
        finally:
            admin.config_set("requirepass", "")
    assert capsys.readouterr().out == "".join(blocks(PAGE, "text"))
