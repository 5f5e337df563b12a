"""Scoped queries at work: each statement is tied to its tenant, or it is not sent."""

from partywall.runtime.scoping.gate import guard
from partywall.runtime.scoping.session import ScopedSession

__all__ = ["ScopedSession", "guard"]
