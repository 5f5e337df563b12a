"""The contract between an attack on an API and the engine: how one request is bent.

An attack module holds one planner, a generator decorated with `attack`: from a `Sight` (one
operation, and what is known of both sides) it yields `Attempt`s. An attempt says for each slot
whose id goes there; the engine puts real ids in, a fresh victim's where something may be destroyed,
and judges all attempts by the same oracle. Planners ask nothing and know no ids.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from partywall.survey.attack import Effect
    from partywall.survey.http.graph import Graph, Slot
    from partywall.survey.http.operations import Api, Operation, Place

Side: TypeAlias = Literal["own", "victim", "nobody"]
Asker: TypeAlias = Literal["attacker", "nobody", "stranger"]
After: TypeAlias = Literal["", "owner", "deleted"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose id goes into a slot.

    Attributes:
        side: the attacker's own, the victim's, or one that nobody has.
        literal: this text instead of an id, where it isn't None.
        spelled: changes how an id of a kind is written, None where it can't; its words are
            `spelling`.
        raw: the text goes into the path as it is, not percent-encoded.
        listed: in a list: the attacker's own id goes first, then this one.
    """

    side: Side = "victim"
    literal: str | None = None
    spelled: Callable[[str, str], Any] | None = None
    spelling: str = ""
    raw: bool = False
    listed: bool = False

    @property
    def words(self) -> str:
        """For a report."""
        if self.literal is not None:
            return repr(self.literal)
        return f"{self.side}'s {self.spelling}".rstrip() if self.spelling else self.side


OWN, VICTIM, NOBODY = Choice("own"), Choice("victim"), Choice("nobody")


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that the description doesn't have, added to the request.

    Attributes:
        values: for each side what goes there.
    """

    place: Place
    name: str
    values: Mapping[Side, Any]


@dataclass(frozen=True)
class Attempt:
    """One way to bend a request of one operation.

    Attributes:
        mode: how, in words for the coverage.
        choices: slots that aren't filled as the attacker would fill them in its own request.
        extras: added on the side of the victim; a baseline takes those of its own side.
        method: sent instead of the operation's own.
        asker: who asks.
        after: after what: the owner has read the same ("owner"), or has removed it ("deleted").
        elsewhere: sent to the victim's own base address.
        last: it may do harm beyond its victim, and is tried after all others.
        alone: its body has nothing else that isn't required.
    """

    mode: str
    choices: Mapping[Slot, Choice] = field(default_factory=dict)
    extras: tuple[Extra, ...] = ()
    method: str = ""
    asker: Asker = "attacker"
    after: After = ""
    elsewhere: bool = False
    last: bool = False
    alone: bool = False

    @property
    def aims(self) -> bool:
        """Whether it names anything of the victim's."""
        return (
            self.elsewhere
            or bool(self.extras)
            or any(one.side == "victim" and one.literal is None for one in self.choices.values())
        )


@dataclass(frozen=True)
class Identity:
    """A value by which a tenant is known: its own in each of its objects, another in others'.

    Attributes:
        name: of the field that holds it.
        values: tenant -> its value.
    """

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Sight:
    """What a planner may know.

    Attributes:
        identities: by what each tenant is known.
        selectors: what each tenant sends beside its credential to say which tenant is meant: name
            of the header or the cookie -> tenant -> value.
        headers: the names in `selectors`.
        cookies: those of them that are cookies.
        text: what all of the victim's canaries begin with.
        bases: whether the tenants have addresses of their own.
        stranger: whether there is somebody who is a member of no tenant.
    """

    api: Api
    graph: Graph
    operation: Operation
    attacker: str
    victim: str
    identities: tuple[Identity, ...] = ()
    headers: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    selectors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    text: str = ""
    bases: bool = False
    stranger: bool = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The places in its requests where ids go."""
        return self.graph.slots[self.operation.at]

    def at(self, place: Place) -> tuple[Slot, ...]:
        """The slots of one place."""
        return tuple(slot for slot in self.slots if slot.place == place)

    def sides(self, values: Mapping[str, Any]) -> dict[Side, Any]:
        """The attacker's value, and the victim's, by side."""
        return {"own": values[self.attacker], "victim": values[self.victim]}


def alike(value: Any) -> dict[Side, Any]:  # noqa: ANN401 - any JSON
    """The same value for each side."""
    return dict.fromkeys(get_args(Side), value)


Planner: TypeAlias = "Callable[[Sight], Iterator[Attempt]]"


@dataclass(frozen=True, slots=True)
class Attack:
    """A named way to get at another tenant's things through an API.

    Attributes:
        code: ``PW3xx``, never reused.
        name: the function's name with hyphens, unique.
        effect: what it sets out to achieve.
        fix: the sentence that says how a breach is mended.
        detour: it goes round a check; where the plain id gets through there is none to go round.
    """

    code: str
    name: str
    effect: Effect
    fix: str
    doc: str
    plan: Planner
    detour: bool = False


def attack(
    code: str, *, effect: Effect, fix: str, detour: bool = False
) -> Callable[[Planner], Attack]:
    """Declare a generator of attempts as the attack *code*; its name is the function's."""

    def declare(plan: Planner) -> Attack:
        name = getattr(plan, "__name__", "").replace("_", "-")
        return Attack(code, name, effect, fix, inspect.getdoc(plan) or "", plan, detour)

    return declare
