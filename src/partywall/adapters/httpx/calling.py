"""Clients of httpx that say for whom they ask, to the services that are named.

The header is put on where a request leaves, below the client: each hop of a redirect comes by
there, and is looked at anew. What the client shows of a request, in hooks, logs and
`response.request`, doesn't have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.adapters.httpx.tokens import HEADER, PORTS, ContextTokens, origin, written
from partywall.context import TenantContext, required
from partywall.errors import ConfigurationError

try:
    import httpx
except ModuleNotFoundError as error:
    if error.name != "httpx":
        raise
    raise ConfigurationError(
        "partywall.adapters.httpx.InternalClients needs httpx: pip install 'partywall[httpx]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = "partywall.origin"
"""In the extensions of a request: where it went first. httpx takes them along in a redirect."""

REFUSED = {
    "transport": "requests would leave past the one that knows the services",
    "mounts": "requests would leave past the one that knows the services",
    "proxy": "the proxy could read and repeat what says who acts",
    "app": "requests would leave past the one that knows the services",
}
"""Options of a client, and why they would leak or lose the header."""


class InternalClients:
    """Makes clients for contexts, all over one pool of connections.

    Requests to the origins that are named carry the context, signed for that very request. Others
    go out without it, and so does one that a redirect has led from one origin to another, also
    between two that are named: who redirects would choose what is asked in the tenant's name.

    Args:
        tokens: what signs.
        to: origins of services: `https://billing.internal:8443`; without TLS on this machine only.
        options: of `httpx.HTTPTransport`: `verify=` (not False), `cert=`, `limits=`, `http2=`.

    Raises:
        ConfigurationError: for what is no origin, and for options that would leak a context.
    """

    def __init__(self, tokens: ContextTokens, *, to: Iterable[str], **options: Any) -> None:
        if options.get("verify") is False:
            raise ConfigurationError(
                "verify=False: anybody on the way could be the service, and be told who acts; give "
                "verify= the certificate of your authority"
            )
        refuse(options)
        self._tokens = tokens
        self._origins = frozenset(origin(each) for each in to)
        self._options = options
        self._pool: httpx.HTTPTransport | None = None
        self._async_pool: httpx.AsyncHTTPTransport | None = None

    def client(self, context: TenantContext, **options: Any) -> httpx.Client:
        """A client for one context; closing it leaves the pool open.

        Args:
            context: for whom it asks.
            options: of `httpx.Client`: `base_url=`, `timeout=`, `headers=`.

        Raises:
            MissingTenant: without a context.
            ConfigurationError: for options that would leak it.
        """
        refuse(options)
        if self._pool is None:
            self._pool = httpx.HTTPTransport(**self._options)
        transport = Stamping(self._stamper(context), self._pool)
        return httpx.Client(transport=transport, **options)

    def async_client(self, context: TenantContext, **options: Any) -> httpx.AsyncClient:
        """As `client`, for async code; of one event loop."""
        refuse(options)
        if self._async_pool is None:
            self._async_pool = httpx.AsyncHTTPTransport(**self._options)
        transport = AsyncStamping(self._stamper(context), self._async_pool)
        return httpx.AsyncClient(transport=transport, **options)

    def close(self) -> None:
        """Close the connections of sync code."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    async def async_close(self) -> None:
        """Close the connections, of async code and of sync code."""
        pool, self._async_pool = self._async_pool, None
        if pool is not None:
            await pool.aclose()
        self.close()

    def _stamper(self, context: TenantContext) -> Stamper:
        required(
            context,
            "a client asks for a TenantContext: pass on the one that was made where the request "
            "is authenticated",
        )
        return Stamper(self._tokens, context, self._origins)


class Stamper:
    """Says which requests carry the context."""

    def __init__(
        self, tokens: ContextTokens, context: TenantContext, origins: frozenset[str]
    ) -> None:
        self._tokens = tokens
        self._context = context
        self._origins = origins

    def stamped(self, request: httpx.Request) -> httpx.Request:
        """The request as it leaves; a copy, so that nobody else sees the header."""
        to = origin_of(request.url)
        if request.extensions.setdefault(FIRST, to) != to:
            request.extensions[FIRST] = ""  # nor when it is led back from there
        headers = request.headers.copy()
        if HEADER in headers:
            del headers[HEADER]  # whoever put it there
        if request.extensions[FIRST] in self._origins:
            headers[HEADER] = self._tokens.issued(
                self._context,
                to=to,
                method=request.method,
                target=target_of(request.url),
            )
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )


class Stamping(httpx.BaseTransport):
    """Sends by a pool that is others' too.

    A client that is given a transport asks the environment for no proxy.
    """

    def __init__(self, stamper: Stamper, pool: httpx.HTTPTransport) -> None:
        self._stamper = stamper
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        return self._pool.handle_request(self._stamper.stamped(request))


class AsyncStamping(httpx.AsyncBaseTransport):
    """As `Stamping`, for async code."""

    def __init__(self, stamper: Stamper, pool: httpx.AsyncHTTPTransport) -> None:
        self._stamper = stamper
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        return await self._pool.handle_async_request(self._stamper.stamped(request))


def target_of(url: httpx.URL) -> str:
    """Path and query as they are sent; a `?` without a query no server passes on."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    return f"{path}?{query}" if query else path


def origin_of(url: httpx.URL) -> str:
    """The origin of an address, as it is compared; what is no HTTP is none of ours."""
    host = url.raw_host.decode("ascii").lower()
    host = f"[{host}]" if ":" in host else host
    return written(url.scheme, host, url.port) if url.scheme in PORTS else ""


def refuse(options: dict[str, Any]) -> None:
    """Refuse options by which a context would leak.

    Raises:
        ConfigurationError: naming the option.
    """
    for name in options:
        if name in REFUSED:
            raise ConfigurationError(f"{name}= can't be given here: {REFUSED[name]}")
    if options.get("trust_env"):
        raise ConfigurationError(
            "trust_env=True can't be given here: the environment names proxies"
        )
