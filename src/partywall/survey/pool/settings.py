"""What the survey of a pool is told: ``[pool]``, and the tenants' logins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from partywall.errors import ConfigurationError
from partywall.survey.addresses import parts, without_secret
from partywall.survey.configuration import logins

if TYPE_CHECKING:
    from partywall.survey.configuration import TenantSettings
    from partywall.survey.declared import Table

KEYS = frozenset({"url", "size", "at_once", "wait_s", "patience_s"})


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """All that the survey of a pool is told.

    Attributes:
        url: the pool's address, "" where it is reached through the API alone.
        size: so many sessions the pool has for one login and one database, at most.
        at_once: so many requests make a storm: more than the application has connections.
        wait_s: so long a session is waited for, until the pool counts as exhausted.
        patience_s: so long the application has to answer again after a storm.
        tenants: A and B, each with its login's address at the pool; () without `url`.
        anonymous: who has no tenant, likewise; A's login where nobody says it.
    """

    url: str = ""
    size: int = 20
    at_once: int = 40
    wait_s: float = 2
    patience_s: float = 30
    tenants: tuple[TenantSettings, ...] = ()
    anonymous: TenantSettings | None = None

    @property
    def target(self) -> str:
        """The pool's address, without secrets."""
        return without_secret(self.url) if self.url else ""


def load(whole: Table) -> PoolSettings | None:
    """Read ``[pool]``; None where there is none.

    The tenants are those of the audit: their logins, at the pool's address, and what they enter
    by. ``[tenants.NAME.pool] url`` says it where a tenant has an address of its own there.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    if "pool" not in whole.values:
        return None
    table = whole.table("pool").only(KEYS)
    for name, entry in (*whole.named("tenants").items(), ("anonymous", whole.table("anonymous"))):
        entry.table("pool").only({"url"})
        if "pool" in entry.values and "url" not in table.values:
            raise ConfigurationError(
                f"[tenants.{name}.pool] says where the pool is, and [pool] url doesn't"
            )
    settings = PoolSettings(
        table.text("url", ""),
        _count(table, "size", 20),
        _count(table, "at_once", 40),
        table.number("wait_s", 2),
        table.number("patience_s", 30),
    )
    return _with_logins(settings, whole) if settings.url else settings


def _count(table: Table, name: str, default: int) -> int:
    found = table.number(name, default)
    if found < 1 or found != int(found):
        raise ConfigurationError(f"{table.where} needs {name} = a whole number, 1 or more")
    return int(found)


def _with_logins(settings: PoolSettings, whole: Table) -> PoolSettings:
    tenants, anonymous = logins(whole)
    if len(tenants) < 2:  # noqa: PLR2004 - who leaves something, and who finds it
        raise ConfigurationError(
            "[pool] has a url, and two tenants of [tenants] need the login of their url, and what "
            "they enter by: a survey needs two to hold apart"
        )
    nobody = anonymous or replace(tenants[0], name="anonymous", id="", enter=(), prove=())
    return replace(
        settings,
        tenants=tuple(_at_pool(settings.url, one, whole) for one in tenants[:2]),
        anonymous=_at_pool(settings.url, nobody, whole),
    )


def _at_pool(pool: str, one: TenantSettings, whole: Table) -> TenantSettings:
    """The same tenant, at the pool's address."""
    entry = (
        whole.table("anonymous") if one.name == "anonymous" else whole.named("tenants")[one.name]
    )
    own = entry.table("pool").text("url", "")
    if own:
        parts(own, f"{entry.where} pool url")
        return replace(one, url=own)
    there, login = parts(pool, "[pool] url"), parts(one.url, f"{entry.where} url")
    taken = {name: login[name] for name in ("user", "password") if login.get(name)}
    if "dbname" not in there and login.get("dbname"):
        taken["dbname"] = login["dbname"]
    return replace(one, url=make_conninfo(pool, **taken))
