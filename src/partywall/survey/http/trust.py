"""Whose certificates are believed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


@cache
def trust(*, verify: bool = True) -> ssl.SSLContext:
    """What a client checks a server's certificate with, or that it takes any.

    Made once: to read all authorities takes longer than a hundred requests.
    """
    return httpx.create_ssl_context(verify=verify, trust_env=False)
