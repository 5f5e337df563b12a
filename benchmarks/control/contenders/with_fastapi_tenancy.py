"""fastapi-tenancy's `initialize_tenant` of a schema, with SQLAlchemy's metadata.

Installed in the peers' environment only: type checkers see `Any`.
"""

from __future__ import annotations

import asyncio

from fastapi_tenancy.core.config import TenancyConfig  # type: ignore[import-not-found]
from fastapi_tenancy.core.types import IsolationStrategy, Tenant  # type: ignore[import-not-found]
from fastapi_tenancy.isolation.schema import SchemaIsolationProvider  # type: ignore[import-not-found]
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.control.contenders.linked import linked


class Schemas:
    """A schema for each tenant, on asyncpg."""

    def __init__(self, owner_url: str, tables: int) -> None:
        url = owner_url.replace("postgresql:", "postgresql+asyncpg:")
        config = TenancyConfig(database_url=url, isolation_strategy=IsolationStrategy.SCHEMA)
        self.runner = asyncio.Runner()
        self.engine = create_async_engine(url)
        self.provider = SchemaIsolationProvider(config, engine=self.engine)
        self.metadata = linked(tables)

    def ready(self) -> None:
        """Nothing."""

    def make(self, tenant: str) -> None:
        """Provision a tenant."""
        name = f"t_{tenant.replace('-', '_')}"
        new = Tenant(id=tenant, identifier=f"b{tenant}"[:60], name="Bench", schema_name=name)
        self.runner.run(self.provider.initialize_tenant(new, metadata=self.metadata))

    def close(self) -> None:
        """Close the connections."""
        self.runner.run(self.engine.dispose())
        self.runner.close()
