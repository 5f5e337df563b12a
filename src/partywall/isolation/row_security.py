"""Row security: one set of tables, and policies of PostgreSQL that show each tenant its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from partywall.errors import ConfigurationError, MissingTenant
from partywall.isolation.naming import identifier, literal
from partywall.isolation.plan import IsolationModel
from partywall.isolation.sealing import asking, entering

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from partywall.context import TenantContext

SETTING = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)+\Z")
SPELT = {"uuid": UUID, "bigint": int, "integer": int, "text": str}
"""The types of a tenant column, and what reads an id of each."""


@dataclass(frozen=True, kw_only=True)
class RowSecurity(IsolationModel):
    """Rows of all tenants share tables; the server shows each transaction its tenant's.

    Attributes:
        column: the column that holds the tenant, in every tenant-owned table.
        type: its type: `uuid`, `bigint`, `integer` or `text`.
        setting: the setting that carries the tenant to the policies.
        schema: where partywall's own functions stand.
        shared: tables whose rows every tenant may read. All other tables are tenants'.
        sealed: whether the setting must carry a seal that only a holder of *key* can have made.
        key: the secret of sealed contexts, at least 32 bytes; the login never sees it.

    Raises:
        ConfigurationError: for a type or a setting that can't be, and for a missing key.
    """

    dialects: ClassVar[frozenset[str]] = frozenset({"postgresql"})
    column: str = "tenant_id"
    type: str = "uuid"
    setting: str = "app.tenant_id"
    schema: str = "partywall"
    shared: AbstractSet[str] = frozenset()
    sealed: bool = False
    key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Hold the declaration to what the server can do."""
        object.__setattr__(self, "shared", frozenset(self.shared))
        identifier(self.column)
        identifier(self.schema)
        if self.type not in SPELT:
            raise ConfigurationError(
                f"a tenant column of type {self.type!r} is not supported: "
                f"use one of {', '.join(sorted(SPELT))}"
            )
        if not SETTING.match(self.setting):
            raise ConfigurationError(
                f"{self.setting!r} can't carry the tenant: name a setting with a dot in it, "
                "such as app.tenant_id"
            )
        if self.sealed and len(self.key) < 32:  # noqa: PLR2004 - the digest's length: RFC 2104
            raise ConfigurationError(
                "RowSecurity(sealed=True) needs key=: 32 random bytes that the application "
                "holds and its login can't read (python -c 'import secrets; "
                "print(secrets.token_hex(32))')"
            )

    def enter(self, context: TenantContext) -> tuple[str, ...]:
        """Set the tenant for the transaction, as a literal: also poolers and Citus carry that."""
        return (f"SET LOCAL {self.setting} = {literal(self.canonical(context.tenant_id))}",)

    def canonical(self, tenant: str) -> str:
        """The id, when it is written as the server writes it.

        Raises:
            MissingTenant: when it isn't one of *type*, or is spelt otherwise: what is kept by
                tenant id would take one tenant for two.
        """
        try:
            written = str(SPELT[self.type](tenant))
        except ValueError:
            written = ""
        if written != tenant:
            raise MissingTenant(
                f"the tenant id is no {self.type} as PostgreSQL writes it: make the context of "
                "TenantContext(uuid.UUID(…)) or of a whole number, or declare RowSecurity(type=…)"
            )
        return tenant

    @property
    def challenge(self) -> str:
        """The query for what `prove` answers, where contexts are sealed."""
        return asking(self) if self.sealed else ""

    def prove(self, context: TenantContext, challenge: str) -> tuple[str, ...]:
        """Enter with a proof that holds for one transaction (`partywall.isolation.sealing`)."""
        return entering(self, self.canonical(context.tenant_id), challenge)
