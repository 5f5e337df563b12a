"""Sealed files: nothing of the content reaches the store, and nothing of it can be rearranged."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partywall import TenantContext
from partywall.adapters.files import Folder, TenantFiles
from partywall.adapters.files.folder import HEADER
from partywall.adapters.files.names import place_of
from partywall.adapters.files.sealing import FRAME, WRITING
from partywall.adapters.files.store import BLOCK
from partywall.errors import TenantMismatch, WallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from partywall.adapters.files import Store

ACME, GLOBEX = TenantContext("acme"), TenantContext("globex")


class Sealed:
    """AES-GCM under one key, with tenant and name as associated data."""

    def __init__(self) -> None:
        self._cipher = AESGCM(b"k" * 32)
        self._count = 0

    def seal(self, tenant_id: str, name: str, data: bytes) -> bytes:
        self._count += 1
        nonce = self._count.to_bytes(12)
        return nonce + self._cipher.encrypt(nonce, data, f"{tenant_id}\0{name}".encode())

    def open(self, tenant_id: str, name: str, data: bytes) -> bytes:
        associated = f"{tenant_id}\0{name}".encode()
        try:
            return self._cipher.decrypt(data[:12], data[12:], associated)
        except (InvalidTag, ValueError):  # ValueError: too short for a nonce
            raise TenantMismatch("it was not sealed for this tenant under this name") from None


@pytest.fixture
def files(store: Store) -> TenantFiles:
    return TenantFiles(store, sealing=Sealed())


def stored(folder: Folder, name: str) -> Path:
    return folder.path / place_of("acme") / name


def frames(path: Path) -> tuple[bytes, list[bytes]]:
    """What stands before the blocks, and the blocks."""
    content = path.read_bytes()
    start = HEADER + WRITING
    head, rest, found = content[:start], content[start:], list[bytes]()
    while rest:
        _, length = FRAME.unpack(rest[: FRAME.size])
        found.append(rest[: FRAME.size + length])
        rest = rest[FRAME.size + length :]
    return head, found


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 700_001])
def test_what_was_sealed_is_read_as_it_was(files: TenantFiles, length: int) -> None:
    content = b"canary " * (length // 7 + 1)
    assert files.put(ACME, "a", content[:length]) == length
    assert files.read(ACME, "a") == content[:length]
    assert asyncio.run(files.async_read(ACME, "a")) == content[:length]
    with files.open(ACME, "a") as file:
        assert file.size_bytes is None


def test_the_store_sees_nothing_of_the_content(folder: Folder) -> None:
    TenantFiles(folder, sealing=Sealed()).put(ACME, "a", b"canary " * 100)
    assert b"canary" not in stored(folder, "a").read_bytes()
    TenantFiles(folder).put(ACME, "b", b"canary " * 100)
    assert b"canary" in stored(folder, "b").read_bytes()


def test_another_tenant_s_bytes_do_not_open(folder: Folder) -> None:
    files = TenantFiles(folder, sealing=Sealed())
    files.put(GLOBEX, "a", b"globex's")
    files.put(ACME, "a", b"acme's")
    other = (folder.path / place_of("globex") / "a").read_bytes()
    mine = stored(folder, "a").read_bytes()
    stored(folder, "a").write_bytes(mine[:HEADER] + other[HEADER:])
    with pytest.raises(TenantMismatch):
        files.read(ACME, "a")


def test_a_file_under_another_name_does_not_open(folder: Folder) -> None:
    files = TenantFiles(folder, sealing=Sealed())
    files.put(ACME, "a", b"acme's")
    stored(folder, "a").rename(stored(folder, "b"))
    with pytest.raises(TenantMismatch):
        files.read(ACME, "b")


def test_what_is_not_sealed_is_not_taken_for_content(store: Store) -> None:
    TenantFiles(store).put(ACME, "a", b"x" * 1000)
    with pytest.raises(WallError):
        TenantFiles(store, sealing=Sealed()).read(ACME, "a")


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "nothing": lambda found: found,
    "cut": lambda found: found[:-1],
    "emptied": lambda _: [],
    "swapped": lambda found: [found[1], found[0], *found[2:]],
    "doubled": lambda found: [found[0], *found],
    "left out": lambda found: [found[0], *found[2:]],
    "followed": lambda found: [*found, b"more"],
    "ended early": lambda found: [b"\1" + found[0][1:]],
    "prolonged": lambda found: [*found[:-1], b"\0" + found[-1][1:], found[-1]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_blocks_can_not_be_rearranged(folder: Folder, change: str) -> None:
    files = TenantFiles(folder, sealing=Sealed())
    content = bytes(range(256)) * (3 * BLOCK // 256) + b"end"
    files.put(ACME, "a", content)
    head, found = frames(stored(folder, "a"))
    stored(folder, "a").write_bytes(head + b"".join(CHANGES[change](found)))
    if change == "nothing":
        assert files.read(ACME, "a") == content
    else:
        with pytest.raises(WallError):
            files.read(ACME, "a")


def test_blocks_of_an_earlier_writing_of_the_same_file_do_not_fit(folder: Folder) -> None:
    files = TenantFiles(folder, sealing=Sealed())
    files.put(ACME, "a", b"1" * BLOCK + b"first")
    _, before = frames(stored(folder, "a"))
    files.put(ACME, "a", b"2" * BLOCK + b"second")
    head, now = frames(stored(folder, "a"))
    stored(folder, "a").write_bytes(head + before[0] + now[1])
    with pytest.raises(TenantMismatch):
        files.read(ACME, "a")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_byte_that_was_changed_anywhere_is_never_content(
    folder: Folder, data: st.DataObject
) -> None:
    files = TenantFiles(folder, sealing=Sealed())
    files.put(ACME, "a", b"acme's own")
    path = stored(folder, "a")
    changed = bytearray(path.read_bytes())
    at = data.draw(st.integers(HEADER, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    with pytest.raises(WallError):
        files.read(ACME, "a")


def test_memory_does_not_grow_with_a_file(folder: Folder) -> None:
    files = TenantFiles(folder, sealing=Sealed(), limit_bytes=200 * BLOCK)

    def content() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * BLOCK

    tracemalloc.start()
    try:
        files.put(ACME, "a", content())
        with files.open(ACME, "a") as file:
            assert sum(len(block) for block in file) == 100 * BLOCK
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * BLOCK
