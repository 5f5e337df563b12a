"""What a survey lays out for each tenant, and who attacks whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """A tenant's login, whatever the layer."""

    @property
    def name(self) -> str:
        """The tenant's."""


Login = TypeVar("Login", bound=Named)
Laid = TypeVar("Laid")


@dataclass(frozen=True, slots=True)
class Planted(Generic[Login]):
    """What is made for one tenant, and removed in the end.

    Attributes:
        login: how the tenant's code gets there.
        run: stands in the name of everything that this survey makes.
        canary: stands in it, and nowhere else.
    """

    login: Login
    run: str
    canary: str

    @property
    def owner(self) -> str:
        """The tenant's name."""
        return self.login.name


@dataclass(frozen=True)  # no slots: an alias of it, Direction[Queue], must be callable
class Direction(Generic[Laid]):
    """Who attacks, and whose is attacked."""

    attacker: Laid
    victim: Laid
