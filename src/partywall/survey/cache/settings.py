"""What a survey of a cache is told: ``[cache]``, and each tenant's login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.survey.configuration import of_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.declared import Table

KEYS = frozenset({"url"})
TENANT_KEYS = frozenset({"url", "prefix", "channels"})
SCHEMES = ("redis://", "rediss://", "unix://")


@dataclass(frozen=True, slots=True)
class CacheLogin:
    """How one tenant's code uses the cache.

    Attributes:
        prefix: what the names of its keys begin with.
        channels: what the names of its channels begin with.
    """

    name: str
    url: str
    prefix: str
    channels: str


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """All that a survey of a cache is told.

    Attributes:
        url: an administrator's: observes, plants keys beside the tenants' own, and removes them.
        attacker: ``query`` reaches a login that tenants share only through the application.
    """

    url: str
    tenants: Mapping[str, CacheLogin]
    attacker: str = "query"


def load(whole: Table) -> CacheSettings | None:
    """Read ``[cache]`` and ``[tenants.NAME.cache]``; None where there is no ``[cache]``.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    if "cache" not in whole.values:
        return None
    table = whole.table("cache").only(KEYS)
    told = of_layer(whole, "cache", TENANT_KEYS)
    tenants = {name: _login(name, entry) for name, entry in told.items()}
    _distinct(tenants)
    attacker = whole.table("survey").text("attacker", "query")
    return CacheSettings(_address(table.text("url"), "[cache]"), tenants, attacker)


def _login(name: str, table: Table) -> CacheLogin:
    prefix = table.text("prefix")
    if not prefix:
        raise ConfigurationError(
            f'{table.where} prefix is "": say what the names of its keys begin with, as in '
            f'prefix = "{name}:"'
        )
    return CacheLogin(
        name, _address(table.text("url"), table.where), prefix, table.text("channels", prefix)
    )


def _address(url: str, where: str) -> str:
    if not url.startswith(SCHEMES):
        raise ConfigurationError(
            f"{where} url is no address of a Redis; write it as redis://login:password@host:port/0"
        )
    return url


def _distinct(tenants: Mapping[str, CacheLogin]) -> None:
    """Refuse prefixes of which one holds the other: then a tenant's key is another's as well."""
    for one in tenants.values():
        for other in tenants.values():
            if one is not other and other.prefix.startswith(one.prefix):
                raise ConfigurationError(
                    f"[tenants.{one.name}.cache] prefix {one.prefix!r} holds that of "
                    f"{other.name}, {other.prefix!r}: nothing could tell whose a key is"
                )
