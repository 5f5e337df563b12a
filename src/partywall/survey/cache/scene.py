"""All that the planners of attacks on a cache may know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.survey.cache.filling import ALL_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.cache.commands import Command


@dataclass(frozen=True, slots=True)
class Keys:
    """The planted keys of one tenant, one of each kind.

    Attributes:
        prefix, channels: of all that is the tenant's.
        run: stands in the name of everything that this survey makes.
        canary, number: the values in its keys, which stand nowhere else.
    """

    owner: str
    prefix: str
    channels: str
    run: str
    canary: str
    number: str

    @property
    def of(self) -> Mapping[str, str]:
        """Name of the key by its kind."""
        return {kind: self._name(kind) for kind in ALL_KINDS}

    @property
    def absent(self) -> str:
        """The name of a key that is not there."""
        return self._name("absent")

    @property
    def channel(self) -> str:
        """The name of a channel that only it uses."""
        return f"{self.channels}partywall-{self.run}"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What stands nowhere but in this tenant's keys, and in their names."""
        return (self.canary, self.number, self._name(""), self.channel)

    def told(self, text: str) -> bool:
        """Whether something of this tenant stands in *text*."""
        return any(token in text for token in self.tokens)

    def _name(self, kind: str) -> str:
        return f"{self.prefix}partywall-{self.run}-{kind}"


@dataclass(frozen=True, slots=True)
class Filling:
    """How a command is called: which kind of key goes in, and whether the server took that.

    Attributes:
        proved: it succeeded with keys of the administrator's.
    """

    command: Command
    kind: str
    proved: bool


@dataclass(frozen=True)
class Scene:
    """One direction of an attack on a cache.

    Attributes:
        fillings: one for each command that takes keys.
        commands: the others, and those of whose keys the server says nothing.
        given: arguments by name that take what the server made: a dump, a script's hash, a
            function. ``undeclared`` is a function that reads the key that its argument names.
        library: the name that a library of functions may take; "" where the server has none.
        size: how many keys there are, all in all.
        empty_database: the number of a database without any key; None where there is none.
        logins: tenant -> the name of its user.
    """

    attacker: Keys
    victim: Keys
    fillings: tuple[Filling, ...]
    commands: tuple[Command, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    library: str = ""
    size: int = 0
    empty_database: int | None = None
    logins: Mapping[str, str] = field(default_factory=dict)
