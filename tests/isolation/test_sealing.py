"""Proofs and keys of sealed contexts, against the definition of HMAC and its published vectors."""

from __future__ import annotations

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall import RowSecurity
from partywall.isolation import row_walls, sealing
from partywall.isolation.sealing import INNER, OUTER, install_key, padded, proof, sealed_functions

KEYS = st.binary(min_size=32, max_size=200)
VECTORS = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]
"""Cases 1, 2, 3 and 6 of https://www.rfc-editor.org/rfc/rfc4231#section-4"""

SYSTEM = ("pg_catalog.", '"partywall".')
"""The schemas in which nobody but their owner makes anything."""


def by_definition(key: bytes, message: bytes) -> str:
    """As the server computes it: of the padded keys, and of nothing but SHA-256."""
    inner = hashlib.sha256(padded(key, INNER) + message).digest()
    return hashlib.sha256(padded(key, OUTER) + inner).hexdigest()


@pytest.mark.parametrize(("key", "message", "digest"), VECTORS)
def test_padded_keys_make_the_published_digests(key: bytes, message: bytes, digest: str) -> None:
    assert by_definition(key, message) == digest


@given(KEYS, st.uuids(), st.text(st.characters(codec="ascii"), max_size=50))
def test_a_proof_is_the_hmac_of_who_enters_and_of_the_challenge(
    key: bytes, tenant: object, challenge: str
) -> None:
    model = RowSecurity(sealed=True, key=key)
    said = f"enter {tenant} {challenge}".encode()
    assert proof(model, str(tenant), challenge) == by_definition(key, said)
    assert proof(model, str(tenant), challenge) == hmac.digest(key, said, "sha256").hex()


@given(KEYS)
def test_no_statement_and_no_representation_has_the_key(key: bytes) -> None:
    model = RowSecurity(sealed=True, key=key)
    statement, *values = install_key(model)
    said = " ".join(
        (
            *row_walls.context_function(model),
            *row_walls.grants(model, "app", ["public.notes"], []),
            *sealing.entering(model, "acme", "challenge"),
            sealing.asking(model),
            statement,
            repr(model),
            str(model),
        )
    )
    for secret in (key.hex(), repr(key)[2:-1], *values):
        assert secret not in said


def test_every_name_in_the_functions_is_qualified() -> None:
    """They have no search_path of their own, and run as their owner under the caller's."""
    for statement in sealed_functions(RowSecurity(sealed=True, key=bytes(32))):
        for body in re.findall(r"\$\$(.*)\$\$", statement, re.DOTALL):
            code = re.sub(r"USING ERRCODE[^;]*", "", re.sub(r"'[^']*'", "''", body))
            plain = re.sub(r"OPERATOR\(pg_catalog\.[^)]*\)|:=|::pg_catalog\.", " ", code)
            assert re.findall(r"[^\s\w.,;()'\"]", plain) == [], "an operator or a cast"
            called = re.findall(r"([\w.\"]+)\(", plain)
            assert all(name.startswith(SYSTEM) for name in called), called
            declared = re.findall(
                r"^    \w+ (\S+?)(?: :=.*)?;$", code.split("BEGIN")[0], re.MULTILINE
            )
            assert all(name.startswith("pg_catalog.") for name in declared), declared
            read = re.findall(r"(?:FROM|INTO STRICT \w+ FROM) (\S+)", code)
            assert all(name.startswith(SYSTEM) for name in read), read


def test_a_seal_is_for_one_backend_and_one_transaction() -> None:
    """Two backends that begin in one microsecond can't be had in a test."""
    functions = sealed_functions(RowSecurity(sealed=True, key=bytes(32)))
    sealing_ones = [body for body in functions if "'seal '" in body]
    assert len(sealing_ones) == 2
    for body in sealing_ones:
        _, _, sealed = body.partition("'seal '")
        assert "pg_backend_pid()" in sealed
        assert "transaction_timestamp()" in sealed
