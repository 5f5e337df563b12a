"""A broker within one process: for development, for tests, and for a single worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partywall.adapters.channels.brokers.broker import Heard, Lost
    from partywall.adapters.channels.naming import Topic


class MemoryBroker:
    """Carries messages within one `Channels`; other processes hear nothing of them."""

    largest_bytes = 2**16

    def __init__(self) -> None:
        self._heard: Heard | None = None
        self._subscribed: set[str] = set()

    def address(self, topic: Topic) -> str:
        """The tenant and the name."""
        return topic.path

    async def start(self, heard: Heard, lost: Lost) -> None:
        """Nothing can be lost."""
        del lost
        self._heard = heard

    async def subscribe(self, address: str) -> None:
        """Hear of it."""
        self._subscribed.add(address)

    async def unsubscribe(self, address: str) -> None:
        """Hear no more of it."""
        self._subscribed.discard(address)

    async def publish(self, address: str, text: str) -> None:
        """Pass it on at once."""
        if self._heard is not None and address in self._subscribed:
            self._heard(address, text)

    async def close(self) -> None:
        """Forget all."""
        self._heard = None
        self._subscribed.clear()
