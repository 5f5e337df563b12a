"""What a service says of a tenant to another one: for one request, and for half a minute."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from partywall.adapters.signing import REFUSED, Signing
from partywall.context import TenantContext
from partywall.errors import ConfigurationError, NotAuthenticated, TenantError

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "X-Partywall-Context"
PURPOSE = "partywall internal call 1"
LIFETIME_S = 30.0
LEEWAY_S = 5.0
"""How far the clocks of two machines may differ."""

ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?\Z")
PORTS = {"http": 80, "https": 443}
LOOPBACK = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])\Z")


class ContextTokens:
    """Makes and takes the tokens of internal calls; the same keys in every service.

    A token is for one service, one method and one address with its query: who sees it can repeat
    that request while it holds, and nothing else.

    Args:
        keys: at least 32 random bytes each; the first one signs, each of them verifies.
        lifetime_s: for how long a token holds.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: without a key, or for one that is too short.
    """

    def __init__(
        self,
        *keys: bytes,
        lifetime_s: float = LIFETIME_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._signing = Signing(keys, PURPOSE)
        self._lifetime_s = lifetime_s
        self._clock = clock

    def __repr__(self) -> str:
        """Without the keys."""
        return f"ContextTokens(lifetime_s={self._lifetime_s})"

    def issued(self, context: TenantContext, *, to: str, method: str, target: str) -> str:
        """A token for one request.

        Args:
            context: for whom.
            to: the origin of the service, as `origin` writes it.
            method: of HTTP.
            target: path and query, as they are sent.
        """
        said = [context.to_json(), to, method, target, self._clock()]
        return self._signing.token(json.dumps(said).encode())

    def context(self, token: str, *, to: str, method: str, target: str) -> TenantContext:
        """The context of a request that was received.

        Raises:
            NotAuthenticated: when the token holds for nothing, no more, or another request.
        """
        try:
            text, *request, at = json.loads(self._signing.payload(token))
            age_s = self._clock() - at
            found = TenantContext.from_json(text)
        except (ValueError, TypeError, TenantError):
            raise NotAuthenticated(REFUSED) from None
        if request != [to, method, target] or not -LEEWAY_S <= age_s <= self._lifetime_s + LEEWAY_S:
            raise NotAuthenticated(REFUSED)
        return found


def origin(address: str) -> str:
    """An origin as it is compared: in small letters, without the port that goes without saying.

    Raises:
        ConfigurationError: for what is more or less than an origin; and for one that is reached
            without TLS, but on this machine.
    """
    match = ORIGIN.match(address.lower().rstrip("/"))
    if match is None:
        raise ConfigurationError(
            f"{address!r} is no origin: write https://billing.internal:8443, without a path"
        )
    scheme, host, port = match.groups()
    if scheme == "http" and not LOOPBACK.match(host):
        raise ConfigurationError(
            f"{address!r} is reached without TLS: whoever is on the way could read and repeat what "
            "says who acts; use https"
        )
    return written(scheme, host, int(port) if port else None)


def written(scheme: str, host: str, port: int | None) -> str:
    """The parts of an origin together."""
    usual = port is None or port == PORTS[scheme]
    return f"{scheme}://{host}" if usual else f"{scheme}://{host}:{port}"
