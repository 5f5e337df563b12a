"""A tenant's files, in a folder and in a bucket: its own, whole, and nobody else's."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

from partywall import TenantContext
from partywall.adapters.files import Entry, Removed, TenantFiles
from partywall.adapters.files.s3 import PART
from partywall.errors import (
    DeletedTenant,
    InactiveTenant,
    InvalidRecord,
    MissingTenant,
    TooLarge,
    UnknownRecord,
    UnknownTenant,
)
from partywall.runtime.directory import CachedDirectory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from partywall.adapters.files import Store
    from partywall.runtime.directory import Standing

ACME, GLOBEX = TenantContext("acme"), TenantContext("acme.globex")


class Stopped(Exception):  # noqa: N818 - a state
    """What a source of content raises in the middle."""


@pytest.fixture
def files(store: Store) -> TenantFiles:
    return TenantFiles(store)


def names(entries: Iterator[Entry]) -> list[str]:
    return sorted(entry.name for entry in entries)


def broken(content: bytes) -> Iterator[bytes]:
    yield content
    raise Stopped


def test_what_was_put_is_read_by_its_tenant_and_by_no_other(files: TenantFiles) -> None:
    size = files.put(ACME, "reports/2026.pdf", b"acme's", content_type="application/pdf")
    files.put(GLOBEX, "reports/2026.pdf", b"globex's own")
    assert size == 6
    assert files.read(ACME, "reports/2026.pdf") == b"acme's"
    assert files.read(GLOBEX, "reports/2026.pdf") == b"globex's own"
    found = files.stat(ACME, "reports/2026.pdf")
    assert (found.stored_bytes, found.content_type) == (6, "application/pdf")
    assert found.modified.tzinfo is not None
    files.delete(ACME, "reports/2026.pdf")
    assert names(files.list(ACME)) == []
    assert files.read(GLOBEX, "reports/2026.pdf") == b"globex's own"


@pytest.mark.parametrize("name", ["t_acme$2eglobex/secret", "../t_acme$2eglobex/secret"])
def test_no_name_leads_to_another_tenant_s_file(files: TenantFiles, name: str) -> None:
    files.put(GLOBEX, "secret", b"globex's")
    assert files.read(GLOBEX, "secret") == b"globex's"
    calls: list[Callable[[], object]] = [
        lambda: files.read(ACME, name),
        lambda: files.stat(ACME, name),
        lambda: files.delete(ACME, name),
        lambda: next(iter(files.list(ACME, name))),
    ]
    for call in calls:
        with pytest.raises((UnknownRecord, InvalidRecord, StopIteration)):
            call()
    assert names(files.list(ACME)) == []
    files.remove_all(ACME)
    assert files.read(GLOBEX, "secret") == b"globex's"


def test_a_list_knows_whole_folders_and_no_beginnings_of_names(files: TenantFiles) -> None:
    for name in ("a/1", "a/b/2", "ab/3", "a.txt"):
        files.put(ACME, name, b"x")
    assert names(files.list(ACME)) == ["a.txt", "a/1", "a/b/2", "ab/3"]
    assert names(files.list(ACME, "a")) == ["a/1", "a/b/2"]
    assert names(files.list(ACME, "a/b")) == ["a/b/2"]
    assert names(files.list(ACME, "none")) == []
    assert {entry.stored_bytes for entry in files.list(ACME)} == {1}


def test_what_is_not_there_is_unknown(files: TenantFiles) -> None:
    files.put(ACME, "a/b", b"x")
    for name in ("c", "a", "a/c", "a/b/c"):
        for call in (files.read, files.stat, files.delete):
            with pytest.raises(UnknownRecord):
                call(ACME, name)


@pytest.mark.parametrize("length", [0, 1, 300_000, PART, 2 * PART + 1])
def test_a_file_of_any_length_comes_back_as_it_was(files: TenantFiles, length: int) -> None:
    content = bytes(range(256)) * (length // 256 + 1)
    assert files.put(ACME, "a", io.BytesIO(content[:length])) == length
    assert files.read(ACME, "a") == content[:length]
    with files.open(ACME, "a") as file:
        assert file.size_bytes == length
        assert b"".join(file) == content[:length]


@pytest.mark.parametrize("length", [10, PART + 10])
def test_a_file_that_breaks_off_is_not_kept_and_the_old_one_stays(
    files: TenantFiles, length: int
) -> None:
    with pytest.raises(Stopped):
        files.put(ACME, "a/new", broken(b"x" * length))
    assert names(files.list(ACME)) == []
    files.put(ACME, "a/old", b"as it was")
    with pytest.raises(Stopped):
        files.put(ACME, "a/old", broken(b"x" * length))
    assert files.read(ACME, "a/old") == b"as it was"
    assert files.remove_all(ACME) == Removed(1, 9)


@pytest.mark.parametrize("length", [11, PART + 11])
def test_what_is_too_long_is_refused_as_soon_as_it_is_and_nothing_kept(
    files: TenantFiles, length: int
) -> None:
    asked = []

    def longer() -> Iterator[bytes]:
        for _ in range(2 * length // 1024 + 2):
            asked.append(1)
            yield b"x" * 1024

    with pytest.raises(TooLarge, match=f"{length} bytes"):
        files.put(ACME, "a", longer(), limit_bytes=length)
    assert len(asked) == length // 1024 + 1
    assert names(files.list(ACME)) == []
    files.put(ACME, "a", b"x" * length, limit_bytes=length)
    with pytest.raises(TooLarge):
        files.read(ACME, "a", limit_bytes=length - 1)


@pytest.mark.parametrize(("length", "error"), [(9, InvalidRecord), (11, TooLarge)])
def test_another_length_than_was_said_is_not_kept(
    files: TenantFiles, length: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        files.put(ACME, "a", b"x" * length, size_bytes=10)
    assert names(files.list(ACME)) == []
    assert files.put(ACME, "a", b"x" * 10, size_bytes=10) == 10


def test_the_length_of_a_piece_is_that_of_its_bytes(files: TenantFiles) -> None:
    wide: list[Any] = [memoryview(bytes(40)).cast("I")]  # ten of four bytes each
    with pytest.raises(TooLarge):
        files.put(ACME, "a", wide, limit_bytes=39)
    assert files.put(ACME, "a", wide, limit_bytes=40) == 40
    assert len(files.read(ACME, "a")) == 40


@pytest.mark.parametrize("content", ["text", ["text"], [1]])
def test_content_is_bytes(files: TenantFiles, content: object) -> None:
    with pytest.raises(TypeError, match="is bytes"):
        files.put(ACME, "a", content)  # type: ignore[arg-type]  # that is the point
    assert names(files.list(ACME)) == []


@pytest.mark.parametrize("context", [None, "acme", {"tenant_id": "acme"}])
def test_without_a_context_there_is_no_file(files: TenantFiles, context: object) -> None:
    calls: list[Callable[..., object]] = [files.read, files.stat, files.delete, files.download_link]
    for call in calls:
        with pytest.raises(MissingTenant):
            call(context, "a")
    with pytest.raises(MissingTenant):
        files.put(context, "a", b"x")  # type: ignore[arg-type]  # that is the point
    every: list[Callable[..., object]] = [files.list, files.remove_all]
    for call in every:
        with pytest.raises(MissingTenant):
            call(context)
    with pytest.raises(MissingTenant):
        asyncio.run(files.async_stat(context, "a"))  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("standing", "error"),
    [("suspended", InactiveTenant), ("deleted", DeletedTenant), (None, UnknownTenant)],
)
def test_a_tenant_that_may_not_be_entered_has_no_files(
    store: Store, standing: Standing | None, error: type[Exception]
) -> None:
    TenantFiles(store).put(ACME, "a", b"x")
    files = TenantFiles(store, directory=CachedDirectory(lambda _: standing))
    with pytest.raises(error):
        files.put(ACME, "b", b"x")
    for call in (files.read, files.stat, files.delete):
        with pytest.raises(error):
            call(ACME, "a")
    for every in (files.list, files.remove_all):
        with pytest.raises(error):
            every(ACME)
    with pytest.raises(error):
        asyncio.run(files.async_put(ACME, "b", b"x"))
    with pytest.raises(error):
        asyncio.run(files.async_read(ACME, "a"))
    assert names(TenantFiles(store).list(ACME)) == ["a"]


def test_a_tenant_that_is_deleted_while_it_uploads_keeps_nothing(store: Store) -> None:
    standing: Standing = "active"
    files = TenantFiles(store, directory=CachedDirectory(lambda _: standing, ttl_s=0))

    def content() -> Iterator[bytes]:
        nonlocal standing
        yield b"before"
        standing = "deleted"

    with pytest.raises(DeletedTenant):
        files.put(ACME, "a", content())
    assert names(TenantFiles(store).list(ACME)) == []

    async def pieces() -> AsyncIterator[bytes]:
        for piece in content():
            yield piece

    standing = "active"
    with pytest.raises(DeletedTenant):
        asyncio.run(files.async_put(ACME, "a", pieces()))
    assert names(TenantFiles(store).list(ACME)) == []


def test_async_code_has_the_same(files: TenantFiles) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        yield b"y"

    async def all_of_it() -> None:
        assert await files.async_put(ACME, "a/1", pieces()) == 300_001
        assert await files.async_put(ACME, "a/2", b"two") == 3
        assert await files.async_put(ACME, "a/3", io.BytesIO(b"three")) == 5
        assert await files.async_read(ACME, "a/1") == b"x" * 300_000 + b"y"
        async with files.async_open(ACME, "a/1") as file:
            assert file.size_bytes == 300_001
            assert len([block async for block in file]) > 1
        found = sorted([entry.name async for entry in files.async_list(ACME, "a")])
        assert found == ["a/1", "a/2", "a/3"]
        assert (await files.async_stat(ACME, "a/2")).stored_bytes == 3
        await files.async_delete(ACME, "a/2")
        with pytest.raises(UnknownRecord):
            await files.async_stat(ACME, "a/2")
        with pytest.raises(TooLarge):
            await files.async_put(ACME, "a/4", pieces(), limit_bytes=1000)
        assert await files.async_remove_all(ACME) == Removed(2, 300_006)

    asyncio.run(all_of_it())
    assert names(files.list(ACME)) == []


def test_an_upload_that_is_cancelled_leaves_nothing(files: TenantFiles) -> None:
    async def cancelled() -> None:
        reached = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"x" * (PART + 1)
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(files.async_put(ACME, "a", pieces()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert names(files.list(ACME)) == []
    assert files.remove_all(ACME) == Removed()


def test_a_thread_has_ended_before_who_was_cancelled_cleans_up(files: TenantFiles) -> None:
    inside, released = threading.Event(), threading.Event()
    order: list[str] = []

    def content() -> Iterator[bytes]:
        inside.set()
        assert released.wait(60)
        order.append("thread")
        yield b"x"

    async def cancelled() -> None:
        task = asyncio.create_task(files.async_put(ACME, "a", content()))
        await asyncio.to_thread(inside.wait, 60)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        order.append("task")

    asyncio.run(cancelled())
    assert order == ["thread", "task"]
    assert names(files.list(ACME)) == []
