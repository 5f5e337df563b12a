from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partywall.encryption import envelope, streams
from partywall.encryption.streams import CHUNK_BYTES, opened, sealed
from partywall.encryption.xaes import TAG_BYTES
from partywall.errors import SealBroken
from tests.encryption.keys import ACME, GLOBEX
from tests.encryption.test_format import ring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.encryption import Keyring

HEAD = 39
FULL = CHUNK_BYTES + TAG_BYTES


def chunks(data: bytes) -> list[bytes]:
    """A sealed stream as its header and its chunks."""
    return list(sealed(ring(), "s", [data]))


def read(pieces: list[bytes]) -> bytes:
    return b"".join(opened(ring(), "s", pieces))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=4),
    st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]),
    st.integers(1, 2 * CHUNK_BYTES),
)
def test_a_stream_comes_back_however_it_is_cut(sizes: list[int], last: int, cut: int) -> None:
    pieces = [bytes([n]) * size for n, size in enumerate([*sizes, last])]
    whole = b"".join(sealed(ring(), "s", pieces))
    again = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert read(again) == b"".join(pieces)
    assert b"".join(opened(ring(), "s", io.BytesIO(whole))) == b"".join(pieces)


def test_a_stream_that_was_cut_off_swapped_or_added_to_is_broken() -> None:
    head, *body = chunks(bytes(3 * CHUNK_BYTES))
    other_head, *other = chunks(bytes(3 * CHUNK_BYTES))
    assert [len(each) for each in body] == [FULL] * 3
    right = [head, *body]
    assert read(right) == bytes(3 * CHUNK_BYTES)
    wrong = [
        [head, *body[:2]],
        [head, body[0]],
        [head],
        [head[:-1]],
        [head, body[1], body[0], body[2]],
        [head, body[0], body[2]],
        [head, body[0], body[0], body[1], body[2]],
        [head, *body, body[2]],
        [head, *body, b"\x00"],
        [head, *body[:2], body[2][:-1]],
        [head, body[0], other[1], body[2]],
        [other_head, *body],
        body,
    ]
    for pieces in wrong:
        with pytest.raises(SealBroken):
            read(pieces)
    for name, tenant in (("other", ACME), ("s", GLOBEX)):
        with pytest.raises(SealBroken):
            list(opened(ring(tenant.tenant_id), name, right))


def test_a_change_of_any_byte_of_a_stream_is_seen() -> None:
    whole = b"".join(chunks(b"twelve bytes"))
    for place in range(len(whole)):
        wrong = whole[:place] + bytes([whole[place] ^ 128]) + whole[place + 1 :]
        with pytest.raises(SealBroken):
            read([wrong])


def test_nothing_is_given_out_of_a_chunk_that_was_changed() -> None:
    head, *body = chunks(bytes(3 * CHUNK_BYTES))
    body[1] = body[1][:-1] + bytes([body[1][-1] ^ 1])
    given_out = opened(ring(), "s", [head, *body])
    assert next(given_out) == bytes(CHUNK_BYTES)
    with pytest.raises(SealBroken):
        next(given_out)


def test_a_stream_has_no_second_way_to_be_written() -> None:
    key, about = ring().newest("seal"), b""
    head, first = chunks(bytes(CHUNK_BYTES))
    prefix = head[-streams.PREFIX_BYTES :]
    about = head[:20] + envelope.place(ACME.tenant_id, "stream", "s")
    longer = [
        head,
        key.cipher.seal(prefix + bytes(5), bytes(CHUNK_BYTES), about),
        key.cipher.seal(prefix + b"\x00\x00\x00\x01\x01", b"", about),
    ]
    assert read([head, first]) == bytes(CHUNK_BYTES)
    with pytest.raises(SealBroken):
        read(longer)


def test_a_stream_has_an_end_to_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_CHUNKS", 2)
    assert len(chunks(bytes(2 * CHUNK_BYTES))) == 3
    with pytest.raises(ValueError, match="seal it in parts"):
        chunks(bytes(2 * CHUNK_BYTES + 1))


def test_memory_is_bounded(keyring: Keyring) -> None:
    def source() -> Iterator[bytes]:
        for _ in range(400):
            yield bytes(CHUNK_BYTES)

    keyring.ring(ACME.tenant_id)
    tracemalloc.start()
    try:
        there = keyring.seal_stream(ACME.tenant_id, "big", source())
        size = sum(len(each) for each in keyring.open_stream(ACME.tenant_id, "big", there))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 400 * CHUNK_BYTES
    assert peak < 20 * CHUNK_BYTES
