"""Which tenant a request is about: sources that each say one tenant, or nothing.

What the sources say is compared, never ranked: two that name different tenants, or of which one
names nobody, are refused with 400, and a name that nobody has is the same 404 as another's tenant.
So neither answer depends on whether a tenant exists that the caller is no member of.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import HTTPConnection

    from partywall.control.access import Access
    from partywall.control.tenants import Tenant

LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST = re.compile(rf"({LABEL}(?:\.{LABEL})*)\.?(?::[0-9]{{0,5}})?\Z")
ADDRESS = re.compile(r"\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?\Z")
LONGEST_HOST = 253
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
"""What a slug can be at most; what is none is not looked up."""

DECOY = "--0"
"""The end of what can be asked for, and is neither a slug nor a domain."""

By = Literal["slug", "id"]


@dataclass(frozen=True, slots=True)
class Named:
    """What a source said.

    Attributes:
        by: what kind of name it is.
        value: the name, as it was sent.
        source: who said it, for the audit log.
        certain: whether it is a tenant's name at all; a host may also be another way to the
            application, as long as no tenant has it.
    """

    by: Literal["slug", "id", "domain"]
    value: str
    source: str
    certain: bool = True


class Source(Protocol):
    """Says which tenant a request names."""

    def named(self, connection: HTTPConnection) -> Named | None:
        """The tenant that *connection* names here; None when it names none.

        Raises:
            HTTPException: 400, when it can't be told which.
        """


@dataclass(frozen=True, slots=True)
class Subdomain:
    """The tenant's slug as the one label before *base*: `acme.example.com`.

    Args:
        base: the domain that all tenants' names end with.
        own: labels that are the application's: `www`, `api`.
        header: which header has the host. `x-forwarded-host` only behind a proxy that sets it
            anew on each request; otherwise anybody chooses it.

    Raises:
        ConfigurationError: when *base* is no host name in small ASCII letters.
    """

    base: str
    own: tuple[str, ...] = ()
    header: str = "host"

    def __post_init__(self) -> None:
        """Hold *base* to what hosts are compared with."""
        if not bare(self.base):
            raise ConfigurationError(
                f"Subdomain({self.base!r}): give a host name in small ASCII letters, without port "
                "and dot at its end"
            )

    def named(self, connection: HTTPConnection) -> Named | None:
        """The label; several labels are a name that nobody has."""
        name = host(connection, self.header)
        if name is None or not name.endswith(f".{self.base}"):
            return None
        label = name.removesuffix(f".{self.base}")
        return None if label in self.own else Named("slug", label, "subdomain")


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """The tenant that has verified the request's host as its domain.

    Hosts below the base of a `Subdomain`, addresses and hosts without a dot are never a tenant's.

    Args:
        own: the hosts of the application itself. With them, any other host names a tenant, which
            may be unknown; without them, a host that no tenant has says nothing.
        header: as of `Subdomain`.
        zones: the bases of `Subdomain` beside it; `TenantAccess` fills them in.
    """

    own: tuple[str, ...] = ()
    header: str = "host"
    zones: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold *own* to what hosts are compared with.

        Raises:
            ConfigurationError: when one is no host name in small ASCII letters.
        """
        if not all(bare(name) for name in self.own):
            raise ConfigurationError(
                "CustomDomain(own=…): give host names in small ASCII letters, without ports"
            )

    def named(self, connection: HTTPConnection) -> Named | None:
        """The host."""
        name = host(connection, self.header)
        if name is None or name in self.own or "." not in name or numeric(name):
            return None
        if any(name == zone or name.endswith(f".{zone}") for zone in self.zones):
            return None
        return Named("domain", name, "domain", certain=bool(self.own))


@dataclass(frozen=True, slots=True)
class Header:
    """The tenant in a header, by its slug or its id; nothing where the header is absent."""

    name: str = "X-Tenant"
    by: By = "slug"

    def named(self, connection: HTTPConnection) -> Named | None:
        """The header's value, as it is."""
        value = single(connection, self.name)
        return None if value is None else Named(self.by, value, "header")


@dataclass(frozen=True, slots=True)
class PathParam:
    """The tenant in a parameter of the route's path, by its slug or its id.

    Nothing on routes without that parameter. A server decodes the path before it is routed, so
    that `%2F` would divide it at another place than a proxy in front sees; refused from there on.
    """

    name: str = "tenant"
    by: By = "slug"

    def named(self, connection: HTTPConnection) -> Named | None:
        """The parameter's value."""
        value = connection.path_params.get(self.name)
        if value is None:
            return None
        if str(value) not in whole(connection):
            raise HTTPException(400, "an encoded slash stands before the tenant's name in the path")
        return Named(self.by, str(value), "path")


@dataclass(frozen=True, slots=True)
class OnlyMembership:
    """The tenant that the credential is for, or the only one that the user is a member of.

    Asked where the request itself names none, wherever it stands in the list.
    """

    def named(self, connection: HTTPConnection) -> None:
        """Nothing: it is the caller that is asked, and not the request."""


def single(connection: HTTPConnection, header: str) -> str | None:
    """The one value of a header; None where it is absent.

    Raises:
        HTTPException: 400, when it is there more than once.
    """
    values = connection.headers.getlist(header)
    if len(values) > 1:
        raise HTTPException(400, f"the header {header} is there more than once")
    return values[0] if values else None


def host(connection: HTTPConnection, header: str) -> str | None:
    """The host name of a request, in small letters, without port and dot at the end.

    None where there is none, or an address in brackets.

    Raises:
        HTTPException: 400, when it is no host name in ASCII.
    """
    value = single(connection, header)
    if not value or ADDRESS.match(value):
        return None
    match = HOST.match(value)
    if match is None or len(match[1]) > LONGEST_HOST:
        raise HTTPException(400, f"the header {header} is no host name")
    return match[1].lower()


def bare(name: str) -> bool:
    """Whether *name* is written as `host` gives it back."""
    match = HOST.match(name)
    return match is not None and str(match[1]) == name == name.lower()


def numeric(name: str) -> bool:
    """Whether a host is an IPv4 address."""
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def whole(connection: HTTPConnection) -> list[str]:
    """The path's segments up to the first that has an encoded slash, decoded."""
    raw = connection.scope.get("raw_path")
    if raw is None:
        return str(connection.scope["path"]).split("/")
    segments = []
    for segment in raw.split(b"?")[0].split(b"/"):
        decoded = unquote_to_bytes(segment)
        if b"/" in decoded:
            break
        segments.append(decoded.decode("utf-8", "surrogateescape"))
    return segments


def arranged(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The sources, each `CustomDomain` told of the zones that are others'."""
    given = tuple(sources)
    zones = tuple(each.base for each in given if isinstance(each, Subdomain))
    return tuple(
        replace(each, zones=zones) if isinstance(each, CustomDomain) else each for each in given
    )


def said(sources: Sequence[Source], connection: HTTPConnection) -> list[Named]:
    """All that the sources say."""
    return [named for each in sources if (named := each.named(connection)) is not None]


async def looked_up(directory: Access, named: Named) -> Tenant | None:
    """The tenant that has the name; None for nobody, and for what can't be a name."""
    match named.by:
        case "slug":
            known = SLUG.match(named.value)
            return await directory.async_tenant_by_slug(named.value) if known else None
        case "id":
            return await directory.async_tenant(named.value)
        case "domain":
            return await directory.async_tenant_by_domain(named.value)


def nobody(named: Named | None) -> str:
    """The id of no tenant, for each name another: asked for where a name has no tenant."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, named.value if named is not None else ""))


def decoy(named: Named) -> Named:
    """A name of the same kind that nobody has.

    Asked for where a name has a tenant to which the caller is a stranger: that there is none is
    forgotten sooner than that there is one, and the clock would tell.
    """
    match named.by:
        case "slug":
            return replace(named, value=f"{named.value[:60]}{DECOY}")
        case "id":
            return replace(named, value=nobody(named))
        case "domain":
            return replace(named, value=f"{named.value[:250]}{DECOY}")


async def agreed(directory: Access, names: Sequence[Named]) -> tuple[Named | None, Tenant | None]:
    """What the sources agree upon, and the tenant; a name without a tenant is nobody's.

    Raises:
        HTTPException: 400, when they don't agree. A name that nobody has agrees with itself alone,
            so that the answer says nothing about who exists.
    """
    agreed_on: Named | None = None
    tenant: Tenant | None = None
    for named in names:
        found = await looked_up(directory, named)
        if found is None and not named.certain:
            continue
        if agreed_on is None:
            agreed_on, tenant = named, found
        elif (named.by, named.value) == (agreed_on.by, agreed_on.value):
            continue
        elif tenant is None or found is None or tenant.id != found.id:
            raise HTTPException(400, "the request names different tenants in different places")
    return agreed_on, tenant
