"""django-tenants' `create_schema`: by the migrations of an application, and by cloning a schema.

Installed in the peers' environment only: type checkers see `Any`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.db import connection

MODEL = "model"
"""The schema that is cloned."""

THINGS = "benchmarks.control.contenders.things"


class Schemas:
    """A schema for each tenant."""

    def __init__(self, owner_url: str, tables: int, *, cloned: bool) -> None:
        place = urlsplit(owner_url)
        settings.configure(
            INSTALLED_APPS=["django_tenants", "django.contrib.contenttypes", THINGS],
            SHARED_APPS=["django_tenants", "django.contrib.contenttypes"],
            TENANT_APPS=[THINGS],
            TENANT_MODEL="things.Client",
            TENANT_DOMAIN_MODEL="things.Site",
            TENANT_CREATION_FAKES_MIGRATIONS=False,
            TENANT_BASE_SCHEMA=MODEL,
            BENCH_TABLES=tables,
            DATABASES={
                "default": {
                    "ENGINE": "django_tenants.postgresql_backend",
                    "NAME": place.path.lstrip("/"),
                    "USER": place.username,
                    "HOST": place.hostname,
                    "PORT": place.port,
                    "CONN_MAX_AGE": None,
                }
            },
            DATABASE_ROUTERS=("django_tenants.routers.TenantSyncRouter",),
            DEFAULT_AUTO_FIELD="django.db.models.AutoField",
            USE_TZ=True,
        )
        django.setup()
        from django_tenants.utils import get_tenant_model  # type: ignore[import-not-found]  # noqa: PLC0415 - reads the settings

        self.client: Any = get_tenant_model()
        self.cloned = cloned

    def ready(self) -> None:
        """Make the schema that is cloned, once."""
        if self.cloned and not settings.TENANT_CREATION_FAKES_MIGRATIONS:
            self.client(schema_name=MODEL).create_schema(verbosity=0)
            settings.TENANT_CREATION_FAKES_MIGRATIONS = True

    def make(self, tenant: str) -> None:
        """Provision a tenant."""
        name = f"t_{tenant.replace('-', '_')}"
        self.client(schema_name=name).create_schema(verbosity=0)

    def close(self) -> None:
        """Close the connection."""
        connection.close()
