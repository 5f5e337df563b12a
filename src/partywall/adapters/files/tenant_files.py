"""The way to a tenant's files: `TenantFiles`."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from partywall.adapters.files.admission import Admission
from partywall.adapters.files.content import (
    AsyncTenantFile,
    Draft,
    TenantFile,
    blocks,
    whole,
)
from partywall.adapters.files.links import Claim, Links, target
from partywall.adapters.files.names import named, place_of, typed
from partywall.adapters.files.sealing import SealedReading, SealedWriting
from partywall.adapters.files.threads import each_in_thread, in_thread
from partywall.errors import ConfigurationError, TooLarge, WorkError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from partywall.adapters.files.content import AsyncContent, Content
    from partywall.adapters.files.links import Form, Link, Linking, Method
    from partywall.adapters.files.sealing import Sealing
    from partywall.adapters.files.store import Entry, FileInfo, Reading, Removed, Store
    from partywall.context import TenantContext
    from partywall.control.tenants import Tenant
    from partywall.runtime.directory import Directory

ANYTHING = "application/octet-stream"
LIMIT_BYTES = 100 * 1024 * 1024
FIVE_MINUTES_S = 300


class TenantFiles:
    """The application's way to its tenants' files; one for the life of the process.

    Every call is for one `TenantContext`, and what it names lies in that tenant's place. Content
    is moved in blocks, so that memory doesn't grow with a file. Each method has a twin for async
    code, whose blocking parts run in threads.

    Args:
        store: where they are: `Folder(path)` or `S3(bucket)`.
        directory: says whether a tenant exists and may be entered, `plane.access`: asked before
            each call, and again before what was uploaded becomes a file.
        links: what makes links: `Links(key, base=…)`, or for S3 `Presigned()`.
        sealing: encrypts content before it reaches the store; names, sizes and media types stay
            in the clear.
        limit_bytes: how long a file may be at most, where a call doesn't say less or more.

    Raises:
        ConfigurationError: when these can't go together.
    """

    def __init__(
        self,
        store: Store,
        *,
        directory: Directory | None = None,
        links: Linking | None = None,
        sealing: Sealing | None = None,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        if links is not None:
            links.suit(store, sealing, watched=directory is not None)
        self._store = store
        self._admission = Admission(directory)
        self._links = links
        self._sealing = sealing
        self._limit_bytes = limit_bytes

    def put(
        self,
        context: TenantContext,
        name: str,
        content: Content,
        *,
        content_type: str = ANYTHING,
        limit_bytes: int | None = None,
        size_bytes: int | None = None,
    ) -> int:
        """Keep a file: all of it or nothing; one of that name is replaced at that moment.

        Args:
            context: the tenant.
            name: `reports/2026.pdf`; see `partywall.adapters.files.names.named`.
            content: bytes, a file that is open for reading, or pieces.
            content_type: its media type.
            limit_bytes: how long it may be.
            size_bytes: how long it has to be, exactly.

        Returns:
            How long the content was, in bytes.

        Raises:
            InvalidRecord: for a name or a media type that can't be, or too short a content.
            TooLarge: when it is too long; nothing is kept.
            RecordConflict: in a folder, where a part of the name is a file's already.
        """
        self._admission.admit(context)
        with self._drafted(context, name, content_type, limit_bytes, size_bytes) as draft:
            for block in blocks(content):
                draft.write(block)
            draft.check()
            self._admission.admit(context)
            draft.commit()
        return draft.size_bytes

    async def async_put(
        self,
        context: TenantContext,
        name: str,
        content: AsyncContent,
        *,
        content_type: str = ANYTHING,
        limit_bytes: int | None = None,
        size_bytes: int | None = None,
    ) -> int:
        """As `put`; *content* may also come asynchronously: `request.stream()`."""
        await self._admission.async_admit(context)
        draft = self._draft(context, name, content_type, limit_bytes, size_bytes)
        try:
            async with AsyncExitStack() as stack:
                if not isinstance(content, AsyncIterable):
                    content = each_in_thread(blocks(content))
                    stack.push_async_callback(content.aclose)
                async for block in content:
                    await in_thread(partial(draft.write, block))
            draft.check()
            await self._admission.async_admit(context)
            await in_thread(draft.commit)
        except BaseException:
            await in_thread(draft.abort)
            raise
        return draft.size_bytes

    @contextmanager
    def open(self, context: TenantContext, name: str) -> Iterator[TenantFile]:
        """A file to read from, until the end of the block.

        Raises:
            UnknownRecord: when the tenant has none of that name.
        """
        self._admission.admit(context)
        file = TenantFile(self._reading(context, name))
        try:
            yield file
        finally:
            file.reading.close()

    @asynccontextmanager
    async def async_open(self, context: TenantContext, name: str) -> AsyncIterator[AsyncTenantFile]:
        """As `open`, for async code."""
        await self._admission.async_admit(context)
        opened: list[Reading] = []  # so that it is closed, too, when this is cancelled meanwhile
        try:
            await in_thread(lambda: opened.append(self._reading(context, name)))
            yield AsyncTenantFile(opened[0])
        finally:
            for reading in opened:
                await in_thread(reading.close)

    def read(self, context: TenantContext, name: str, *, limit_bytes: int | None = None) -> bytes:
        """The whole content of a file.

        Raises:
            UnknownRecord: when the tenant has none of that name.
            TooLarge: when it is longer than *limit_bytes*.
        """
        most = self._limit_bytes if limit_bytes is None else limit_bytes
        with self.open(context, name) as file:
            return whole(file.reading, most)

    async def async_read(
        self, context: TenantContext, name: str, *, limit_bytes: int | None = None
    ) -> bytes:
        """As `read`, for async code."""
        most = self._limit_bytes if limit_bytes is None else limit_bytes
        async with self.async_open(context, name) as file:
            return await in_thread(lambda: whole(file.reading, most))

    def stat(self, context: TenantContext, name: str) -> FileInfo:
        """What is known of a file.

        Raises:
            UnknownRecord: when the tenant has none of that name.
        """
        self._admission.admit(context)
        return self._store.stat(place_of(context.tenant_id), named(name))

    async def async_stat(self, context: TenantContext, name: str) -> FileInfo:
        """As `stat`, for async code."""
        await self._admission.async_admit(context)
        return await in_thread(lambda: self._store.stat(place_of(context.tenant_id), named(name)))

    def list(self, context: TenantContext, under: str = "") -> Iterator[Entry]:
        """The tenant's files, those below the folder *under* if one is named, in no order."""
        self._admission.admit(context)
        return self._entries(context, under)

    async def async_list(self, context: TenantContext, under: str = "") -> AsyncIterator[Entry]:
        """As `list`, for async code."""
        await self._admission.async_admit(context)
        async for entry in each_in_thread(self._entries(context, under)):
            yield entry

    def delete(self, context: TenantContext, name: str) -> None:
        """Remove a file.

        Raises:
            UnknownRecord: when the tenant has none of that name.
        """
        self._admission.admit(context)
        self._store.delete(place_of(context.tenant_id), named(name))

    async def async_delete(self, context: TenantContext, name: str) -> None:
        """As `delete`, for async code."""
        await self._admission.async_admit(context)
        await in_thread(lambda: self._store.delete(place_of(context.tenant_id), named(name)))

    def remove_all(self, context: TenantContext) -> Removed:
        """Remove all of the tenant's files, of a bucket with versions each version."""
        self._admission.admit(context)
        return self._store.empty(place_of(context.tenant_id))

    async def async_remove_all(self, context: TenantContext) -> Removed:
        """As `remove_all`, for async code."""
        await self._admission.async_admit(context)
        return await in_thread(lambda: self._store.empty(place_of(context.tenant_id)))

    def erase(self, tenant: Tenant) -> Mapping[str, object]:
        """Remove the files of a tenant that is being removed, for good.

        A step of its removal: `Building(…, removing={"files": files.erase})`. It may run again.

        Raises:
            WorkError: for a tenant that is not deleted.
        """
        if tenant.status != "deleted":
            raise WorkError(f"the tenant is {tenant.status}: its files are not removed")
        gone = self._store.erase(place_of(tenant.id))
        return {"files": gone.files, "bytes": gone.stored_bytes}

    def download_link(
        self, context: TenantContext, name: str, *, lifetime_s: int = FIVE_MINUTES_S
    ) -> Link:
        """A link that reads a file, for whoever has it.

        Raises:
            ConfigurationError: without `links=`, or for longer than they may hold.
        """
        self._admission.admit(context)
        return self._linking().download(self._store, target(context, name), lifetime_s)

    async def async_download_link(
        self, context: TenantContext, name: str, *, lifetime_s: int = FIVE_MINUTES_S
    ) -> Link:
        """As `download_link`, for async code."""
        await self._admission.async_admit(context)
        made = partial(self._linking().download, self._store, target(context, name), lifetime_s)
        return await in_thread(made)

    def upload_link(
        self,
        context: TenantContext,
        name: str,
        *,
        content_type: str,
        size_bytes: int,
        lifetime_s: int = FIVE_MINUTES_S,
    ) -> Link:
        """A link that writes a file of this type and exactly this size; again and again until then.

        Raises:
            TooLarge: for more than a file may have.
            ConfigurationError: without `links=`, or for longer than they may hold.
        """
        self._admission.admit(context)
        return self._upload(context, name, content_type, size_bytes, lifetime_s)

    async def async_upload_link(
        self,
        context: TenantContext,
        name: str,
        *,
        content_type: str,
        size_bytes: int,
        lifetime_s: int = FIVE_MINUTES_S,
    ) -> Link:
        """As `upload_link`, for async code."""
        await self._admission.async_admit(context)
        made = partial(self._upload, context, name, content_type, size_bytes, lifetime_s)
        return await in_thread(made)

    def upload_form(
        self,
        context: TenantContext,
        name: str,
        *,
        content_type: str,
        limit_bytes: int | None = None,
        lifetime_s: int = FIVE_MINUTES_S,
    ) -> Form:
        """A form with which a browser writes a file of this type, at most so long, into a bucket.

        Raises:
            ConfigurationError: without `links=Presigned()`, or for longer than they may hold.
        """
        self._admission.admit(context)
        return self._form(context, name, content_type, limit_bytes, lifetime_s)

    async def async_upload_form(
        self,
        context: TenantContext,
        name: str,
        *,
        content_type: str,
        limit_bytes: int | None = None,
        lifetime_s: int = FIVE_MINUTES_S,
    ) -> Form:
        """As `upload_form`, for async code."""
        await self._admission.async_admit(context)
        made = partial(self._form, context, name, content_type, limit_bytes, lifetime_s)
        return await in_thread(made)

    def claim(self, token: str, method: Method) -> Claim:
        """What a link of ours allows, for whoever answers it.

        Raises:
            NotAuthenticated: when it doesn't hold, or is for the other method.
            ConfigurationError: without `links=Links(…)`.
        """
        if not isinstance(self._links, Links):
            raise ConfigurationError("no link is answered here: TenantFiles(…, links=Links(…))")
        return self._links.claim(token, method)

    def _reading(self, context: TenantContext, name: str) -> Reading:
        fitting = named(name)
        reading = self._store.reading(place_of(context.tenant_id), fitting)
        if self._sealing is None:
            return reading
        return SealedReading(reading, self._sealing, context.tenant_id, fitting)

    def _entries(self, context: TenantContext, under: str) -> Iterator[Entry]:
        place = place_of(context.tenant_id)
        return self._store.entries(place, named(under) if under else "")

    def _draft(
        self,
        context: TenantContext,
        name: str,
        content_type: str,
        limit_bytes: int | None,
        size_bytes: int | None,
    ) -> Draft:
        fitting = named(name)
        writing = self._store.writing(place_of(context.tenant_id), fitting, typed(content_type))
        if self._sealing is not None:
            writing = SealedWriting(writing, self._sealing, context.tenant_id, fitting)
        limit = self._limit_bytes if limit_bytes is None else limit_bytes
        return Draft(writing, limit, size_bytes)

    @contextmanager
    def _drafted(
        self,
        context: TenantContext,
        name: str,
        content_type: str,
        limit_bytes: int | None,
        size_bytes: int | None,
    ) -> Iterator[Draft]:
        draft = self._draft(context, name, content_type, limit_bytes, size_bytes)
        try:
            yield draft
        except BaseException:
            draft.abort()
            raise

    def _linking(self) -> Linking:
        if self._links is None:
            raise ConfigurationError("nothing makes links here: TenantFiles(…, links=Links(…))")
        return self._links

    def _upload(
        self, context: TenantContext, name: str, content_type: str, size_bytes: int, lifetime_s: int
    ) -> Link:
        self._fitting(size_bytes)
        made = self._linking().upload
        return made(self._store, target(context, name), lifetime_s, typed(content_type), size_bytes)

    def _form(
        self,
        context: TenantContext,
        name: str,
        content_type: str,
        limit_bytes: int | None,
        lifetime_s: int,
    ) -> Form:
        limit = self._limit_bytes if limit_bytes is None else limit_bytes
        self._fitting(limit)
        made = self._linking().form
        return made(self._store, target(context, name), lifetime_s, typed(content_type), limit)

    def _fitting(self, size_bytes: int) -> None:
        if not 0 <= size_bytes <= self._limit_bytes:
            raise TooLarge(f"a file may have at most {self._limit_bytes} bytes")
