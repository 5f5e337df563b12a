"""What of a Redis belongs to one tenant: names to keys and back, values sealed and opened.

Keys are `namespace:{tenant id}:name`. The braces are a hash tag, so that all keys of a tenant lie
in one slot of a cluster (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
#hash-tags), and no tenant id can hold one: no tenant's prefix begins another's. What partywall
keeps for itself is beside it, `namespace:{tenant id}!kind:name`, where no name can lead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, TypeAlias

from partywall.adapters.caching.values import WITHOUT, encoded
from partywall.context import required
from partywall.errors import ConfigurationError, WallError

if TYPE_CHECKING:
    from typing import Literal

    from partywall.adapters.caching.values import Value
    from partywall.context import TenantContext

    Kind: TypeAlias = Literal["lock", "computing", "generation", "counts"]

NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
GLOB = re.compile(rb"([*?\[\]^\\-])")


class Sealing(Protocol):
    """Encrypts values; the tenant and the place go into the additional data of each."""

    def seal(self, tenant_id: str, key: str, value: bytes, /) -> bytes:
        """*value*, encrypted for this tenant and this place."""
        ...

    def open(self, tenant_id: str, key: str, sealed: bytes, /) -> bytes:
        """What was sealed for this tenant and this place; raises for anything else."""
        ...


class Key(bytes):
    """A key or a channel as the server knows it; made by a cache's `key`."""

    __slots__ = ()


class Keyspace:
    """The names of one tenant, for one application.

    Args:
        context: the tenant.
        namespace: which application, where several share a server.
        sealing: encrypts values.

    Raises:
        MissingTenant: without a context.
        ConfigurationError: when *namespace* can't be one.
    """

    __slots__ = ("_own", "_prefix", "namespace", "sealing", "tenant_id")

    def __init__(
        self, context: TenantContext, namespace: str = "pw", sealing: Sealing | None = None
    ) -> None:
        tenant_id = required(context, WITHOUT).tenant_id
        if not NAMESPACE.match(namespace):
            raise ConfigurationError(
                "a namespace is 1 to 64 ASCII letters, digits, and _ . - after the first"
            )
        tag = f"{namespace}:{{{tenant_id}}}".encode()
        self.tenant_id, self.namespace, self.sealing = tenant_id, namespace, sealing
        self._prefix, self._own = tag + b":", tag + b"!"

    def key(self, name: str) -> bytes:
        """What the server calls *name*."""
        return self._prefix + name.encode("utf-8", "surrogateescape")

    def own(self, kind: Kind, name: str = "") -> bytes:
        """A key of partywall's own for this tenant."""
        return b"%b%b:%b" % (self._own, kind.encode(), name.encode("utf-8", "surrogateescape"))

    def holds(self, key: bytes) -> bool:
        """Whether the server's *key* is one of this tenant's names."""
        return key.startswith(self._prefix)

    def name(self, key: bytes) -> str:
        """The name of a server's key.

        Raises:
            WallError: when it is not this tenant's.
        """
        if not self.holds(key):
            raise WallError("the server answered with a key that is not this tenant's")
        return key[len(self._prefix) :].decode("utf-8", "surrogateescape")

    def pattern(self, match: str) -> bytes:
        """A pattern of this tenant's names alone; *match* is one of Redis's, for names."""
        return escaped(self._prefix) + match.encode("utf-8", "surrogateescape")

    @property
    def everything(self) -> bytes:
        """The pattern of this tenant's names, and of what partywall keeps for it."""
        return escaped(self._prefix[:-1]) + b"[:!]*"

    def sealed(self, place: str, value: Value) -> bytes:
        """*value* as it is kept at *place*."""
        plain = encoded(value)
        if self.sealing is None:
            return plain
        return self.sealing.seal(self.tenant_id, f"{self.namespace}:{place}", plain)

    def opened(self, place: str, kept: bytes) -> bytes:
        """What `sealed` was given; whatever *kept* is where nothing is sealed."""
        if self.sealing is None:
            return kept
        return self.sealing.open(self.tenant_id, f"{self.namespace}:{place}", kept)

    def __repr__(self) -> str:
        """Tell the tenant."""
        return f"<Keyspace of {self.tenant_id}>"


def within(kind: str, name: str, field: str) -> str:
    """The place of a field: no two pairs of names have the same."""
    return f"{kind}:{len(name)}:{name}:{field}"


def escaped(text: bytes) -> bytes:
    """*text* as a pattern that matches nothing else."""
    return GLOB.sub(rb"\\\1", text)
