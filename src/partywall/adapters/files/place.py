"""One tenant's place in a store, for whoever was let into it.

Names and media types are checked here, what is sealed is sealed and opened here, and sizes are held
to their limit here: `TenantFiles` only asks, in the caller's thread or in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.adapters.files.content import Draft
from partywall.adapters.files.links import target
from partywall.adapters.files.names import named, place_of, typed
from partywall.adapters.files.sealing import SealedReading, SealedWriting
from partywall.errors import ConfigurationError, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.adapters.files.links import Form, Link, Linking
    from partywall.adapters.files.sealing import Sealing
    from partywall.adapters.files.store import Entry, FileInfo, Reading, Removed, Store
    from partywall.context import TenantContext


class Place:
    """What can be done in one tenant's place.

    Args:
        store: where it is.
        context: the tenant, which was let in.
        sealing: encrypts content; None: it is not.
        links: what makes links; None: nothing.
        limit_bytes: how long a file may be, where nobody says less or more.
    """

    def __init__(
        self,
        store: Store,
        context: TenantContext,
        sealing: Sealing | None,
        links: Linking | None,
        limit_bytes: int,
    ) -> None:
        self._store = store
        self._context = context
        self._sealing = sealing
        self._links = links
        self._limit_bytes = limit_bytes
        self._folder = place_of(context.tenant_id)

    def draft(
        self, name: str, content_type: str, limit_bytes: int | None, size_bytes: int | None
    ) -> Draft:
        """A file to write, nothing of which is kept before it is committed."""
        fitting = named(name)
        writing = self._store.writing(self._folder, fitting, typed(content_type))
        if self._sealing is not None:
            writing = SealedWriting(writing, self._sealing, self._context.tenant_id, fitting)
        limit = self._limit_bytes if limit_bytes is None else limit_bytes
        return Draft(writing, limit, size_bytes)

    def reading(self, name: str) -> Reading:
        """A file to read."""
        fitting = named(name)
        reading = self._store.reading(self._folder, fitting)
        if self._sealing is None:
            return reading
        return SealedReading(reading, self._sealing, self._context.tenant_id, fitting)

    def stat(self, name: str) -> FileInfo:
        """What is known of a file."""
        return self._store.stat(self._folder, named(name))

    def entries(self, under: str) -> Iterator[Entry]:
        """The files, those below the folder *under* if one is named."""
        return self._store.entries(self._folder, named(under) if under else "")

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._store.delete(self._folder, named(name))

    def empty(self) -> Removed:
        """Remove every file."""
        return self._store.empty(self._folder)

    def download(self, name: str, lifetime_s: int) -> Link:
        """A link that reads a file."""
        return self._linking().download(self._store, target(self._context, name), lifetime_s)

    def upload(self, name: str, content_type: str, size_bytes: int, lifetime_s: int) -> Link:
        """A link that writes a file of exactly this size."""
        self._fitting(size_bytes)
        return self._linking().upload(
            self._store, target(self._context, name), lifetime_s, typed(content_type), size_bytes
        )

    def form(self, name: str, content_type: str, limit_bytes: int | None, lifetime_s: int) -> Form:
        """A form that writes a file of at most this size."""
        limit = self._limit_bytes if limit_bytes is None else limit_bytes
        self._fitting(limit)
        return self._linking().form(
            self._store, target(self._context, name), lifetime_s, typed(content_type), limit
        )

    def _linking(self) -> Linking:
        if self._links is None:
            raise ConfigurationError("nothing makes links here: TenantFiles(…, links=Links(…))")
        return self._links

    def _fitting(self, size_bytes: int) -> None:
        if not 0 <= size_bytes <= self._limit_bytes:
            raise TooLarge(f"a file may have at most {self._limit_bytes} bytes")
