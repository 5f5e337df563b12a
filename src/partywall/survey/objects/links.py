"""Links that an application gives out, and how they are bent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from partywall.survey.attack import Effect
    from partywall.survey.driven import Driven

ENDS = ("expires", "x-amz-expires", "se", "exp", "x-goog-expires", "until", "e")
"""Parameters by which a link says when it ends."""
LONGER = 10


@dataclass(frozen=True, slots=True)
class Bent:
    """One bent link, and its answer.

    Attributes:
        owners: what the owner's own link answered before and after it, where it may change a file.
    """

    way: str
    actor: str
    driven: Driven
    effect: Effect = "read"
    owners: tuple[Driven, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """A link to a file of *owner*, as it answers its owner, and bent."""

    at: str
    owner: str
    marks: Callable[[str], Collection[str]]
    rightful: Driven
    bent: tuple[Bent, ...]


def spellings(own: str, theirs: str) -> Iterator[tuple[str, str]]:
    """Links to *theirs* that whoever holds the link *own* can make: how, and the address."""
    mine, other = urlsplit(own), urlsplit(theirs)
    if mine.query:
        yield (
            "the attacker's signature with the victim's key",
            urlunsplit(other._replace(query=mine.query)),
        )
    yield "the victim's key without a signature", urlunsplit(other._replace(query=""))
    parameters = parse_qsl(other.query, keep_blank_values=True)
    for number, (name, value) in enumerate(parameters):
        bent = value
        words = ""
        if name.lower() in ENDS and value.isdigit():
            bent, words = str(int(value) * LONGER), "a later end under the same signature"
        elif len(value) >= 16 and name.lower().endswith(("signature", "sig", "token", "hmac")):  # noqa: PLR2004 - shorter ones sign nothing
            bent, words = value[:-1] + ("A" if value[-1] != "A" else "B"), "another signature"
        if words:
            changed = [*parameters[:number], (name, bent), *parameters[number + 1 :]]
            yield words, urlunsplit(other._replace(query=urlencode(changed)))
