"""The same work with Django's ORM: with django-tenants' schemas, and without tenancy.

Installed in the peers' environment only: type checkers see `Any`.

`schema_context` sends nothing by itself: the backend sends `SET search_path` with every cursor, or
with the first one of each context where `TENANT_LIMIT_SET_CALLS` is set.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import django
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from benchmarks.runtime.tenants import schema


class Django:
    """Django without tenancy: one connection that is kept, as `CONN_MAX_AGE=None` has it."""

    engine = "django.db.backends.postgresql"
    limited = False

    def __init__(self, url: str, model: str, driver: str) -> None:
        del model, driver
        place = urlsplit(url)
        settings.configure(
            INSTALLED_APPS=["django.contrib.contenttypes"],
            DATABASES={
                "default": {
                    "ENGINE": self.engine,
                    "NAME": place.path.lstrip("/"),
                    "USER": place.username,
                    "HOST": place.hostname,
                    "PORT": place.port,
                    "CONN_MAX_AGE": None,
                }
            },
            DATABASE_ROUTERS=(),
            TENANT_LIMIT_SET_CALLS=self.limited,
            USE_TZ=True,
        )
        django.setup()
        self.notes: Any = mapped()

    def open(self) -> None:
        """Nothing: the first unit connects."""

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        del number
        with transaction.atomic():
            return str(self.notes.objects.get(pk=key).body)

    def close(self) -> None:
        """Close the connection."""
        connection.close()


class Tenants(Django):
    """django-tenants as it comes."""

    engine = "django_tenants.postgresql_backend"

    def __init__(self, url: str, model: str, driver: str) -> None:
        super().__init__(url, model, driver)
        from django_tenants.utils import schema_context  # type: ignore[import-not-found]  # noqa: PLC0415 - reads the settings

        self.entered = schema_context

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        with self.entered(schema(number)):
            return super().unit(number, key)


class LimitedTenants(Tenants):
    """django-tenants, which believes that the search_path it has set stays."""

    limited = True


def mapped() -> type[models.Model]:
    """The model; it can't be made before the settings are."""
    meta = type("Meta", (), {"app_label": "contenttypes", "db_table": "notes", "managed": False})
    assert apps.ready  # noqa: S101 - `django.setup` was called
    return type(
        "Note",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": meta,
            "id": models.IntegerField(primary_key=True),
            "body": models.TextField(),
        },
    )
