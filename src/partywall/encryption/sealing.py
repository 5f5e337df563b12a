"""What caches, files and workflows take to seal what they keep of tenants."""

from __future__ import annotations

from typing import Protocol


class Sealing(Protocol):
    """Seals bytes for a tenant under a name, and opens them for that tenant and that name alone.

    `Keyring.sealing(purpose)` has one for each purpose; what is sealed for one is nothing to
    another.
    """

    def seal(self, tenant_id: str, name: str, data: bytes) -> bytes:
        """*data*, sealed for the tenant.

        Args:
            tenant_id: whose it is.
            name: of what: a cache's key, a file's path. The same must be said to open it.
            data: any bytes.

        Raises:
            MissingTenant: without a tenant.
            DeletedTenant, UnknownTenant: when the tenant has no keys and gets none.
            UnknownKey, Unavailable: when its key can't be had now.
        """
        ...

    def open(self, tenant_id: str, name: str, data: bytes) -> bytes:
        """What was sealed.

        Raises:
            MissingTenant: without a tenant.
            SealBroken: when it was sealed for another tenant, name or purpose, or changed since.
            UnknownKey, Unavailable: when its key can't be had now.
        """
        ...
