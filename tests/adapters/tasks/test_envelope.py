"""Envelopes: what was sealed comes back whole, for its message alone, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.adapters.envelope import Envelopes, digest
from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated, PartywallError

KEY, OTHER = b"k" * 32, b"o" * 32
ACME = TenantContext("acme", "ann", roles={"owner"}, permissions={"invoices:read"})

contexts = st.builds(
    TenantContext,
    st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True),
    st.text(max_size=8),
    st.frozensets(st.text(max_size=6), max_size=3),
    st.frozensets(st.text(max_size=6), max_size=3),
)
audiences = st.text(max_size=40)


@given(context=contexts, audience=audiences)
def test_what_was_sealed_comes_back_whole(context: TenantContext, audience: str) -> None:
    text = Envelopes(KEY).sealed(context, audience=audience)
    assert text.isascii()
    assert Envelopes({"a": OTHER, **named(KEY)}).opened(text, audience=audience) == context


def named(key: bytes) -> dict[str, bytes]:
    return {Envelopes(key).sealed(ACME, audience="").split(".")[1]: key}


@given(context=contexts, one=audiences, other=audiences)
def test_it_opens_for_its_audience_alone(context: TenantContext, one: str, other: str) -> None:
    text = Envelopes(KEY).sealed(context, audience=one)
    if one != other:
        with pytest.raises(NotAuthenticated):
            Envelopes(KEY).opened(text, audience=other)


@given(data=st.data(), context=contexts)
def test_one_changed_character_is_enough(data: st.DataObject, context: TenantContext) -> None:
    text = Envelopes(KEY).sealed(context, audience="a")
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda found: found != text[at]))
    for changed in (text[:at] + letter + text[at + 1 :], text[:at] + text[at + 1 :], text + letter):
        with pytest.raises(NotAuthenticated):
            Envelopes(KEY).opened(changed, audience="a")


@given(st.one_of(st.text(), st.none(), st.integers(), st.dictionaries(st.text(), st.text())))
def test_what_is_no_envelope_is_refused(thing: object) -> None:
    with pytest.raises((MissingTenant, NotAuthenticated)):
        Envelopes(KEY).opened(thing, audience="a")


def test_an_unknown_version_is_refused_though_its_code_is_right() -> None:
    text = Envelopes(KEY).sealed(ACME, audience="a")
    with pytest.raises(NotAuthenticated, match="no version"):
        Envelopes(KEY).opened("2" + text[1:], audience="a")


def test_keys_are_replaced_without_a_message_lost() -> None:
    before = Envelopes({"old": KEY})
    between = Envelopes({"old": KEY, "new": OTHER})
    after = Envelopes({"new": OTHER, "old": KEY})
    for sender in (before, between, after):
        text = sender.sealed(ACME, audience="a")
        assert between.opened(text, audience="a") == after.opened(text, audience="a") == ACME
    with pytest.raises(NotAuthenticated, match="no key of ours"):
        Envelopes({"new": OTHER}).opened(before.sealed(ACME, audience="a"), audience="a")
    with pytest.raises(NotAuthenticated):  # another key by the same name
        Envelopes({"old": OTHER}).opened(before.sealed(ACME, audience="a"), audience="a")


def test_an_envelope_may_expire_and_is_never_of_the_future() -> None:
    now = [1000.0]
    envelopes = Envelopes(KEY, expires_s=10, clock=lambda: now[0])
    text = envelopes.sealed(ACME, audience="a")
    for moment, words in ((1011.0, "expired"), (900.0, "future")):
        now[0] = moment
        with pytest.raises(NotAuthenticated, match=words):
            envelopes.opened(text, audience="a")
    now[0] = 1009.0
    assert envelopes.opened(text, audience="a") == ACME


def test_keys_that_protect_nothing_are_refused() -> None:
    for keys in (b"short", {}, {"a": b"short"}, {"": KEY}, {"a.b": KEY}, "k" * 32, {"a": "k" * 32}):
        with pytest.raises(ConfigurationError):
            Envelopes(keys)  # type: ignore[arg-type] # on purpose


def test_nothing_that_is_shown_has_the_key_in_it() -> None:
    secret = b"correct horse battery staple 123"
    envelopes = Envelopes({"k1": secret})
    shown = [repr(envelopes), envelopes.sealed(ACME, audience="a")]
    with pytest.raises(PartywallError) as raised:
        Envelopes({"k1": secret[:9]})
    assert not any("horse" in text for text in [*shown, str(raised.value)])


def test_without_a_context_nothing_is_sealed() -> None:
    with pytest.raises(MissingTenant):
        Envelopes(KEY).sealed(None, audience="a")  # type: ignore[arg-type] # on purpose


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_audiences_of_different_parts_differ(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)
