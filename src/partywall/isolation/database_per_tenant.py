"""Database per tenant: one PostgreSQL database for each, on one server or on several."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac, sha256
from secrets import token_bytes
from typing import TYPE_CHECKING, ClassVar

from partywall.errors import ConfigurationError, UnknownTenant
from partywall.isolation.naming import identifier, literal, physical_name
from partywall.isolation.plan import IsolationModel, Place

if TYPE_CHECKING:
    from partywall.context import TenantContext

ROUNDS = 4096
"""PostgreSQL's own number (`scram_iterations`)."""

TOMBSTONE = "partywall: deleted, never to be given out again"


@dataclass(frozen=True, slots=True)
class Step:
    """Statements that go to one database in one message, and so in one transaction.

    Attributes:
        database: where; "" for the database that the administrator is connected to.
        statements: what; a single one where PostgreSQL allows no transaction around it.
    """

    database: str
    statements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DatabasePerTenant(IsolationModel):
    """Each tenant's tables stand in a database of its own.

    Attributes:
        prefix: begins every tenant's database, and the role of the same name.
        logins: log in to each database as its own role. Without, one login may connect to all of
            them, and injected SQL that finds a way to (dblink, postgres_fdw) may as well.
        passwords: for *logins*, from a role's name to its password, asked for each connection;
            None where the server wants none (certificates, a password file). ASCII.
        placement: which of `Tenancy`'s servers a tenant is on, by the tenant's id; None: all are
            on the one in the url.
        connections_per_tenant: how many of all connections one tenant may have; None: all.

    Raises:
        ConfigurationError: for a prefix that can't be, or a share of no connection.
    """

    dialects: ClassVar[frozenset[str]] = frozenset({"postgresql"})
    prefix: str = "t_"
    logins: bool = False
    passwords: Callable[[str], str] | None = field(default=None, repr=False)
    placement: Callable[[str], str] | Mapping[str, str] | None = field(default=None, repr=False)
    connections_per_tenant: int | None = 5

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        physical_name("x", self.prefix)
        if self.connections_per_tenant is not None and self.connections_per_tenant < 1:
            raise ConfigurationError("a tenant needs a connection: connections_per_tenant=5")
        if self.passwords is not None and not self.logins:
            raise ConfigurationError("passwords are those of the tenants' logins: logins=True")

    def database(self, tenant: object) -> str:
        """The name of the tenant's database, and of its role."""
        return physical_name(tenant, self.prefix)

    def place(self, context: TenantContext) -> Place:
        """The tenant's database, its server and its login.

        Raises:
            UnknownTenant: when there is a placement, and it has no server for the tenant.
        """
        name = self.database(context.tenant_id)
        server = self.server(context.tenant_id)
        return Place(name, server=server, database=name, role=name if self.logins else "")

    def server(self, tenant: str) -> str:
        """The name of the tenant's server, "" where there is but one.

        Raises:
            UnknownTenant: when there is a placement, and it has no server for the tenant: it is
                never looked for on another.
        """
        if self.placement is None:
            return ""
        if isinstance(self.placement, Mapping):
            found = self.placement.get(tenant, "")
        else:
            try:
                found = self.placement(tenant)
            except LookupError:
                found = ""
        if not found:
            raise UnknownTenant("the tenant is placed on no server: add it to the placement")
        return found

    def provision(self, tenant: str, login: str) -> tuple[Step, ...]:
        """What makes the tenant's database; nobody can connect until all of it is there.

        The role comes first, also where nobody logs in as it: roles are unique on a server, and
        `remove` leaves it behind. So the first step fails for a name that was ever given out. A
        row in pg_authid is the cheapest thing that PostgreSQL keeps unique for a whole server;
        an empty database as a tombstone would be 7 MB.

        Args:
            tenant: the tenant's id.
            login: the role that the application logs in as; not used with `logins`.
        """
        name = self.database(tenant)
        database = identifier(name)
        user = database if self.logins else identifier(login)
        defaults = "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        return (
            Step("", (f"CREATE ROLE {database} {self._login(name)}",)),
            Step("", (f"CREATE DATABASE {database} ALLOW_CONNECTIONS false",)),
            Step(
                "",
                (
                    # Before the first connection: PUBLIC may connect to what is made.
                    f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
                    f"ALTER DATABASE {database} ALLOW_CONNECTIONS true",
                ),
            ),
            Step(
                name,
                (
                    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
                    f"GRANT USAGE ON SCHEMA public TO {user}",
                    f"{defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {user}",
                    f"{defaults} GRANT USAGE ON SEQUENCES TO {user}",
                    f"GRANT CONNECT ON DATABASE {database} TO {user}",
                ),
            ),
        )

    def remove(self, tenant: str) -> tuple[Step, ...]:
        """What deletes the tenant's database and leaves its role as a tombstone.

        May be repeated after a crash. The first step fails for a tenant that never was.
        """
        database = identifier(self.database(tenant))
        return (
            Step(
                "",
                (
                    f"ALTER ROLE {database} NOLOGIN PASSWORD NULL",
                    f"COMMENT ON ROLE {database} IS '{TOMBSTONE}'",
                ),
            ),
            Step("", (f"DROP DATABASE IF EXISTS {database} WITH (FORCE)",)),
        )

    def _login(self, name: str) -> str:
        if not self.logins:
            return "NOLOGIN"
        if self.passwords is None:
            return "LOGIN"
        return f"LOGIN PASSWORD {literal(verifier(self.passwords(name), token_bytes(16)))}"


def verifier(password: str, salt: bytes) -> str:
    """What the server keeps of a password, so that no statement, and no log of it, contains it.

    Raises:
        ConfigurationError: for an empty password, or one that is not printable ASCII, which the
            server would first have to bring into a normal form.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise ConfigurationError("passwords of tenants' logins are of printable ASCII characters")
    # RFC 5803, and https://www.postgresql.org/docs/current/catalog-pg-authid.html
    salted = pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_, stored_, server_ = (b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ROUNDS}:{salt_}${stored_}:{server_}"
