"""Shapes of text: a word that carries the canary, in the dress that a constraint may want."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.planting.seed import Seed

if TYPE_CHECKING:
    from partywall.catalog.facts import Column

Maker: TypeAlias = Callable[[Seed], str | None]
"""Makes a column's value from the row's seed."""

EMAIL = re.compile(r"e_?mail")
URL = re.compile(r"(^|_)(url|uri|link|href|website|webhook|callback|endpoint)s?$")
DOMAIN = re.compile(r"(^|_)(domain|host|hostname|fqdn)s?$")
OTHERS = (
    "US", "us", "USD", "usd", "en", "EN", "en-US", "en_US", "UTC", "Europe/Berlin", "1.0.0",
    "v1.0.0", "#a1b2c3", "#A1B2C3", "a1b2c3", "127.0.0.1", "2024-06-15", "12:00", "12:00:00",
    "{}", "[]", "text/plain", "application/json", "* * * * *", "0 0 * * *", "0", "1", "10", "100",
    "true", "false", "a", "A", "test", "local", "GET", "",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constant:
    """Makes the same value in every row."""

    value: str | None

    def __call__(self, _: Seed) -> str | None:
        """Return the value, whatever the seed."""
        return self.value


def constant(value: str | None) -> Maker:
    """Make *value* in every row."""
    return Constant(value)


def constants(*values: str | None) -> tuple[Maker, ...]:
    """Make each of *values* in turn, the same in every row."""
    return tuple(constant(value) for value in values)


def framed(
    column: Column, prefix: str = "", suffix: str = "", change: Callable[[str], str] = str
) -> Maker:
    """Make *prefix*, a word, *suffix*; the word gives way where the column is short."""
    name, length = column.name, column.length

    def make(seed: Seed) -> str:
        room = None if length is None else max(length - len(prefix) - len(suffix), 1)
        return (prefix + change(seed.word(name, room)) + suffix)[:length]

    return make


def sized(column: Column, size: int) -> Maker:
    """Make a word of exactly *size* characters."""
    name = column.name

    def make(seed: Seed) -> str:
        word = seed.word(name, size)
        return word + seed.letters(f"{name}+", 40)[: min(size - len(word), 40)].ljust(
            size - len(word), "x"
        )

    return make


def texts(column: Column) -> tuple[Maker, ...]:
    """Make text for *column*: a bare word first, unless its name asks for another dress."""
    name = column.name
    plain = framed(column)
    email = framed(column, suffix="@example.test")
    url = framed(column, "https://", ".example.test/")
    domain = framed(column, suffix=".example.test")
    lowered = name.lower()
    dresses = ((EMAIL, email), (URL, url), (DOMAIN, domain))
    first = next((make for pattern, make in dresses if pattern.search(lowered)), plain)
    return (
        first,
        plain,
        email,
        url,
        domain,
        framed(column, change=str.upper),
        framed(column, change=str.capitalize),
        framed(column, "/"),
        framed(column, "a-", "-z"),
        framed(column, "@"),
        framed(column, "https://example.test/", ".png"),
        lambda seed: seed.uuid(name),
        lambda seed: "+1555" + str(seed.number(name, 1_000_000, 9_999_999)),
        lambda seed: str(seed.number(name, 100_000, 999_999)),
        lambda seed: str(seed.number(name, 10**9, 10**10 - 1)),
        lambda seed: f"#{seed.number(name, 0, 0xFFFFFF):06x}",
        lambda seed: f"{seed.number(name, 2**255, 2**256 - 1):x}",
        lambda seed: f"{seed.number(name, 2**127, 2**128 - 1):x}",
        lambda seed: _letters(seed, name, 8).upper(),
        lambda seed: _letters(seed, name, 3).upper(),
        lambda seed: _letters(seed, name, 2).upper(),
        lambda seed: _letters(seed, name, 2),
        lambda seed: f"10.0.{seed.number(name, 0, 254)}.{seed.number(name, 1, 254)}",
        *constants(*OTHERS),
    )


def _letters(seed: Seed, name: str, count: int) -> str:
    return "".join(chr(97 + seed.number(f"{name}{i}", 0, 25)) for i in range(count))
