"""Which pages may open a WebSocket: a browser lets any, and sends the cookies along.

Browsers apply no same-origin policy to WebSockets; they say where the page is from, and leave it to
the server (RFC 6455, 10.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import HTTPConnection

ORIGIN = re.compile(r"(https?)://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?\Z")
SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
USUAL = {"http": ":80", "https": ":443"}


class Origins:
    """The pages that may.

    Args:
        allowed: origins besides the application's own: `https://app.example.com`.

    Raises:
        ConfigurationError: for what is no origin; there are no patterns.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        if isinstance(allowed, str):
            raise ConfigurationError("origins are a list: origins=['https://app.example.com']")
        self._allowed = frozenset(canonical(each) for each in allowed)
        if "" in self._allowed:
            raise ConfigurationError(
                "origins: give each as a browser sends it, scheme, host and perhaps a port, as in "
                "https://app.example.com; there are no patterns"
            )

    def admit(self, connection: HTTPConnection) -> None:
        """Take a handshake from an allowed page, from the application's own, or from no browser.

        Raises:
            NotPermitted: for any other one, and where it is not told clearly.
        """
        told = connection.headers.getlist("origin")
        if not told:
            return  # a browser tells it with every handshake
        origin = canonical(told[0]) if len(told) == 1 else ""
        if not origin or (origin not in self._allowed and origin != own(connection)):
            raise NotPermitted("pages of this origin may open no socket here")


def canonical(origin: str) -> str:
    """An origin without the port that its scheme has anyway; "" for what is none."""
    match = ORIGIN.match(origin.lower())
    if match is None:
        return ""
    scheme, host, port = match[1], match[2], match[3] or ""
    return f"{scheme}://{host}{'' if port == USUAL[scheme] else port}"


def own(connection: HTTPConnection) -> str:
    """The origin of the application's own pages, as this request has reached it."""
    hosts = connection.headers.getlist("host")
    scheme = SCHEMES.get(connection.scope.get("scheme", ""), "")
    return canonical(f"{scheme}://{hosts[0]}") if len(hosts) == 1 else ""
