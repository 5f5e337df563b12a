"""The tenants' data keys, and what is done with them: `Keyring`."""

from __future__ import annotations

import os
import secrets
import time
import weakref
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from partywall.context import identified
from partywall.control.data_keys import ANNOUNCED, WrappedKey
from partywall.control.database import new_id, now
from partywall.encryption import envelope, streams
from partywall.encryption.executing import guard
from partywall.encryption.ring import DataKey, Ring
from partywall.encryption.rings import Rings
from partywall.encryption.xaes import KEY_BYTES, Xaes
from partywall.errors import SealBroken, UnknownKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from sqlalchemy import Engine

    from partywall.control.data_keys import Purpose
    from partywall.control.listening import Listener
    from partywall.control.memory import Hearing
    from partywall.encryption.providers import KeyProvider
    from partywall.encryption.sealing import Sealing

HEARTBEAT_S = 5.0
"""How often the server is asked for a sign of life by who listens for destroyed keys."""

BATCH = 100

MOST_TRIES = 5


class KeyStore(Protocol):
    """Where wrapped keys are kept: `partywall.control.data_keys.DataKeys`, whose promises hold."""

    def of(self, tenant_id: str) -> list[WrappedKey]:
        """All keys of a tenant."""
        ...

    def add(self, key: WrappedKey) -> bool:
        """Keep a new key; False when there is one of that number already."""
        ...

    def replace(self, key: WrappedKey, kek: str, wrapped: bytes) -> bool:
        """Keep *key* wrapped anew; False when it is not as it was, or gone."""
        ...

    def wrapped_otherwise(self, kek: str, *, after: str = "", limit: int = 100) -> list[WrappedKey]:
        """Keys that another version than *kek* wraps, the first *limit* after an id."""
        ...

    def shred(self, tenant_id: str, *, by: str) -> int:
        """Destroy all keys of a deleted tenant; how many there were."""
        ...

    def discard(self, tenant_id: str, key_id: str, *, by: str) -> bool:
        """Destroy one key that is not the newest; False when there is none of that id."""
        ...

    def listener(self, memory: Hearing, *, heartbeat_s: float) -> Listener | None:
        """What hears of changes by other processes; None where nothing can."""
        ...


class Keyring:
    """Seals and opens for tenants, each with data keys of its own; one for the life of the process.

    A tenant's first key is made when something is first sealed for it. Unwrapped keys are kept in
    memory for *ttl_s* at most. Where the store is in PostgreSQL, keys that another process has
    destroyed are forgotten as soon as that is committed; else, and when the connection that listens
    is gone, within *ttl_s*.

    Args:
        store: where the wrapped keys are.
        keys: what wraps them.
        ttl_s: how long an unwrapped key is used without asking again.
        size: of how many tenants keys are kept; the oldest goes first.
    """

    def __init__(
        self, store: KeyStore, keys: KeyProvider, *, ttl_s: float = 300.0, size: int = 1000
    ) -> None:
        self._store, self._keys, self._ttl_s = store, keys, ttl_s
        self._rings = Rings(size)
        self._listener = store.listener(self._rings, heartbeat_s=HEARTBEAT_S)
        _every.add(self)

    def guard(self, engine: Engine) -> None:
        """Have `Encrypted` columns sealed and opened on *engine*: `Tenancy(…, guards=[…])`."""
        guard(engine, self)

    def seal(self, tenant_id: str, data: bytes, *names: str) -> bytes:
        """*data*, sealed for a tenant and what *names* say; see `Sealing.seal`."""
        return envelope.seal(self.ring(tenant_id), data, names)

    def open(self, tenant_id: str, sealed: bytes, *names: str) -> bytes:
        """What was sealed for that tenant and these names; see `Sealing.open`."""
        return envelope.open_(self.ring(tenant_id, make=None), sealed, names)

    def sealing(self, purpose: str) -> Sealing:
        """What seals for one purpose: `cache`, `files`."""
        return Purposeful(self, purpose)

    def seal_stream(
        self, tenant_id: str, name: str, source: Iterable[bytes] | BinaryIO
    ) -> Iterator[bytes]:
        """The pieces of a sealed stream, in bounded memory.

        Args:
            tenant_id: whose it is.
            name: of the stream; the same must be said to open it.
            source: a file, or pieces of any size.

        Raises:
            MissingTenant, UnknownKey, Unavailable: as `Sealing.seal`.
        """
        return streams.sealed(self.ring(tenant_id), name, source)

    def open_stream(
        self, tenant_id: str, name: str, source: Iterable[bytes] | BinaryIO
    ) -> Iterator[bytes]:
        """The pieces of what was sealed, each shown to be whole and in its place.

        Only when the last one was given out is it known that nothing was cut off: don't act on
        what came before then.

        Raises:
            SealBroken: at the first piece that is not as it was, and where the end is missing.
            MissingTenant, UnknownKey, Unavailable: as `Sealing.open`.
        """
        return streams.opened(self.ring(tenant_id, make=None), name, source)

    def index(self, tenant_id: str, data: bytes, *names: str, size: int = 16) -> bytes:
        """A number that is the same for the same data, tenant and names, and tells nothing else.

        Args:
            tenant_id: whose it is.
            data: what is to be found again.
            names: where it is.
            size: how many bytes; the fewer, the more different data have the same.

        Raises:
            MissingTenant, UnknownKey, Unavailable: as `Sealing.seal`.
        """
        ring = self.ring(tenant_id, make="index")
        return ring.newest("index").mac(envelope.place(ring.tenant_id, *names) + data)[:size]

    def rotate(self, tenant_id: str) -> UUID:
        """Give the tenant a new data key, which seals from now on; the old ones go on opening.

        Other processes seal by the one before for *ttl_s* at most. `reseal` brings what stands in
        columns to the new one.

        Returns:
            The id of the new key.

        Raises:
            MissingTenant: without a tenant.
            DeletedTenant, UnknownTenant: when it gets no keys.
            UnknownKey, Unavailable: when nothing can be wrapped now.
        """
        tenant_id = identified(tenant_id)
        for _ in range(MOST_TRIES):
            numbers = [key.number for key in self._store.of(tenant_id) if key.purpose == "seal"]
            made = self._made(tenant_id, "seal", max(numbers, default=0) + 1)
            if made is not None:
                self._rings.announced(ANNOUNCED + tenant_id)
                return made
        raise UnknownKey("others rotate this tenant's data key without end: look who does")

    def rewrap(self) -> int:
        """Have every data key wrapped by the key-encryption key that wraps now; how many were.

        Stopped at any point, it goes on from there when it is called again. Nothing that is sealed
        is touched, and nobody waits.

        Raises:
            UnknownKey: when one that wraps is missing: nothing that it wraps is changed.
            Unavailable: when somebody gives no answer.
        """
        current, done, after = self._keys.current(), 0, ""
        while found := self._store.wrapped_otherwise(current, after=after, limit=BATCH):
            for key in found:
                material = self._keys.unwrap(key.kek, key.wrapped, about(key))
                kek, wrapped = self._keys.wrap(bytes(material), about(key))
                material[:] = bytes(len(material))
                done += self._store.replace(key, kek, wrapped)
            after = found[-1].id
        return done

    def discard(self, tenant_id: str, key_id: UUID, *, by: str = "partywall") -> bool:
        """Destroy a data key that is not the newest; False when the tenant has none of that id.

        What it sealed is lost: rotate, wait *ttl_s* until no process seals by it, `reseal`, and
        have files sealed anew.

        Raises:
            RecordConflict: when it is the newest.
        """
        tenant_id = identified(tenant_id)
        gone = self._store.discard(tenant_id, str(key_id), by=by)
        self._rings.announced(ANNOUNCED + tenant_id)
        return gone

    def shred(self, tenant_id: str, *, by: str = "partywall") -> int:
        """Destroy all data keys of a deleted tenant: nothing sealed for it can be read again.

        The control plane's removal does it by itself.

        Returns:
            How many keys there were.

        Raises:
            MissingTenant: without a tenant.
            UnknownTenant: when nobody has that id.
            RecordConflict: when the tenant is not deleted.
        """
        tenant_id = identified(tenant_id)
        gone = self._store.shred(tenant_id, by=by)
        self._rings.announced(ANNOUNCED + tenant_id)
        return gone

    def stale(self, tenant_id: str, sealed: bytes) -> bool:
        """Whether another than the tenant's newest key sealed a value or a stream.

        Raises:
            SealBroken: when it does not say which.
        """
        kind = envelope.STREAM if envelope.looks_sealed(sealed, envelope.STREAM) else envelope.VALUE
        return envelope.key_of(sealed, kind) != self.ring(tenant_id).newest("seal").id

    def kept(self, tenant_id: str, *, make: Purpose | None = "seal") -> Ring | None:
        """The tenant's keys, where they are in memory and nobody has to be asked."""
        self._listen()
        found = self._rings.get(tenant_id)
        return found if found is not None and (make is None or found.has(make)) else None

    def ring(self, tenant_id: str, *, make: Purpose | None = "seal") -> Ring:
        """The tenant's data keys.

        Args:
            tenant_id: whose.
            make: the purpose for which a first key is made where there is none.

        Raises:
            MissingTenant: without a tenant.
            DeletedTenant, UnknownTenant: when it has no keys and gets none.
            UnknownKey: when none can be made now.
            Unavailable: when somebody gives no answer.
        """
        tenant_id = identified(tenant_id)
        found = self.kept(tenant_id, make=make)
        if found is not None:
            return found
        ring = self._rings.load(tenant_id, partial(self._read, tenant_id))
        if make is None or ring.has(make):
            return ring
        self._made(tenant_id, make, 1)  # or another process has
        return self._rings.load(tenant_id, partial(self._read, tenant_id), than=ring)

    @property
    def remembered(self) -> int:
        """Of how many tenants keys are in memory."""
        return len(self._rings)

    def forget(self) -> None:
        """Let go of all keys in memory."""
        self._rings.clear()

    def close(self) -> None:
        """Let go of all keys in memory, and of who listens."""
        self.forget()
        if self._listener is not None:
            self._listener.close()

    def after_fork(self) -> None:
        """In a forked child: the parent's thread listens for the parent."""
        self._rings.after_fork()
        if self._listener is not None:
            self._listener.after_fork()

    def _listen(self) -> None:
        if self._listener is not None:
            self._listener.current()  # which begins to, where nobody does; ttl_s holds anyway

    def _read(self, tenant_id: str, before: Ring | None) -> Ring:
        known = before.known() if before is not None else {}
        keys: dict[UUID, DataKey] = {}
        locked: dict[UUID, tuple[Purpose, int, str]] = {}
        for each in self._store.of(tenant_id):
            key_id = UUID(each.id)
            same = known.get(key_id)
            if same is not None and same.wrapped == each.wrapped:
                keys[key_id] = same
                continue
            try:
                material = self._keys.unwrap(each.kek, each.wrapped, about(each))
            except (UnknownKey, SealBroken) as error:
                locked[key_id] = each.purpose, each.number, str(error)
                continue
            keys[key_id] = DataKey(key_id, each.purpose, each.number, each.wrapped, Xaes(material))
        until = time.monotonic() + self._ttl_s
        return Ring(tenant_id, keys, locked, partial(self._again, tenant_id), until)

    def _again(self, tenant_id: str) -> Ring:
        return self._rings.load(
            tenant_id, partial(self._read, tenant_id), than=self._rings.get(tenant_id)
        )

    def _made(self, tenant_id: str, purpose: Purpose, number: int) -> UUID | None:
        """Make a key of that number, unless there is one; its id."""
        material = bytearray(secrets.token_bytes(KEY_BYTES))
        key = WrappedKey(new_id(), tenant_id, purpose, number, "", b"", now())
        kek, wrapped = self._keys.wrap(bytes(material), about(key))
        material[:] = bytes(KEY_BYTES)
        new = WrappedKey(key.id, tenant_id, purpose, number, kek, wrapped, key.created_at)
        return UUID(key.id) if self._store.add(new) else None


@dataclass(frozen=True, slots=True)
class Purposeful:
    """A `Sealing` of one purpose."""

    keyring: Keyring
    purpose: str

    def seal(self, tenant_id: str, name: str, data: bytes) -> bytes:
        """*data*, sealed for the tenant."""
        return self.keyring.seal(tenant_id, data, "sealing", self.purpose, name)

    def open(self, tenant_id: str, name: str, data: bytes) -> bytes:
        """What was sealed."""
        return self.keyring.open(tenant_id, data, "sealing", self.purpose, name)


def about(key: WrappedKey) -> dict[str, str]:
    """What a data key is bound to, so that it can't be put into the row of another one."""
    return {
        "partywall": f"{key.purpose} {key.number}",
        "tenant": key.tenant_id,
        "key": key.id,
    }


_every: weakref.WeakSet[Keyring] = weakref.WeakSet()


def after_fork() -> None:
    """In a forked child."""
    for keyring in _every:
        keyring.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=after_fork)
