"""E-mail addresses: one mailbox is one, and two are two."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from partywall.control.addresses import addressed, folded
from partywall.errors import InvalidRecord

ONE_MAILBOX = [
    ("Ada.Lovelace@Example.COM", "ada.lovelace@example.com"),
    ("ada@exämple.de", "ADA@XN--EXMPLE-CUA.DE"),
    ("ada@example。com", "ada@example.com"),
    ("ada@faß.de", "ada@xn--fa-hia.de"),
    ("é@example.com", "e\u0301@example.com"),
    ("É@example.com", "e\u0301@example.com"),
    ("H\u0331@example.com", "\u1e96@example.com"),
    ("ΆΔΑ@example.com", "άδα@example.com"),
]

TWO_MAILBOXES = [
    ("ada@faß.de", "ada@fass.de"),  # two domains, two owners
    ("weiß@example.com", "weiss@example.com"),
    ("ſam@example.com", "sam@example.com"),  # noqa: RUF001 - the point
    ("adm\u0131n@example.com", "admin@example.com"),
    ("adm\u0131n@example.com", "ADMIN@example.com"),
    ("adm\u0130n@example.com", "admin@example.com"),
    ("\ufb01ne@example.com", "fine@example.com"),
    ("\u0430da@example.com", "ada@example.com"),  # Cyrillic
    ("\uff41da@example.com", "ada@example.com"),  # full width
    ("σοφοσ@example.com", "σοφος@example.com"),
    ("ada+bills@example.com", "ada@example.com"),
    ("a.da@example.com", "ada@example.com"),
]

NO_ADDRESSES = [
    "", "@", "ada", "ada@", "@example.com", "ada@localhost", "ada@example", "ada@127.0.0.1",
    "ada@[127.0.0.1]", "ada@@example.com", " ada@example.com", "ada@example.com\n",
    "ada@example.com\nbcc: eve@example.com", "ada\0@example.com", "ada\ud83d@example.com",
    "Ada <ada@example.com>", '"ada lovelace"@example.com', "ada\u200d@example.com",
    "ada@ex\u00adample.com", "a" * 65 + "@example.com", "ada@" + "a." * 130 + "com",
    "ada@example.com,eve@example.com",
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ONE_MAILBOX)
def test_one_mailbox_has_one_key(one: str, other: str) -> None:
    assert addressed(one).key == addressed(other).key


@pytest.mark.parametrize(("one", "other"), TWO_MAILBOXES)
def test_two_mailboxes_have_two_keys(one: str, other: str) -> None:
    assert addressed(one).key != addressed(other).key


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord, match="this is no e-mail address") as caught:
        addressed(text)
    assert len(text) < 2 or text not in str(caught.value).removesuffix("ann@example.com")


def test_an_address_is_shown_as_it_was_given() -> None:
    assert addressed("Ada.Lovelace@Exämple.DE").shown == "Ada.Lovelace@exämple.de"


def test_the_key_of_a_key_is_the_key() -> None:
    for pair in ONE_MAILBOX + TWO_MAILBOXES:
        for key in (addressed(each).key for each in pair):
            assert addressed(key).key == key


def test_of_all_letters_only_a_capital_and_its_small_one_are_one() -> None:
    letters: dict[str, set[str]] = {}
    for code in range(sys.maxunicode + 1):
        if chr(code).lower() == chr(code).upper():
            continue
        letter = unicodedata.normalize("NFC", chr(code))
        if len(letter) == 1:
            letters.setdefault(folded(letter), set()).add(letter)
    assert max(map(len, letters.values())) == 2
    for small, both in letters.items():
        assert both <= {small, small.upper()}
