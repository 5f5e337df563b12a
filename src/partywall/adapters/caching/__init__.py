"""Answers kept for each tenant apart: in the process's memory, or in a tenant's part of a Redis."""

from partywall.adapters.caching.counts import Counts, Tally
from partywall.adapters.caching.decorator import (
    AsyncCache,
    Cache,
    Cached,
    Codec,
    cached,
)
from partywall.adapters.caching.memory import AsyncMemoryCache, MemoryCache, MemoryStore

__all__ = [
    "AsyncCache",
    "AsyncMemoryCache",
    "Cache",
    "Cached",
    "Codec",
    "Counts",
    "MemoryCache",
    "MemoryStore",
    "Tally",
    "cached",
]
