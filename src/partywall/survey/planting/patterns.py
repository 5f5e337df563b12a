"""Strings that match a regular expression, with the canary inside where a class allows it.

Reads the part of PostgreSQL's and the POSIX syntax that constraints use; for anything else it
yields nothing, and what it yields is judged by the server.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from partywall.survey.planting.seed import Seed

WORD = string.ascii_lowercase + string.digits
CLASSES = {
    "d": string.digits, "w": WORD + string.ascii_uppercase + "_", "s": " ",
    "D": string.ascii_lowercase, "S": WORD + "-._@", "W": "-",
}  # fmt: skip
NAMED = {
    "alpha": string.ascii_letters, "alnum": WORD + string.ascii_uppercase, "digit": string.digits,
    "lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "space": " ",
    "punct": "-._", "xdigit": "0123456789abcdefABCDEF", "word": CLASSES["w"],
}  # fmt: skip
ANY = WORD + string.ascii_uppercase + "-_.@ /:+#"
QUANTIFIER = re.compile(r"\{(\d+)(,(\d*))?\}")
OPEN_END = 40


class UnreadableError(ValueError):
    """The expression uses syntax that this reader does not know."""


@dataclass
class _Reader:
    """Reads *text* from *at*; every branch of the grammar returns the string it made."""

    text: str
    seed: Seed
    at: int = 0
    marked: bool = False

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        found = self.peek()
        self.at += 1
        return found

    def alternatives(self) -> str:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence())
        return branches[0]

    def sequence(self) -> str:
        made = ""
        while self.peek() and self.peek() not in "|)":
            made += self.piece()
        return made

    def piece(self) -> str:
        start = self.at
        first = self.atom()
        low, high = self.quantifier()
        end = self.at
        if isinstance(first, frozenset):
            return self._drawn(first, low, high, f"{start}")
        made = first if low else ""
        for _ in range(low - 1):
            self.at = start
            again = self.atom()
            made += again if isinstance(again, str) else ""
        self.at = end
        return made

    def _drawn(self, chars: frozenset[str], low: int, high: int, salt: str) -> str:
        """So many characters of a class, the canary's word when it may stand here."""
        word = self.seed.word(salt)
        for form in (word, word.upper()):
            if not self.marked and set(form) <= chars and high >= len(form) >= 1:
                self.marked = True
                extra = max(low - len(form), 0)
                return form + self._any(chars, extra, salt)
        count = low if low > 0 else min(high, 1)
        return self._any(chars, count, salt)

    def _any(self, chars: frozenset[str], count: int, salt: str) -> str:
        order = sorted(chars, key=lambda c: (c not in WORD, c))
        plain = [c for c in order if c in WORD] or order
        return "".join(
            plain[self.seed.number(f"{salt}.{i}", 0, len(plain) - 1)] for i in range(count)
        )

    def quantifier(self) -> tuple[int, int]:
        found = QUANTIFIER.match(self.text, self.at)
        low, high = 1, 1
        if found:
            self.at = found.end()
            low = int(found[1])
            high = low if found[2] is None else int(found[3] or low + OPEN_END)
        elif self.peek() in {"*", "+", "?"}:
            low, high = {"*": (0, OPEN_END), "+": (1, OPEN_END), "?": (0, 1)}[self.take()]
        if self.peek() == "?" and (found or (low, high) != (1, 1)):
            self.take()
        return low, high

    def atom(self) -> str | frozenset[str]:
        char = self.take()
        if char in "^$":
            return ""
        if char == ".":
            return frozenset(ANY)
        if char == "[":
            return self.bracket()
        if char == "(":
            if self.peek() == "?":
                self.take()
                if self.take() != ":":
                    raise UnreadableError(self.text)
            made = self.alternatives()
            if self.take() != ")":
                raise UnreadableError(self.text)
            return made
        if char == "\\":
            return self.escape()
        if char in "*+?{":
            raise UnreadableError(self.text)
        return char

    def escape(self) -> str | frozenset[str]:
        char = self.take()
        if char in CLASSES:
            return frozenset(CLASSES[char])
        if char in "AZmMyb":
            return ""
        if not char or char.isalnum():
            raise UnreadableError(self.text)
        return char

    def bracket(self) -> frozenset[str]:
        negated = self.peek() == "^"
        self.at += negated
        chars: set[str] = set()
        first = True
        while first or self.peek() != "]":
            first = False
            if self.text.startswith("[:", self.at):
                name, _, _ = self.text[self.at + 2 :].partition(":]")
                chars |= set(NAMED.get(name, ""))
                self.at += len(name) + 4
                continue
            chars |= self._member()
            if self.at >= len(self.text):
                raise UnreadableError(self.text)
        self.take()
        return frozenset(set(ANY) - chars) if negated else frozenset(chars)

    def _member(self) -> set[str]:
        low = self.take()
        if low == "\\":
            escaped = self.escape()
            if isinstance(escaped, frozenset):
                return set(escaped)
            low = escaped
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in {"]", ""}:
            self.take()
            high = self.take()
            high = self.take() if high == "\\" else high
            return {chr(code) for code in range(ord(low), min(ord(high), 0x7E) + 1)}
        return {low}


def matching(pattern: str, seed: Seed) -> str | None:
    """Return a string that *pattern* should match, None when it can't be read."""
    reader = _Reader(pattern.removeprefix("(?i)").removeprefix("***:"), seed)
    try:
        made = reader.alternatives()
    except UnreadableError:
        return None
    return made if reader.at >= len(reader.text) else None


def like(pattern: str, seed: Seed) -> str:
    """Return a string that a LIKE or SIMILAR TO *pattern* of plain wildcards matches."""
    made = pattern.replace("_", "x")
    return made.replace("%", seed.word(pattern), 1).replace("%", "")
