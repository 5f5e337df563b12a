"""A tenant's context from one service to the next: signed, to the hosts that are named, no others.

`calling` sends it with httpx, `receiving` takes it in FastAPI; neither needs the other's library.
"""

from typing import TYPE_CHECKING, Any

from partywall.adapters.httpx.tokens import HEADER, ContextTokens

if TYPE_CHECKING:
    from partywall.adapters.httpx.calling import InternalClients
    from partywall.adapters.httpx.receiving import received

__all__ = ["HEADER", "ContextTokens", "InternalClients", "received"]

_LATER = {"InternalClients": "calling", "received": "receiving"}


def __getattr__(name: str) -> Any:
    """Import what needs httpx or FastAPI when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - for these names alone

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
