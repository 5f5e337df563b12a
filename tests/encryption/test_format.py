"""The format: what one version has written, every later one opens."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partywall.encryption import envelope, streams
from partywall.encryption.ring import DataKey, Ring
from partywall.encryption.xaes import Xaes
from partywall.errors import SealBroken
from tests.encryption.keys import ACME, GLOBEX

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_ID = UUID("6e1c6f4a-9d3e-4b0f-8a52-0c7d3f1e2b4a")
INDEX_ID = UUID("0f9a4c1e-3b7d-4e52-9c68-5d1a7e3f2b06")

# What version 0.1.0 has sealed with the key 00 01 … 1f, and may never fail to open.
VALUE = bytes.fromhex(
    "ff7077016e1c6f4a9d3e4b0f8a520c7d3f1e2b4a803f7ef908add7da2708a2f7e7bd1e9aee932f596121943f"
    "7fee4cb41a9175a1796795027f083263271f8e9e946f456774c5"
)
STREAM = bytes.fromhex(
    "ff7077026e1c6f4a9d3e4b0f8a520c7d3f1e2b4ab441487b647419540238cd9c3d5ca4eadbb45eb2c1a1846e"
    "4b8d061946fc99f97de340f447a3e504cd5b6a"
)
INDEX = bytes.fromhex("ea7ea0c6acb883304770207e7bb87ac4")


def ring(tenant: str = ACME.tenant_id, start: int = 0) -> Ring:
    """A ring with a key that everybody knows."""
    keys = {
        KEY_ID: DataKey(KEY_ID, "seal", 1, b"", Xaes(bytearray(range(start, start + 32)))),
        INDEX_ID: DataKey(INDEX_ID, "index", 1, b"", Xaes(bytearray(range(32, 64)))),
    }
    return Ring(tenant, keys, {}, lambda: ring(tenant, start), float("inf"))


def test_what_this_format_has_sealed_is_opened() -> None:
    place = ("column", "people.name", "7")
    assert envelope.open_(ring(), VALUE, place).decode() == "Ann Äpfel"
    assert b"".join(streams.opened(ring(), "letter", [STREAM])) == b"Dear Ann"
    place = ("index", "column", "people.email")
    data = envelope.place(ACME.tenant_id, *place) + b"ann@example.com"
    assert ring().newest("index").mac(data)[:16] == INDEX


@pytest.mark.parametrize(
    ("key", "about", "sealed"),
    [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (
            3,
            b"c2sp.org/XAES-256-GCM",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
        ),
    ],
)
def test_the_vectors_of_xaes(key: int, about: bytes, sealed: str) -> None:
    cipher, nonce = Xaes(bytearray([key] * 32)), b"ABCDEFGHIJKLMNOPQRSTUVWX"
    assert cipher.seal(nonce, b"XAES-256-GCM", about).hex() == sealed
    assert cipher.open(nonce, bytes.fromhex(sealed), about) == b"XAES-256-GCM"


def test_the_accumulated_vectors_of_xaes() -> None:
    random, said = hashlib.shake_128().digest(12_000_000), hashlib.shake_128()
    at = 0

    def some(count: int) -> bytes:
        nonlocal at
        at += count
        return random[at - count : at]

    for _ in range(10_000):
        key, nonce = some(32), some(24)
        plain = some(some(1)[0])
        about = some(some(1)[0])
        said.update(Xaes(bytearray(key)).seal(nonce, plain, about))
    assert said.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"


NAMES = st.lists(st.text(max_size=8), max_size=4).map(tuple)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), NAMES, NAMES)
def test_what_is_sealed_opens_at_its_place_and_at_no_other(
    data: bytes, place: tuple[str, ...], other: tuple[str, ...]
) -> None:
    sealed = envelope.seal(ring(), data, place)
    assert envelope.open_(ring(), sealed, place) == data
    assert len(sealed) == len(data) + envelope.LEAST_BYTES
    assert sealed != envelope.seal(ring(), data, place)
    wrong: list[Callable[[], object]]
    wrong = [lambda: envelope.open_(ring(GLOBEX.tenant_id), sealed, place)]
    wrong += [lambda: envelope.open_(ring(start=1), sealed, place)]
    if other != place:
        wrong += [lambda: envelope.open_(ring(), sealed, other)]
    for attempt in wrong:
        with pytest.raises(SealBroken):
            attempt()


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES)
def test_no_two_places_are_written_alike(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (envelope.place("t", *one) == envelope.place("t", *other)) is (one == other)


def test_every_reason_has_the_same_error() -> None:
    place = ("column", "people.name", "7")
    broken: list[Callable[[], object]] = [
        lambda: envelope.open_(ring(GLOBEX.tenant_id), VALUE, place),
        lambda: envelope.open_(ring(), VALUE, ("column", "people.other", "7")),
        lambda: envelope.open_(ring(), VALUE[:4] + bytes(16) + VALUE[20:], place),
        lambda: envelope.open_(ring(), VALUE[:-1] + b"\x00", place),
        lambda: envelope.open_(ring(), b"", place),
        lambda: envelope.open_(ring(), STREAM, place),
        lambda: b"".join(streams.opened(ring(), "letter", [VALUE])),
        lambda: b"".join(streams.opened(ring(), "letter", [STREAM[:-1]])),
        lambda: b"".join(streams.opened(ring(), "letter", [])),
    ]
    said = set()
    for attempt in broken:
        with pytest.raises(SealBroken) as raised:
            attempt()
        said.add((str(raised.value), raised.value.__cause__, raised.value.__suppress_context__))
    assert len({words for words, *_ in said}) == 1
