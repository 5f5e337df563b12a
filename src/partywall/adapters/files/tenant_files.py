"""The way to a tenant's files: `TenantFiles`."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from partywall.adapters.files.content import AsyncTenantFile, TenantFile, blocks, whole
from partywall.adapters.files.links import Claim, Links
from partywall.adapters.files.names import place_of
from partywall.adapters.files.place import Place
from partywall.adapters.files.threads import each_in_thread, in_thread
from partywall.errors import ConfigurationError, WorkError
from partywall.runtime.admission import Admission

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

WITHOUT = (
    "files belong to a tenant: pass the TenantContext that was made where the request is "
    "authenticated"
)
"""What is said where there is no context."""


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
        self._admission = Admission(directory, WITHOUT)
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
        draft = self._entered(context).draft(name, content_type, limit_bytes, size_bytes)
        try:
            for block in blocks(content):
                draft.write(block)
            draft.check()
            self._admission.admit(context)
            draft.commit()
        except BaseException:
            draft.abort()
            raise
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
        place = await self._async_entered(context)
        draft = place.draft(name, content_type, limit_bytes, size_bytes)
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
        file = TenantFile(self._entered(context).reading(name))
        try:
            yield file
        finally:
            file.reading.close()

    @asynccontextmanager
    async def async_open(self, context: TenantContext, name: str) -> AsyncIterator[AsyncTenantFile]:
        """As `open`, for async code."""
        place = await self._async_entered(context)
        opened: list[Reading] = []  # so that it is closed, too, when this is cancelled meanwhile
        try:
            await in_thread(lambda: opened.append(place.reading(name)))
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
        return self._entered(context).stat(name)

    async def async_stat(self, context: TenantContext, name: str) -> FileInfo:
        """As `stat`, for async code."""
        place = await self._async_entered(context)
        return await in_thread(partial(place.stat, name))

    def list(self, context: TenantContext, under: str = "") -> Iterator[Entry]:
        """The tenant's files, those below the folder *under* if one is named, in no order."""
        return self._entered(context).entries(under)

    async def async_list(self, context: TenantContext, under: str = "") -> AsyncIterator[Entry]:
        """As `list`, for async code."""
        place = await self._async_entered(context)
        async for entry in each_in_thread(place.entries(under)):
            yield entry

    def delete(self, context: TenantContext, name: str) -> None:
        """Remove a file.

        Raises:
            UnknownRecord: when the tenant has none of that name.
        """
        self._entered(context).delete(name)

    async def async_delete(self, context: TenantContext, name: str) -> None:
        """As `delete`, for async code."""
        place = await self._async_entered(context)
        await in_thread(partial(place.delete, name))

    def remove_all(self, context: TenantContext) -> Removed:
        """Remove all of the tenant's files, of a bucket with versions each version."""
        return self._entered(context).empty()

    async def async_remove_all(self, context: TenantContext) -> Removed:
        """As `remove_all`, for async code."""
        place = await self._async_entered(context)
        return await in_thread(place.empty)

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
        return self._entered(context).download(name, lifetime_s)

    async def async_download_link(
        self, context: TenantContext, name: str, *, lifetime_s: int = FIVE_MINUTES_S
    ) -> Link:
        """As `download_link`, for async code."""
        place = await self._async_entered(context)
        return await in_thread(partial(place.download, name, lifetime_s))

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
        return self._entered(context).upload(name, content_type, size_bytes, lifetime_s)

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
        place = await self._async_entered(context)
        return await in_thread(partial(place.upload, name, content_type, size_bytes, lifetime_s))

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
        return self._entered(context).form(name, content_type, limit_bytes, lifetime_s)

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
        place = await self._async_entered(context)
        return await in_thread(partial(place.form, name, content_type, limit_bytes, lifetime_s))

    def claim(self, token: str, method: Method) -> Claim:
        """What a link of ours allows, for whoever answers it.

        Raises:
            NotAuthenticated: when it doesn't hold, or is for the other method.
            ConfigurationError: without `links=Links(…)`.
        """
        if not isinstance(self._links, Links):
            raise ConfigurationError("no link is answered here: TenantFiles(…, links=Links(…))")
        return self._links.claim(token, method)

    def _entered(self, context: TenantContext) -> Place:
        self._admission.admit(context)
        return self._place(context)

    async def _async_entered(self, context: TenantContext) -> Place:
        await self._admission.async_admit(context)
        return self._place(context)

    def _place(self, context: TenantContext) -> Place:
        return Place(self._store, context, self._sealing, self._links, self._limit_bytes)
