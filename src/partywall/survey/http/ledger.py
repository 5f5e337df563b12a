"""What belongs to whom: canaries and ids by owner, and which of them an attacker has ever sent."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: a person may have to read them
NOBODYS = "z"
"""The tag of whoever is no tenant."""
RUN, SERIAL = 4, 5
TELLING = 12
"""An id of so many characters says by itself whose it is."""
NUMBER = re.compile(r"(?<![\w.])\d{6,}(?![\w.])")
FEWEST_DIGITS = 6


class Ledger:
    """Canaries are ``pw``, the run, the owner, a serial: each occurs once, and nowhere by chance.

    The same seed gives the same run's canaries, in the same order.
    """

    def __init__(self, seed: int, owners: Iterable[str]) -> None:
        self.random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.run = "".join(self.random.choices(LETTERS, k=RUN))
        self.tags = _tags(list(owners))
        self._nobodys = NOBODYS * max(map(len, self.tags.values()), default=1)
        self._serial = 0
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._numbers: dict[str, set[str]] = defaultdict(set)
        self._sent: dict[str, set[str]] = defaultdict(set)

    def prefix(self, owner: str) -> str:
        """What all canaries of *owner* begin with."""
        return f"pw{self.run}{self.tags.get(owner, self._nobodys)}"

    def canary(self, owner: str) -> str:
        """A new one."""
        number, said = self._serial, ""
        self._serial += 1
        for _ in range(SERIAL):
            number, digit = divmod(number, len(LETTERS))
            said = LETTERS[digit] + said
        return self.prefix(owner) + said

    def number(self, owner: str, least: float, most: float) -> int | None:
        """A number that nobody else has; None where the bounds leave none that tells."""
        low, high = max(int(least), 10 ** (FEWEST_DIGITS - 1)), min(int(most), 10**9)
        if high - low < 10**FEWEST_DIGITS // 2:
            return None
        found = self.random.randint(low, high)
        self._numbers[owner].add(str(found))
        return found

    def owns(self, owner: str, id_: object) -> None:
        """Note an id that was made for *owner*."""
        self._ids[owner].add(str(id_))

    def owner_of(self, id_: object) -> str:
        """Whose id that is; "" where nobody knows, or several have it."""
        found = [owner for owner, ids in self._ids.items() if str(id_) in ids]
        return found[0] if len(found) == 1 else ""

    def sends(self, actor: str, text: str) -> None:
        """Note what *actor* wrote: it may be kept and come back, and proves nothing then."""
        for owner in self.tags:
            if owner != actor:
                self._sent[actor] |= set(self.evidence(owner, text))

    def evidence(self, owner: str, text: str) -> list[str]:
        """Everything in *text* that is *owner*'s alone: canaries first, then ids, then numbers."""
        lowered = text.lower()
        prefix = self.prefix(owner)
        found = []
        if prefix in lowered:
            found = re.findall(f"{prefix}[{LETTERS}]{{{SERIAL}}}", lowered)
        found += [
            one
            for one in self._ids[owner]
            if len(one) >= TELLING and one.lower() in lowered and not self._shared(one, owner)
        ]
        found += [one for one in NUMBER.findall(text) if one in self._numbers[owner]]
        return list(dict.fromkeys(found))

    def leaked(self, owner: str, actor: str, asked: str, answered: str) -> list[str]:
        """What of *owner* came back to *actor* that it sent neither now nor before."""
        found = self.evidence(owner, answered)
        if not found:
            return []
        lowered, before = asked.lower(), self._sent[actor]
        return [one for one in found if one.lower() not in lowered and one not in before]

    def _shared(self, id_: str, owner: str) -> bool:
        return any(id_ in ids for other, ids in self._ids.items() if other != owner)


def _tags(owners: Sequence[str]) -> dict[str, str]:
    """A tag for each, all of one length, so that none begins with another."""
    letters = LETTERS.replace(NOBODYS, "")
    length = 1
    while len(letters) ** length < len(owners):
        length += 1
    tags = map("".join, product(letters, repeat=length))
    return dict(zip(owners, tags, strict=False))


def scalars(value: Any, depth: int = 0) -> list[tuple[int, str, Any]]:  # noqa: ANN401 - any JSON
    """Each scalar under a key of a JSON value, with its depth and its key, shallow ones first."""
    found: list[tuple[int, str, Any]] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                found += scalars(inner, depth + 1)
            else:
                found.append((depth, key, inner))
    elif isinstance(value, list):
        for inner in value:
            found += scalars(inner, depth + 1)
    return sorted(found, key=lambda each: each[0])
