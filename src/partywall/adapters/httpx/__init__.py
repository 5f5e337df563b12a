"""A tenant's context from one service to the next: signed, to the hosts that are named, no others.

`calling` sends it with httpx, `receiving` takes it in FastAPI; neither needs the other's library.
"""

from typing import TYPE_CHECKING

from partywall.adapters.httpx.tokens import HEADER, ContextTokens
from partywall.adapters.late import late

if TYPE_CHECKING:
    from partywall.adapters.httpx.calling import InternalClients
    from partywall.adapters.httpx.receiving import received

__all__ = ["HEADER", "ContextTokens", "InternalClients", "received"]

__getattr__ = late(__name__, {"InternalClients": "calling", "received": "receiving"})
