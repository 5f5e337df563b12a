"""The tenants of a case as clients of its server."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.probe.corpus.case import Case

TIMEOUT_S = 10
TLS = ssl.create_default_context()
"""Never used, but made anew for each client otherwise, which takes longer than a case."""


@contextmanager
def clients(case: Case, port: int) -> Iterator[list[httpx.Client]]:
    """A client of each tenant, in their order, logged in."""
    with ExitStack() as stack:
        made = [client(one, port) for one in case.tenants.values()]
        for one in made:
            stack.callback(one.close)
        yield made


def client(tenant: Mapping[str, Any], port: int) -> httpx.Client:
    """A client of one tenant; a subdomain goes into `Host`, so that no name is looked up."""
    headers = dict(tenant.get("headers", {}))
    if base := tenant.get("base"):
        headers["host"] = urlsplit(base.format(port=port)).netloc
    made = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers=headers,
        cookies=dict(tenant.get("cookies", {})),
        timeout=TIMEOUT_S,
        verify=TLS,
        trust_env=False,
    )
    if login := tenant.get("login"):
        answer = made.request(login["request"]["method"], **wire(login["request"]))
        assert answer.is_success
        found = answer.json()
        made.headers.update({k: v.format(**found) for k, v in login.get("headers", {}).items()})
    return made


def wire(request: Mapping[str, Any]) -> dict[str, Any]:
    """A declared request in httpx's words."""
    sent: dict[str, Any] = {"url": request["path"]}
    if "json" in request:
        sent["json"] = request["json"]
    if "form" in request:
        sent["data"] = request["form"]
    return sent


def nobody(of: httpx.Client) -> httpx.Client:
    """A client of the same server that shows nothing at the door."""
    return httpx.Client(base_url=of.base_url, timeout=TIMEOUT_S, verify=TLS, trust_env=False)
