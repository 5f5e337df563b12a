"""The tables of the control plane: the schema `partywall` in PostgreSQL, a file in SQLite.

What a table holds is said at the table. Ids are UUIDs as text, moments are in UTC, names that
people choose are kept as they gave them beside the form that is compared.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

if TYPE_CHECKING:
    from sqlalchemy import Dialect

SCHEMA = "partywall"
"""In PostgreSQL; SQLite has none."""

STATUSES = ("provisioning", "active", "suspended", "failed", "deleted")


class Moment(TypeDecorator[dt.datetime]):
    """A moment with its zone, which SQLite would lose."""

    impl = DateTime(timezone=True)  # type: ignore[mutable-override]  # never set again
    cache_ok = True  # type: ignore[mutable-override]  # as above

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """In UTC; a moment without a zone is refused.

        Raises:
            ValueError: for a moment without a zone.
        """
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(dt.UTC)

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        """In UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def document() -> JSON:
    """A JSON column."""
    return JSON().with_variant(JSONB(), "postgresql")


def identity() -> Uuid[str]:
    """A column of UUIDs, read and written as text."""
    return Uuid(as_uuid=False)


def of_tenant(**options: Any) -> Column[str]:  # noqa: ANN401 - Column's own
    """A column that names a tenant, whose row is never deleted."""
    return Column("tenant_id", identity(), ForeignKey("partywall.tenants.id"), **options)


metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    },
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", identity(), primary_key=True),
    # What people type. Both are NULL once the tenant is deleted, so that the slug can be taken
    # again, by a tenant with another id; `former_slug` says what it was.
    Column("slug", Text, unique=True),
    Column("skeleton", Text, unique=True),  # what the slug looks like: `partywall.control.slugs`
    Column("former_slug", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # why it is failed or suspended
    Column("placement", Text, nullable=False, server_default=""),  # the name of its server
    Column("settings", document(), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    CheckConstraint(f"status IN {STATUSES}", name="status"),
)

domains = Table(
    "domains",
    metadata,
    Column("name", Text, primary_key=True),  # lower case, in its ASCII form
    of_tenant(nullable=False, index=True),
    Column("challenge", Text, nullable=False),  # what the DNS must say before the domain is used
    Column("verified_at", Moment),
    Column("created_at", Moment, nullable=False),
)
"""A name that several tenants claim belongs to nobody until one has verified it: the first claim
that is not verified can be replaced."""

users = Table(
    "users",
    metadata,
    Column("id", identity(), primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),  # as it is compared
    Column("name", Text, nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False, server_default=""),  # "" : can't log in with one
    Column("version", BigInteger, nullable=False, server_default="1"),  # tokens name it
    Column("disabled_at", Moment),
    Column("created_at", Moment, nullable=False),
)

roles = Table(
    "roles",
    metadata,
    of_tenant(primary_key=True),
    Column("name", Text, primary_key=True),
    Column("permissions", document(), nullable=False),  # a list of names
)
"""Roles that a tenant has defined or changed; the built-in ones stand in code."""

memberships = Table(
    "memberships",
    metadata,
    of_tenant(primary_key=True),
    Column("user_id", identity(), ForeignKey("partywall.users.id"), primary_key=True, index=True),
    Column("role", Text, nullable=False),
    # Counts up when the membership ends, and tokens name it: one of an earlier membership is void.
    Column("version", BigInteger, nullable=False),
    Column("ended_at", Moment),
    Column("created_at", Moment, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", identity(), primary_key=True),
    of_tenant(nullable=False, index=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("invited_by", identity(), ForeignKey("partywall.users.id"), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("revoked_at", Moment),
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", identity(), primary_key=True),
    of_tenant(nullable=False, index=True),
    Column("user_id", identity(), nullable=False),  # whose membership it acts under
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("permissions", document(), nullable=False),  # a list: what it may of what its user may
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("created_at", Moment, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "user_id"],
        ["partywall.memberships.tenant_id", "partywall.memberships.user_id"],
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),  # a hash of who tries what
    Column("begun_at", Moment, primary_key=True),  # of the window
    Column("count", Integer, nullable=False),
)
"""What is limited by count in a window of time: log-ins, invitations, registrations."""

works = Table(
    "works",
    metadata,
    Column("id", identity(), primary_key=True),
    of_tenant(nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("engine", Text, nullable=False),  # dbos, temporal
    # begun, done, failed (undone again), stuck (could not even be undone)
    Column("state", Text, nullable=False),
    Column("step", Text, nullable=False, server_default=""),  # the last one that was begun
    Column("reason", Text, nullable=False, server_default=""),
    Column("certificate", document()),  # what a removal has removed
    Column("not_before", Moment),  # of a removal: the end of its grace period
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    CheckConstraint("kind IN ('provision', 'remove')", name="kind"),
)
"""Durable workflows, one row each: what they do with which tenant, and how far they are."""

Index(
    "works_one_at_a_time",
    works.c.tenant_id,
    unique=True,
    postgresql_where=works.c.state == "begun",
    sqlite_where=works.c.state == "begun",
)

audit_log = Table(
    "audit_log",
    metadata,
    # Not a foreign key: entries also stand under "", for what concerns no tenant.
    Column("tenant_id", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),  # a user's id, an API key's, or the name of a process
    Column("action", Text, nullable=False),  # member.removed
    Column("subject", Text, nullable=False),  # of what: an id
    Column("source", Text, nullable=False),  # from where: an address
    Column("detail", document(), nullable=False),
    Column("previous", LargeBinary, nullable=False),  # the hash of the entry before
    Column("hash", LargeBinary, nullable=False),
)

quotas = Table(
    "quotas",
    metadata,
    of_tenant(primary_key=True),
    Column("kind", Text, primary_key=True),  # rows, storage_bytes, requests_per_minute, members, …
    Column("limit", BigInteger),  # NULL: none
    Column("used", BigInteger, nullable=False, server_default="0"),  # with what is reserved
    Column("begun_at", Moment),  # of the window that `used` counts; NULL where there are none
    CheckConstraint("used >= 0", name="used"),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", identity(), primary_key=True),  # stands in all that the key seals
    of_tenant(nullable=False),
    Column("purpose", Text, nullable=False),
    Column("number", Integer, nullable=False),  # counts the versions, from 1; the newest seals
    Column("kek", Text, nullable=False),  # the version of the key-encryption key that wraps it
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("tenant_id", "purpose", "number"),
    CheckConstraint("purpose IN ('seal', 'index')", name="purpose"),
)
"""The keys of `partywall.encryption`, wrapped by a key that is never in this database."""

grants = Table(
    "grants",
    metadata,
    Column("id", identity(), primary_key=True),
    Column("user_id", identity(), ForeignKey("partywall.users.id"), nullable=False, index=True),
    of_tenant(nullable=True),  # NULL: every tenant
    Column("reason", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("created_at", Moment, nullable=False),
)
"""Access of administrators to tenants that they are no members of."""

administrators = Table(
    "administrators",
    metadata,
    Column("user_id", identity(), ForeignKey("partywall.users.id"), primary_key=True),
    Column("networks", document(), nullable=False),  # a list, in CIDR form, from where they may
    Column("created_at", Moment, nullable=False),
)
