"""Tokens that say who acts for which tenant: signed, short-lived, and void with the membership.

JSON web tokens (RFC 7519) of the kind of RFC 9068. What a token is held against is the key that
its `kid` names: the key says the algorithm, and nothing in the token chooses another key.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from partywall.errors import ConfigurationError, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE = "at+jwt"
"""So that no other token of the same issuer, one that identifies a user to a client for instance,
passes for one of these."""

CLAIMS = ("iss", "aud", "sub", "tid", "mv", "uv", "jti", "iat", "nbf", "exp", "auth_time")
HEADER = {"alg", "kid", "typ"}
"""Nothing else: not the key (`jwk`), where to find it (`jku`, `x5u`), or an extension (`crit`)."""

LONGEST = 2048
"""Characters of a token; ours have about 500."""

Private: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

GENERATED: dict[str, Callable[[], Private]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
}
PUBLIC_PARTS = ("kty", "crv", "x", "y")


@dataclass(frozen=True)
class SigningKey:
    """A key that signs tokens and verifies them.

    Args:
        kid: its name, in every token that it has signed; never used for another key.
        private_key_pem: an Ed25519 key (which signs with EdDSA) or one of the curve P-256 (ES256),
            PKCS #8 without a password.

    Raises:
        ConfigurationError: for another kind of key, or without a name.
    """

    kid: str
    private_key_pem: str = field(repr=False)

    def __post_init__(self) -> None:
        """Look at the key now and not with the first token."""
        if not self.kid:
            raise ConfigurationError("a signing key needs a name: SigningKey(kid=…)")
        _ = self.algorithm

    @classmethod
    def generate(cls, kid: str, algorithm: str = "EdDSA") -> Self:
        """A new key.

        Args:
            kid: its name.
            algorithm: EdDSA or ES256.

        Raises:
            ConfigurationError: for another algorithm.
        """
        if algorithm not in GENERATED:
            raise ConfigurationError(
                f"{algorithm!r} signs no tokens: choose {' or '.join(GENERATED)}"
            )
        pem = GENERATED[algorithm]().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return cls(kid, pem.decode())

    @cached_property
    def private(self) -> Private:
        """The key itself."""
        try:
            key = serialization.load_pem_private_key(self.private_key_pem.encode(), None)
        except (ValueError, TypeError):
            raise ConfigurationError(
                f"the signing key {self.kid!r} can't be read: give it as PEM, PKCS #8, without a "
                "password"
            ) from None  # the error of the parser may show what it read
        if isinstance(key, ed25519.Ed25519PrivateKey) or (
            isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
        ):
            return key
        raise ConfigurationError(
            f"the signing key {self.kid!r} is of a kind that signs no tokens: use Ed25519 or P-256"
        )

    @cached_property
    def public(self) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
        """Its public half."""
        return self.private.public_key()

    @cached_property
    def algorithm(self) -> str:
        """What it signs with."""
        return "EdDSA" if isinstance(self.private, ed25519.Ed25519PrivateKey) else "ES256"

    def jwk(self) -> dict[str, str]:
        """Its public half, as RFC 7517 and RFC 8037 have it."""
        if isinstance(self.public, ed25519.Ed25519PublicKey):
            parts = OKPAlgorithm.to_jwk(self.public, as_dict=True)
        else:
            parts = ECAlgorithm.to_jwk(self.public, as_dict=True)
        told = {name: str(parts[name]) for name in PUBLIC_PARTS if name in parts}
        return {**told, "kid": self.kid, "use": "sig", "alg": self.algorithm}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says.

    Attributes:
        user_id: who acts.
        tenant_id: for whom; "" when it only says who somebody is.
        membership_version: of the membership it was issued for; void with any other.
        user_version: of the user, which a new password changes; void with any other.
        logged_in_at: when the user showed a password, in whole seconds.
        token_id: of this one token.
        expires_at: when it ends.
    """

    user_id: str
    tenant_id: str
    membership_version: int
    user_version: int
    logged_in_at: dt.datetime
    token_id: str
    expires_at: dt.datetime


class Tokens:
    """Issues tokens and verifies them; it asks no database.

    A key is changed in three steps, each out everywhere before the next: the new one is added
    last, so that all verify it; it is put first, so that it signs; the old one is taken out when
    its last token has expired.

    Args:
        keys: the first signs, all verify.
        issuer: who issues, an address as a rule; tokens of another don't hold.
        audience: for which application.
        ttl_s: how long a token lasts.
        leeway_s: by how much clocks may differ.
        longest_s: how long after a log-in a token may be had for another; then one logs in again.

    Raises:
        ConfigurationError: without a key, with two of one name, or without issuer or audience.
    """

    def __init__(
        self,
        keys: Sequence[SigningKey],
        *,
        issuer: str,
        audience: str,
        ttl_s: float = 900.0,
        leeway_s: float = 5.0,
        longest_s: float = 43_200.0,
    ) -> None:
        self._keys = {key.kid: key for key in keys}
        if not keys or len(self._keys) != len(keys):
            raise ConfigurationError("tokens need signing keys, each with a name of its own")
        if not issuer or not audience or min(ttl_s, longest_s) <= 0 or leeway_s < 0:
            raise ConfigurationError("tokens need an issuer, an audience and a time to live")
        self._signing = keys[0]
        self._issuer, self._audience = issuer, audience
        self._ttl_s, self._leeway_s, self._longest_s = ttl_s, leeway_s, longest_s

    def issue(
        self,
        user_id: str,
        tenant_id: str,
        membership_version: int,
        *,
        user_version: int = 1,
        since: dt.datetime | None = None,
    ) -> str:
        """A token for a user in a tenant; for none with "" and 0.

        Args:
            user_id: who acts.
            tenant_id: for whom.
            membership_version: of the membership.
            user_version: of the user.
            since: when the user logged in; None: just now.

        Raises:
            NotAuthenticated: when that is too long ago.
        """
        begun = int(time.time())
        logged_in = begun if since is None else int(since.timestamp())
        left_s = logged_in + self._longest_s - begun
        if left_s <= 0:
            raise NotAuthenticated("the log-in is too long ago: log in again")
        said = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id,
            "tid": tenant_id,
            "mv": membership_version,
            "uv": user_version,
            "auth_time": logged_in,
            "jti": str(uuid.uuid4()),
            "iat": begun,
            "nbf": begun,
            "exp": begun + max(1, round(min(self._ttl_s, left_s))),
        }
        key = self._signing
        header = {"kid": key.kid, "typ": TYPE}
        return jwt.encode(said, key.private, algorithm=key.algorithm, headers=header)

    def verified(self, token: str) -> Claims:
        """What *token* says, if it holds.

        It does not say that the membership still stands: compare its version with
        `Access.member`.

        Raises:
            NotAuthenticated: for any other token, in the same words whatever the cause.
        """
        try:
            return self._verified(token)
        except (jwt.PyJWTError, ValueError, OSError, OverflowError, RecursionError) as error:
            raise NotAuthenticated(
                "the token does not hold: it is malformed, expired, signed by an unknown key, or "
                "meant for somebody else; log in again"
            ) from error

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys, for who verifies tokens elsewhere (RFC 7517)."""
        return {"keys": [key.jwk() for key in self._keys.values()]}

    def _verified(self, token: str) -> Claims:
        header, said = opened(token)
        kid = header["kid"]
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None or header["alg"] != key.algorithm or header["typ"] != TYPE:
            raise ValueError("not a token of ours")
        jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=self._leeway_s,
            options={"require": list(CLAIMS), "strict_aud": True},
        )
        return claims(said)


def opened(token: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token whose signature nobody has looked at.

    Raises:
        ValueError: when it is not one in the only way in which it can be written.
    """
    if not isinstance(token, str) or len(token) > LONGEST:
        raise ValueError("not a token")
    header, said, _ = (exact(part) for part in token.split("."))
    found = record(header)
    if found.keys() != HEADER:
        raise ValueError("a header of another kind")
    return found, record(said)


def exact(part: str) -> bytes:
    """What *part* encodes; the decoders of Python pass over what they don't know.

    Raises:
        ValueError: when the bytes would be written in another way.
    """
    found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part.encode("ascii"):
        raise ValueError("not written as base64url")
    return found


def record(text: bytes) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        ValueError: for what is none, and where a name stands twice: others may read the other one.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a name stands twice")
        return made

    found = json.loads(text, object_pairs_hook=once)
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - a value of the wrong kind, from outside
    return found


def claims(said: dict[str, Any]) -> Claims:
    """What verified claims say.

    Raises:
        ValueError: when one is of another type than ours.
    """
    texts = [said[name] for name in ("sub", "tid", "jti")]
    numbers = [said[name] for name in ("mv", "uv", "iat", "nbf", "exp", "auth_time")]
    if not all(isinstance(each, str) for each in texts) or not said["sub"] or not said["jti"]:
        raise ValueError("a claim that should be text")
    if not all(type(each) is int and each >= 0 for each in numbers):  # and not True, nor 1.0
        raise ValueError("a claim that should be a number")
    expires_at, logged_in_at = (
        dt.datetime.fromtimestamp(said[name], dt.UTC) for name in ("exp", "auth_time")
    )
    return Claims(
        said["sub"], said["tid"], said["mv"], said["uv"], logged_in_at, said["jti"], expires_at
    )
