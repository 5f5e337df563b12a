"""Schema per tenant: one PostgreSQL schema for each, entered by search_path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from partywall.errors import ConfigurationError
from partywall.isolation.naming import identifier, literal, physical_name
from partywall.isolation.plan import IsolationModel

if TYPE_CHECKING:
    from partywall.context import TenantContext


@dataclass(frozen=True, kw_only=True)
class SchemaPerTenant(IsolationModel):
    """Each tenant's tables stand in a schema of its own.

    Entering sets the search_path to the tenant's schema and the extensions', for the transaction;
    shared tables are named with their schema (`shared.plans`). Outside of a transaction the path
    is empty, so that no name resolves by accident.

    Attributes:
        prefix: begins every tenant's schema.
        extensions: schemas of extensions' types, functions and operators; never of tables.
        roles: enter with `SET LOCAL ROLE` to a role of the tenant's own, which alone may use its
            schema: then also injected SQL that names another tenant's schema is refused.

    Raises:
        ConfigurationError: when `public` or a tenant's schema is among *extensions*.
    """

    dialects: ClassVar[frozenset[str]] = frozenset({"postgresql"})
    prefix: str = "t_"
    extensions: tuple[str, ...] = ()
    roles: bool = False
    tenants_per_connection: int | None = 200

    def __post_init__(self) -> None:
        """Refuse a path on which something could stand by accident."""
        physical_name("x", self.prefix)
        for schema in self.extensions:
            if schema == "public" or schema.startswith(self.prefix):
                raise ConfigurationError(
                    f"{schema!r} can't be on every tenant's search_path, where its tables would "
                    "take the place of missing ones: move extensions to a schema of their own "
                    "(CREATE SCHEMA extensions; ALTER EXTENSION … SET SCHEMA extensions)"
                )

    def schema(self, tenant: str) -> str:
        """The name of the tenant's schema, and of its role."""
        return physical_name(tenant, self.prefix)

    def enter(self, context: TenantContext) -> tuple[str, ...]:
        """Confirm that the tenant's schema exists, become its role, and set the path to it."""
        schema = self.schema(context.tenant_id)
        path = ", ".join(identifier(name) for name in (schema, *self.extensions))
        role = (f"SET LOCAL ROLE {identifier(schema)}",) if self.roles else ()
        confirm = f"SELECT {literal(identifier(schema))}::pg_catalog.regnamespace"
        # pg_temp last: else a temporary table would be found before the tenant's.
        return (confirm, *role, f"SET LOCAL search_path = {path}, pg_temp")

    def settings(self) -> dict[str, str]:
        """An empty path between transactions."""
        return {"search_path": '""'}

    def provision(self, tenant: str, login: str) -> tuple[str, ...]:
        """The statements that make the tenant's schema, in one transaction.

        They fail when the schema exists, also as the tombstone that `remove` leaves: a name is
        given out once.

        Args:
            tenant: the tenant's id.
            login: the role that the application logs in as.
        """
        schema = identifier(self.schema(tenant))
        user = identifier(login)
        if self.roles:
            return (
                f"CREATE SCHEMA {schema}",
                f"CREATE ROLE {schema} NOLOGIN",
                # Else the login would have every tenant's rights before it has become one.
                f"ALTER ROLE {user} NOINHERIT",
                f"GRANT {schema} TO {user}",
                *self.grants(schema, schema),
            )
        return (f"CREATE SCHEMA {schema}", *self.grants(schema, user))

    def grants(self, schema: str, role: str) -> tuple[str, ...]:
        """What *role*, quoted, may do in *schema*, quoted: rows, and nothing of the structure."""
        defaults = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT"
        return (
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            f"{defaults} USAGE ON SEQUENCES TO {role}",
        )

    def remove(self, tenant: str, login: str) -> tuple[str, ...]:
        """The statements that delete the tenant's data and leave a tombstone, in one transaction.

        The empty schema stays, without a grant, so that its name can't be given out again.
        """
        name = self.schema(tenant)
        schema = identifier(name)
        gone: tuple[str, ...] = (f"DROP SCHEMA {schema} CASCADE",)
        if self.roles:
            gone += (f"DROP OWNED BY {schema}", f"REVOKE {schema} FROM {identifier(login)}")
            gone += (f"DROP ROLE {schema}",)
        return (
            *gone,
            f"CREATE SCHEMA {schema}",
            f"COMMENT ON SCHEMA {schema} IS 'partywall: deleted, never to be given out again'",
        )
