"""What django-tenants wants a project to have; the tables themselves need no model here.

Installed in the peers' environment only: type checkers see `Any`.
"""

from __future__ import annotations

from django_tenants.models import DomainMixin, TenantMixin  # type: ignore[import-not-found]


class Client(TenantMixin):  # type: ignore[misc]  # Any, here
    """A tenant; it has no row, only a schema."""

    class Meta:
        """Nothing of it is stored."""

        managed = False


class Site(DomainMixin):  # type: ignore[misc]  # Any, here
    """A tenant's domain."""

    class Meta:
        """Nothing of it is stored."""

        managed = False
