"""Domains of tenants' own: claimed, proved by a record in the DNS, and only then used."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.resolver
import idna
from sqlalchemy import delete, select, update

from partywall.control import tables
from partywall.control.database import announce, inserting, now
from partywall.control.roles import hold
from partywall.errors import InvalidRecord, RecordConflict, Unavailable, UnknownRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Row

DOMAINS = tables.domains
RECORD = "_partywall-challenge"
PREFIX = "partywall-challenge="
TIMEOUT_S = 5.0
MOST = 50
"""Domains a tenant may have."""

ENDINGS = frozenset(
    {"arpa", "example", "internal", "invalid", "lan", "local", "localhost", "onion", "test"}
)
"""Names that lead nowhere, or into somebody's own network: RFC 6761, RFC 6762, RFC 7686."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain that a tenant has claimed.

    Attributes:
        name: lower case, in its ASCII form.
        challenge: what the DNS must say at `record_name(name)`.
        verified_at: None as long as it is only claimed; it is not used then.
    """

    name: str
    tenant_id: str
    challenge: str
    verified_at: dt.datetime | None


COLUMNS = [DOMAINS.c[name] for name in Domain.__slots__]


def claim(
    connection: Connection, tenant_id: str, name: str, *, beside: Iterable[str] = ()
) -> Domain:
    """Claim a domain for a tenant; the one it returns says what to put into the DNS.

    A claim that nobody has proved can be taken over by another tenant, with a challenge of its
    own: whoever has the domain decides. To claim one's own again changes nothing.

    Args:
        connection: the transaction.
        tenant_id: the tenant.
        name: the domain, in Unicode or in its ASCII form.
        beside: the application's own domains; nobody claims them, or what is below them.

    Raises:
        DeletedTenant: when the tenant is deleted.
        InvalidRecord: for what can't be a domain of a tenant.
        RecordConflict: when it is another tenant's, or the tenant has too many.
        UnknownTenant: when there is no such tenant.
    """
    domain = canonical(name)
    for own in map(canonical, beside):
        if domain == own or domain.endswith(f".{own}"):
            raise InvalidRecord(f"{own} and what is below it belongs to the application")
    hold(connection, tenant_id)  # of many at once, no more than MOST
    if len({each.name for each in listed(connection, tenant_id)} - {domain}) >= MOST:
        raise RecordConflict(f"a tenant has at most {MOST} domains: remove one first")
    row = {
        "name": domain,
        "tenant_id": tenant_id,
        "challenge": secrets.token_urlsafe(32),
        "created_at": now(),
    }
    insert = inserting(connection, DOMAINS)
    taking = insert.values(row).on_conflict_do_update(
        index_elements=[DOMAINS.c.name],
        set_={name: insert.excluded[name] for name in ("tenant_id", "challenge", "created_at")},
        where=DOMAINS.c.verified_at.is_(None) & (DOMAINS.c.tenant_id != tenant_id),
    )
    connection.execute(taking)
    found = one(connection, domain)
    if found is None or found.tenant_id != tenant_id:
        raise RecordConflict("this domain is in use already: remove it there first")
    return found


def verify(
    connection: Connection,
    tenant_id: str,
    name: str,
    *,
    lookup: Callable[[str], Iterable[str]] | None = None,
) -> Domain:
    """Take a claimed domain into use, when the DNS says the tenant's challenge.

    Raises:
        UnknownRecord: when the tenant has not claimed it, or another has claimed it since.
        RecordConflict: when the DNS does not say the challenge.
        Unavailable: when the DNS does not answer.
    """
    claimed = of_tenant(connection, tenant_id, name)
    if claimed.verified_at is not None:
        return claimed
    wanted = record_value(claimed)
    said = (lookup or txt_records)(record_name(claimed.name))
    if not any(secrets.compare_digest(each.encode(), wanted.encode()) for each in said):
        raise RecordConflict(
            f"the DNS does not say so yet: add a TXT record at {record_name(claimed.name)} with "
            f"the value {wanted}, and try again when it can be seen"
        )
    # The challenge is the tenant's own: whoever took the claim over meanwhile has another.
    taken = connection.execute(
        update(DOMAINS)
        .where(DOMAINS.c.name == claimed.name, DOMAINS.c.challenge == claimed.challenge)
        .values(verified_at=now())
    )
    if taken.rowcount == 0:
        raise UnknownRecord("another tenant has claimed this domain meanwhile: claim it again")
    announce(connection, f"tenant:{tenant_id}")
    return of_tenant(connection, tenant_id, name)


def by_name(connection: Connection, host: str) -> str | None:
    """The id of the tenant that has verified the domain."""
    query = select(DOMAINS.c.tenant_id).where(
        DOMAINS.c.name == host, DOMAINS.c.verified_at.is_not(None)
    )
    return connection.execute(query).scalar_one_or_none()


def listed(connection: Connection, tenant_id: str) -> list[Domain]:
    """The domains of a tenant, also those that are only claimed, by name."""
    query = select(*COLUMNS).where(DOMAINS.c.tenant_id == tenant_id).order_by(DOMAINS.c.name)
    return [made(row) for row in connection.execute(query)]


def remove(connection: Connection, tenant_id: str, name: str) -> None:
    """Use a domain no more; anybody may claim it then.

    Raises:
        UnknownRecord: when the tenant has no such domain.
    """
    found = of_tenant(connection, tenant_id, name)
    own = (DOMAINS.c.name == found.name, DOMAINS.c.tenant_id == tenant_id)
    connection.execute(delete(DOMAINS).where(*own))
    announce(connection, f"tenant:{tenant_id}")


def of_tenant(connection: Connection, tenant_id: str, name: str) -> Domain:
    """A domain that the tenant has claimed.

    Raises:
        UnknownRecord: when it has not, whoever else has.
    """
    found = one(connection, canonical(name))
    if found is None or found.tenant_id != tenant_id:
        raise UnknownRecord("this tenant has not claimed such a domain: claim it first")
    return found


def canonical(name: str) -> str:
    """A domain as it is kept and compared: lower case, in its ASCII form, without a final dot.

    UTS 46 with IDNA 2008's rules: https://www.unicode.org/reports/tr46/

    Raises:
        InvalidRecord: for what can't be a domain of a tenant: an address, a wildcard, one label,
            a name that leads nowhere.
    """
    try:
        ascii_form = idna.encode(name.strip().rstrip("."), uts46=True).decode()
    except UnicodeError as error:  # an IDNAError is one
        raise InvalidRecord("this is no domain: write it as in www.example.com") from error
    labels = ascii_form.split(".")
    if (
        len(labels) < 2  # noqa: PLR2004 - one label is a machine, or a whole registry
        or labels[-1].isdigit()
        or labels[-1] in ENDINGS
    ):
        raise InvalidRecord("this can't be a tenant's domain: write it as in www.example.com")
    return ascii_form


def record_name(name: str) -> str:
    """Where the DNS must say the challenge."""
    return f"{RECORD}.{name}"


def record_value(domain: Domain) -> str:
    """What the DNS must say there, in a TXT record."""
    return PREFIX + domain.challenge


def txt_records(name: str, *, resolver: dns.resolver.Resolver | None = None) -> list[str]:
    """What the TXT records of a name say; nothing when there are none.

    Raises:
        Unavailable: when no server answers.
    """
    try:
        answer = (resolver or dns.resolver.Resolver()).resolve(name, "TXT", lifetime=TIMEOUT_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise Unavailable(f"the DNS does not answer about {name}") from error
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer]


def one(connection: Connection, domain: str) -> Domain | None:
    """The claim of a domain."""
    row = connection.execute(select(*COLUMNS).where(DOMAINS.c.name == domain)).first()
    return None if row is None else made(row)


def made(row: Row[Any]) -> Domain:
    """A row as a domain."""
    return Domain(*tuple(row))
