"""A tenant's data keys in the clear, for as long as somebody uses them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.encryption.xaes import BROKEN, Xaes
from partywall.errors import SealBroken, UnknownKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from partywall.control.data_keys import Purpose


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """One version of a tenant's key.

    Attributes:
        id: stands in all that it seals.
        number: counts the versions, from 1.
        wrapped: what the store has of it; nothing secret, and never shown either.
        cipher: seals and opens.
    """

    id: UUID
    purpose: Purpose
    number: int
    wrapped: bytes = field(repr=False)
    cipher: Xaes = field(repr=False)

    def mac(self, data: bytes) -> bytes:
        """HMAC-SHA256 of *data*, by a key derived for that alone."""
        return hmac.digest(self.cipher.derived(b"blind index\x01"), data, hashlib.sha256)

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be written down.

        Raises:
            TypeError: always.
        """
        raise TypeError("data keys are not pickled or copied")


class Ring:
    """All data keys of one tenant, as they were when it was loaded.

    Args:
        tenant_id: whose.
        keys: the keys, by id.
        locked: ids of keys that could not be unwrapped -> the error that says what mends it.
        again: loads the ring anew; asked when something names a key that is not here.
        until: when it is not to be used any more, by `time.monotonic`.
    """

    __slots__ = ("_again", "_keys", "_locked", "tenant_id", "until")

    def __init__(
        self,
        tenant_id: str,
        keys: Mapping[UUID, DataKey],
        locked: Mapping[UUID, tuple[Purpose, int, str]],
        again: Callable[[], Ring],
        until: float,
    ) -> None:
        self.tenant_id, self.until = tenant_id, until
        self._keys, self._locked, self._again = dict(keys), dict(locked), again

    def has(self, purpose: Purpose) -> bool:
        """Whether there is a key for it, at hand or not."""
        return any(key.purpose == purpose for key in self._keys.values()) or any(
            locked == purpose for locked, _, _ in self._locked.values()
        )

    def newest(self, purpose: Purpose) -> DataKey:
        """The key that seals from now on.

        Raises:
            UnknownKey: when it can't be unwrapped, also where an older one could.
        """
        numbered = [(key.number, key.id) for key in self._keys.values() if key.purpose == purpose]
        numbered += [(n, id_) for id_, (what, n, _) in self._locked.items() if what == purpose]
        return self.key(max(numbered)[1])

    def key(self, key_id: UUID) -> DataKey:
        """The key of that id.

        Raises:
            SealBroken: when the tenant has none of it: it is another's, or was destroyed.
            UnknownKey: when it can't be unwrapped.
        """
        found = self._keys.get(key_id)
        if found is not None:
            return found
        if key_id not in self._locked:
            anew = self._again()  # another process may have made it
            self._keys, self._locked = anew._keys, anew._locked  # noqa: SLF001 - its own class
        found = self._keys.get(key_id)
        if found is not None:
            return found
        if key_id in self._locked:
            raise UnknownKey(self._locked[key_id][2])
        raise SealBroken(BROKEN)

    def known(self) -> Mapping[UUID, DataKey]:
        """The keys at hand."""
        return self._keys

    def __repr__(self) -> str:
        """How many keys of whom."""
        return f"<{len(self._keys)} data keys of {self.tenant_id}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be written down.

        Raises:
            TypeError: always.
        """
        raise TypeError("data keys are not pickled or copied")
