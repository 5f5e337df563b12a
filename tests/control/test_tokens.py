"""Tokens: what holds, and that nothing else does."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from partywall.control.tokens import Claims, SigningKey, Tokens, opened
from partywall.errors import ConfigurationError, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable

ALGORITHMS = ("EdDSA", "ES256")
KEYS = {name: SigningKey.generate(f"{name}-1", name) for name in ALGORITHMS}
ISSUER = "https://house.example"
AUDIENCE = "invoices"
ADA = "5f0c1c1e-3f1c-4a55-9d7c-6a7d2f3b8a01"
ACME = "00000000-0000-4000-8000-00000000000a"


def made(*keys: SigningKey, **options: Any) -> Tokens:  # noqa: ANN401 - passed on
    told = {"issuer": ISSUER, "audience": AUDIENCE, **options}
    return Tokens(keys or [KEYS["EdDSA"]], **told)


TOKENS = {name: made(KEYS[name]) for name in ALGORITHMS}
GOOD = {name: TOKENS[name].issue(ADA, ACME, 3) for name in ALGORITHMS}
for_each = pytest.mark.parametrize("name", ALGORITHMS)


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "==")


def said(**changes: object) -> dict[str, Any]:
    """Claims that hold, but for *changes*; None takes one away."""
    now = int(time.time())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": ADA, "tid": ACME, "mv": 3, "uv": 1, "jti": "1",
        "auth_time": now, "iat": now, "nbf": now, "exp": now + 60,
    }  # fmt: skip
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(
    payload: dict[str, Any] | bytes,
    key: SigningKey = KEYS["EdDSA"],
    **header: Any,  # noqa: ANN401 - whatever can be written
) -> str:
    """A token as its issuer could have written it, with the right signature."""
    head = {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return signed_parts(encoded(json.dumps(head).encode()), encoded(body), key)


def signed_parts(head: str, body: str, key: SigningKey = KEYS["EdDSA"]) -> str:
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    text = f"{head}.{body}"
    return f"{text}.{encoded(algorithm.sign(text.encode(), key.private))}"


def refused(token: str, tokens: Tokens = TOKENS["EdDSA"]) -> None:
    with pytest.raises(NotAuthenticated, match=r"^the token does not hold: ") as caught:
        tokens.verified(token)
    assert ADA not in str(caught.value)


@for_each
def test_what_was_issued_holds(name: str) -> None:
    before = int(time.time())
    claims = TOKENS[name].verified(TOKENS[name].issue(ADA, ACME, 3))
    begun = claims.logged_in_at
    assert claims == Claims(ADA, ACME, 3, 1, begun, claims.token_id, claims.expires_at)
    assert before <= begun.timestamp() <= time.time()
    assert 899 <= (claims.expires_at - dt.datetime.fromtimestamp(before, dt.UTC)).seconds <= 902
    assert TOKENS[name].verified(GOOD[name]).token_id != claims.token_id


def test_what_these_tests_sign_holds_as_long_as_it_is_as_issued() -> None:
    assert TOKENS["EdDSA"].verified(signed(said())).user_id == ADA
    issued = jwt.decode(GOOD["EdDSA"], options={"verify_signature": False})
    assert issued.keys() == said().keys()
    assert jwt.get_unverified_header(GOOD["EdDSA"]) == {
        "alg": "EdDSA", "kid": "EdDSA-1", "typ": "at+jwt"
    }  # fmt: skip


def test_a_token_for_no_tenant() -> None:
    claims = made().verified(made().issue(ADA, "", 0))
    assert (claims.tenant_id, claims.membership_version) == ("", 0)


@pytest.mark.parametrize("claim", said())
def test_every_claim_is_required(claim: str) -> None:
    refused(signed(said(**{claim: None})))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"}, {"iss": [ISSUER]}, {"iss": ISSUER + "/"},
        {"aud": "payroll"}, {"aud": [AUDIENCE]}, {"aud": [AUDIENCE, "payroll"]}, {"aud": ""},
        {"sub": ""}, {"sub": 7}, {"tid": 7}, {"tid": [ACME]}, {"tid": {"a": 1}},
        {"mv": "3"}, {"mv": True}, {"mv": 3.0}, {"mv": -1}, {"uv": "1"}, {"uv": True},
        {"auth_time": 1.5}, {"auth_time": "0"}, {"jti": ""}, {"jti": 1},
        {"exp": "soon"}, {"exp": True}, {"exp": float("inf")}, {"exp": float("nan")},
        {"exp": 10**40}, {"nbf": 1.5}, {"iat": "0"},
    ],
    ids=str,
)  # fmt: skip
def test_a_claim_of_another_value_or_type(changes: dict[str, object]) -> None:
    refused(signed(said(**changes)))


@pytest.mark.parametrize(
    ("claim", "beyond", "within"), [("exp", -7, -3), ("nbf", 20, 3), ("iat", 20, 3)]
)
def test_clocks_may_differ_by_the_leeway_and_no_more(claim: str, beyond: int, within: int) -> None:
    now = int(time.time())
    refused(signed(said(**{claim: now + beyond})))
    assert TOKENS["EdDSA"].verified(signed(said(**{claim: now + within}))).user_id == ADA
    refused(signed(said(**{claim: now + within})), made(leeway_s=0))


def test_a_token_expires() -> None:
    short = made(ttl_s=1, leeway_s=0)
    token = short.issue(ADA, ACME, 1)
    assert short.verified(token).user_id == ADA
    time.sleep(2.05 - time.time() % 1)
    refused(token, short)


def test_a_token_ends_with_the_log_in_that_it_comes_from() -> None:
    tokens = made(longest_s=1000, ttl_s=900)
    logged_in = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=400)
    claims = tokens.verified(tokens.issue(ADA, ACME, 1, user_version=7, since=logged_in))
    assert claims.logged_in_at == logged_in.replace(microsecond=0)
    assert claims.user_version == 7
    assert 598 <= (claims.expires_at - dt.datetime.now(dt.UTC)).total_seconds() <= 601
    with pytest.raises(NotAuthenticated, match="too long ago"):
        tokens.issue(ADA, ACME, 1, since=logged_in - dt.timedelta(seconds=600))


@for_each
def test_the_public_key_is_no_secret_to_sign_with(name: str) -> None:
    key = KEYS[name]
    pem = key.public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    spellings = (pem, pem.strip(), json.dumps(key.jwk()).encode(), decoded(key.jwk()["x"]))
    for secret in spellings:
        for algorithm, hashed in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            head = encoded(json.dumps({"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}).encode())
            text = f"{head}.{encoded(json.dumps(said()).encode())}"
            forged = hmac.new(secret, text.encode(), hashed).digest()
            refused(f"{text}.{encoded(forged)}", TOKENS[name])


@for_each
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, ["EdDSA"], 0])
@pytest.mark.parametrize("keep", [True, False])
def test_none(name: str, algorithm: object, keep: bool) -> None:  # noqa: FBT001 - a parameter
    _, body, signature = GOOD[name].split(".")
    head = encoded(json.dumps({"alg": algorithm, "kid": KEYS[name].kid, "typ": "at+jwt"}).encode())
    refused(f"{head}.{body}.{signature if keep else ''}", TOKENS[name])


def test_the_key_and_not_the_token_says_the_algorithm() -> None:
    both = made(*KEYS.values())
    for key in KEYS.values():
        assert both.verified(signed(said(), key)).user_id == ADA
        for other in {"EdDSA", "ES256", "ES384", "RS256", "HS256"} - {key.algorithm}:
            refused(signed(said(), key, alg=other), both)
    refused(signed(said(), KEYS["ES256"], kid="EdDSA-1"), both)
    refused(signed(said(), KEYS["EdDSA"], kid="ES256-1"), both)


@pytest.mark.parametrize("kid", ["", "EdDSA-2", "../EdDSA-1", "EdDSA-1 ", None, 1, ["EdDSA-1"], {}])
def test_an_unknown_kid(kid: object) -> None:
    refused(signed(said(), kid=kid))


def test_a_known_kid_of_another_key() -> None:
    refused(signed(said(), SigningKey.generate("EdDSA-1")))


def test_a_token_brings_no_key_along() -> None:
    own = SigningKey.generate("EdDSA-1")
    pem = own.public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for header in (
        {"jwk": own.jwk()},
        {"jku": "https://elsewhere.example/keys"},
        {"x5u": "https://elsewhere.example/chain"},
        {"x5c": [base64.b64encode(pem).decode()]},
    ):
        refused(signed(said(), own, **header))
        refused(signed(said(), KEYS["EdDSA"], **header))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"zip": "DEF"}, {"cty": "JWT"},
        {"typ": "JWT"}, {"typ": "AT+JWT"}, {"typ": "id+jwt"}, {"typ": None}, {"typ": 1},
        {"alg": None}, {"exp": 1}, {"": ""},
    ],
    ids=str,
)  # fmt: skip
def test_another_header(header: dict[str, Any]) -> None:
    refused(signed(said(), **header))


@pytest.mark.parametrize("name", ["tid", "sub", "mv", "exp"])
def test_a_claim_that_stands_twice(name: str) -> None:
    body = json.dumps(said())
    twice = f'{{"{name}": {json.dumps(said()[name])}, {body[1:]}'
    assert json.loads(twice) == json.loads(body)
    refused(signed(twice.encode()))


def test_a_header_that_stands_twice() -> None:
    head = b'{"kid": "other", "alg": "EdDSA", "typ": "at+jwt", "kid": "EdDSA-1"}'
    refused(signed_parts(encoded(head), encoded(json.dumps(said()).encode())))


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a.b.c", "e30.e30.", GOOD["EdDSA"] + ".", "." + GOOD["EdDSA"],
        GOOD["EdDSA"] + "\n", " " + GOOD["EdDSA"], GOOD["EdDSA"] + "=", GOOD["EdDSA"] + "!",
        GOOD["EdDSA"].replace(".", "!."), GOOD["EdDSA"].replace(".", "=."),
        GOOD["EdDSA"].partition(".")[2], GOOD["EdDSA"].rpartition(".")[0],
        GOOD["EdDSA"].rpartition(".")[0] + ".", "é.é.é", "\0", "\ud800",
        signed(b"[]"), signed(b"7"), signed(b"null"), signed(b"{"), signed(b""), signed(b"\xff"),
        signed(b"[" * 1200), encoded(b"[" * 1200) + ".e30.AA", encoded(b"9" * 1300) + ".e30.AA",
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_what_is_no_token(token: str) -> None:
    refused(token)


@pytest.mark.parametrize("more", ["!", "=", "\n", " ", "."])
def test_there_is_one_way_to_write_a_token(more: str) -> None:
    """Whatever the library underneath passes over."""
    head, body, signature = GOOD["EdDSA"].split(".")
    for parts in ([head + more, body, signature], [head, body, signature + more]):
        with pytest.raises(ValueError, match=r"."):
            opened(".".join(parts))


@pytest.mark.parametrize("token", [None, 7, b"", GOOD["EdDSA"].encode(), ["a"], object()])
def test_what_is_not_even_text(token: Any) -> None:  # noqa: ANN401 - anything
    refused(token)


def test_an_oversized_token() -> None:
    assert len(GOOD["EdDSA"]) < 700
    assert TOKENS["EdDSA"].verified(signed(said(jti="x" * 1000))).user_id == ADA
    refused(signed(said(jti="x" * 2000)))


MUTATIONS: dict[str, Callable[[str, int, str], str]] = {
    "replaced": lambda token, at, by: token[:at] + by + token[at + 1 :],
    "inserted": lambda token, at, by: token[:at] + by + token[at:],
    "removed": lambda token, at, by: token[:at] + token[at + len(by) :],
    "swapped": lambda token, at, _: token[:at] + token[at : at + 2][::-1] + token[at + 2 :],
}
CHARACTERS = st.sampled_from("ABab09-_.=+/ \n\0é%~") | st.characters(codec="utf-8")


@for_each
@settings(max_examples=400, deadline=None)
@given(how=st.sampled_from(sorted(MUTATIONS)), place=st.floats(0, 1), by=CHARACTERS)
def test_no_mutation_holds(name: str, how: str, place: float, by: str) -> None:
    good = GOOD[name]
    mutated = MUTATIONS[how](good, round(place * (len(good) - 1)), by)
    if mutated != good:
        refused(mutated, TOKENS[name])


@for_each
def test_no_other_last_character_holds(name: str) -> None:
    """A signature of 64 bytes leaves four bits of its last character free."""
    good = GOOD[name]
    for part in range(3):
        parts = good.split(".")
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
            changed = [*parts]
            changed[part] = parts[part][:-1] + last
            if changed != parts:
                refused(".".join(changed), TOKENS[name])


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(said())),
        st.text() | st.integers() | st.none() | st.booleans() | st.floats() | st.lists(st.text()),
        min_size=1,
    )
)
def test_claims_without_their_signature_never_hold(changes: dict[str, object]) -> None:
    head, body, signature = GOOD["EdDSA"].split(".")
    changed = {**json.loads(decoded(body)), **changes}
    forged = f"{head}.{encoded(json.dumps(changed).encode())}.{signature}"
    refused(forged)


def test_keys_rotate() -> None:
    old, new = SigningKey.generate("2024"), SigningKey.generate("2025", "ES256")
    first = made(old)
    before = first.issue(ADA, ACME, 1)
    announced = made(old, new)
    assert jwt.get_unverified_header(announced.issue(ADA, ACME, 1))["kid"] == "2024"
    changed = made(new, old)
    after = changed.issue(ADA, ACME, 1)
    assert jwt.get_unverified_header(after)["kid"] == "2025"
    for tokens in (announced, changed):
        assert tokens.verified(before).user_id == ADA
        assert tokens.verified(after).user_id == ADA
    last = made(new)
    assert last.verified(after).user_id == ADA
    refused(before, last)


def test_public_keys_are_told_and_private_ones_are_not() -> None:
    told = made(*KEYS.values()).jwks()
    assert [sorted(key) for key in told["keys"]] == [
        ["alg", "crv", "kid", "kty", "use", "x"],
        ["alg", "crv", "kid", "kty", "use", "x", "y"],
    ]
    for name, key in zip(ALGORITHMS, jwt.PyJWKSet.from_dict(told).keys, strict=True):
        found = jwt.decode(GOOD[name], key, [name], audience=AUDIENCE, issuer=ISSUER)
        assert found["sub"] == ADA
        assert (key.key_id, key.algorithm_name) == (KEYS[name].kid, name)
        assert "PRIVATE" not in repr(KEYS[name])


def pem(key: Any, **options: Any) -> str:  # noqa: ANN401 - a key of any kind
    usual = {
        "encoding": serialization.Encoding.PEM,
        "format": serialization.PrivateFormat.PKCS8,
        "encryption_algorithm": serialization.NoEncryption(),
    }
    text: bytes = key.private_bytes(**{**usual, **options})
    return text.decode()


OTHERS = {
    "RSA": pem(rsa.generate_private_key(65537, 2048)),
    "P-384": pem(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": pem(ec.generate_private_key(ec.SECP256K1())),
    "password": pem(
        ed25519.Ed25519PrivateKey.generate(),
        encryption_algorithm=serialization.BestAvailableEncryption(b"x"),
    ),
    "empty": "",
    "text": "correct horse battery staple",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_key_of_another_kind(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="the signing key 'k' ") as caught:
        SigningKey("k", OTHERS[kind])
    assert "horse" not in str(caught.value)


def test_what_can_not_work_is_said_at_once() -> None:
    key = KEYS["EdDSA"]
    with pytest.raises(ConfigurationError, match="needs a name"):
        SigningKey.generate("")
    with pytest.raises(ConfigurationError, match="'HS256' signs no tokens"):
        SigningKey.generate("k", "HS256")
    with pytest.raises(ConfigurationError, match="each with a name of its own"):
        made(key, SigningKey.generate(key.kid))
    with pytest.raises(ConfigurationError, match="each with a name of its own"):
        Tokens([], issuer=ISSUER, audience=AUDIENCE)
    for options in (
        {"issuer": ""},
        {"audience": ""},
        {"ttl_s": 0},
        {"leeway_s": -1},
        {"longest_s": 0},
    ):
        with pytest.raises(ConfigurationError, match="an issuer, an audience"):
            made(key, **options)
