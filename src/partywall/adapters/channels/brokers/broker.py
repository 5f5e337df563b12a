"""What `Channels` asks of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.adapters.channels.naming import Topic

    Heard: TypeAlias = Callable[[str, str], None]
    Lost: TypeAlias = Callable[[], None]


class Broker(Protocol):
    """Carries texts to addresses, in order from each sender.

    Attributes:
        largest_bytes: of a text.
    """

    largest_bytes: int

    def address(self, topic: Topic) -> str:
        """Where a channel's messages go: no other channel has it, and it tells no other."""

    async def start(self, heard: Heard, lost: Lost) -> None:
        """Connect.

        Args:
            heard: takes an address and a text that was published there; must not wait.
            lost: is called when something may have been missed; all subscriptions are gone.

        Raises:
            Unavailable: when that can't be.
            ConfigurationError: when nothing would be heard there.
        """

    async def subscribe(self, address: str) -> None:
        """Hear what is published from the return on.

        Raises:
            Unavailable: when that can't be; nothing is subscribed then.
        """

    async def unsubscribe(self, address: str) -> None:
        """Hear no more of it.

        Raises:
            Unavailable: when the connection is gone, and the subscription with it.
        """

    async def publish(self, address: str, text: str) -> None:
        """Send a text, of ASCII.

        Raises:
            Unavailable: when it is not known to be sent.
        """

    async def close(self) -> None:
        """Let go of the connection."""
