"""What came back while two tenants ran jobs through the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from partywall.survey.driven import Driven


@dataclass(frozen=True, slots=True)
class Party:
    """One tenant; *marks* tells what in a text is its alone."""

    name: str
    marks: Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request about the victim's job, by its owner and by the attacker.

    Attributes:
        way: ``status``, ``result``, ``cancel``, ``list``.
        nobodys: the attacker's answer for an id that nobody has; None where no id is named.
        after: what the owner is told of the job afterwards.
        allowed: the owner's own answer to what may be done only once: it goes last.
    """

    way: str
    at: str
    owners: Driven
    attackers: Driven
    nobodys: Driven | None = None
    after: Driven | None = None
    allowed: Driven | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What a tenant was told of its job, right after another tenant's had run."""

    before: Driven
    told: Driven


@dataclass(frozen=True, slots=True)
class Ran:
    """One direction: what the attacker asked, and what its own jobs brought it."""

    attacker: Party
    victim: Party
    at: str
    asked: tuple[Asked, ...]
    rounds: tuple[Round, ...]
