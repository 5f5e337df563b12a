"""What carries messages between processes: the tenant is in the address, never in the message.

A broker that has lost its connection may have missed something. It says so, once, and forgets what
it was subscribed to: it never subscribes again by itself, as if nothing had happened.
"""

from partywall.adapters.channels.brokers.broker import Broker
from partywall.adapters.channels.brokers.memory import MemoryBroker

__all__ = ["Broker", "MemoryBroker"]
