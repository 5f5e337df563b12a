"""How a sealed value is written down: which key, which nonce, and what it is bound to.

::

    3 bytes  FF 70 77          no text begins so: FF never occurs in UTF-8
    1 byte   what follows      1: a value, 2: a stream
    16 bytes the data key's id
    24 bytes the nonce         of a value; 19 of a stream, whose chunks add the rest
    …        AES-256-GCM       with a tag of 16 bytes

Additional data is all of the header up to the nonce, and the place: tenant and names, each with
its length before it, so that no two places are written alike.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import UUID

from partywall.encryption.xaes import BROKEN, NONCE_BYTES, TAG_BYTES
from partywall.errors import SealBroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.encryption.ring import DataKey, Ring

MAGIC = b"\xffpw"
VALUE, STREAM = b"\x01", b"\x02"
HEADER_BYTES = 20
"""Magic, kind and key: what a database can compare to tell by which key a value is sealed."""

LEAST_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
"""Of a sealed value: by so much it is longer than what is in it."""


def place(tenant_id: str, *names: str) -> bytes:
    """The place of a value, as additional data has it."""
    parts = [name.encode() for name in (tenant_id, *names)]
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def looks_sealed(data: bytes, kind: bytes = VALUE) -> bool:
    """Whether *data* begins as what is sealed does."""
    return data.startswith(MAGIC + kind)


def header(key: DataKey, kind: bytes = VALUE) -> bytes:
    """How all begins that *key* seals."""
    return MAGIC + kind + key.id.bytes


def key_of(sealed: bytes, kind: bytes = VALUE) -> UUID:
    """The id of the key that sealed it.

    Raises:
        SealBroken: when it does not say.
    """
    if not looks_sealed(sealed, kind) or len(sealed) < HEADER_BYTES:
        raise SealBroken(BROKEN)
    return UUID(bytes=bytes(sealed[4:HEADER_BYTES]))


def seal(ring: Ring, data: bytes, names: Sequence[str]) -> bytes:
    """*data*, sealed by the tenant's newest key for one place.

    Raises:
        UnknownKey: when what wraps that key is not at hand.
    """
    key = ring.newest("seal")
    nonce, first = secrets.token_bytes(NONCE_BYTES), header(key)
    about = first + place(ring.tenant_id, *names)
    return first + nonce + key.cipher.seal(nonce, data, about)


def open_(ring: Ring, sealed: bytes, names: Sequence[str]) -> bytes:
    """What was sealed for that tenant and that place.

    Raises:
        SealBroken: for anything else.
        UnknownKey: when what wraps its key is not at hand.
    """
    if len(sealed) < LEAST_BYTES:
        raise SealBroken(BROKEN)
    key = ring.key(key_of(sealed))
    about = sealed[:HEADER_BYTES] + place(ring.tenant_id, *names)
    nonce = sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
    return key.cipher.open(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], about)
