"""What all attacks on an API share: who acts, what was found, and how it is told."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from partywall.survey.http.attacks import every_attack
from partywall.survey.http.attempt import Attempt, Identity, Sight
from partywall.survey.http.curl import curl, returned
from partywall.survey.http.hiding import variables
from partywall.survey.http.recipe import HttpFinding
from partywall.survey.http.report import Open, Tried
from partywall.survey.http.views import Views
from partywall.survey.verdict import Undecided, WitnessStep, explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.http.attempt import Attack
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.recipe import Recipe
    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.settings import ApiSettings
    from partywall.survey.http.watching import Watch
    from partywall.survey.http.world import World
    from partywall.survey.verdict import Finding, State

CONTROL = ("PW300", "owners-own")
WORST: Sequence[State] = ("held", "excepted", "known", "undecided", "breached")
STRONGEST: Sequence[Effect] = ("destroy", "write", "read", "detect")


@dataclass
class Engine:
    """The state of one probe.

    Attributes:
        tells: operation -> what differs between a victim's id and nobody's, as finished findings.
        alike: how many operations answered both alike.
        visible: (operation, owner) -> whether its owner can see what it does.
        late: operations whose effect was seen only a moment after they had answered.
        shown: (operation, owner) -> the control that succeeded.
        causes: a finding's key -> the field of the body that isn't checked, and of what kind.
        empty: operations whose answer, to its owner, held nothing that can be recognised.
    """

    world: World
    settings: ApiSettings
    watch: Watch
    views: Views
    selectors: dict[str, dict[str, str]] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    identities: tuple[Identity, ...] = ()
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    tried: list[Tried] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    public: dict[str, Open] = field(default_factory=dict)
    shared: dict[str, Open] = field(default_factory=dict)
    tells: dict[str, Finding] = field(default_factory=dict)
    alike: set[str] = field(default_factory=set)
    empty: dict[str, Operation] = field(default_factory=dict)
    visible: dict[tuple[str, str], bool] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    shown: dict[tuple[str, str], Exchange] = field(default_factory=dict)
    causes: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    controls: Counter[str] = field(default_factory=Counter)
    killers: list[str] = field(default_factory=list)
    began_s: float = field(default_factory=time.monotonic)
    left: list[str] = field(default_factory=list)

    def plans(
        self, operation: Operation, attacker: str, victim: str
    ) -> list[tuple[Attack, Attempt]]:
        """All attempts of all attacks on an operation."""
        actors = self.world.actors
        sight = Sight(
            self.world.api,
            self.world.graph,
            operation,
            attacker,
            victim,
            self.identities,
            tuple(self.selectors),
            self.cookies,
            self.selectors,
            self.world.ledger.prefix(victim),
            bool(actors[victim].base and actors[victim].base != actors[attacker].base),
            "stranger" in actors,
        )
        return [(one, attempt) for one in every_attack() for attempt in one.plan(sight)]

    def step(self, exchange: Exchange, about: str = "") -> WitnessStep:
        """One step of a witness, without secrets."""
        actors, base = self.world.actors.values(), self.world.wire.base
        secrets = [secret for actor in actors for secret in variables(actor).values()]
        shown = curl(
            exchange.actor, exchange.request, base, others=actors, verify=self.settings.verify
        )
        return WitnessStep(
            exchange.actor.name, "", returned(exchange.answer, secrets, about), shown
        )

    def record(
        self,
        operation: Operation,
        attacker: str,
        victim: str,
        attack: Attack,
        mode: str,
        state: State,
        because: str = "",
    ) -> None:
        """Note how one attempt ended."""
        self.tried.append(Tried(operation.at, attacker, victim, attack.name, mode, state, because))
        self.watch.judged(self.tried[-1])

    def breach(  # noqa: PLR0913 - the parts of a finding
        self,
        operation: Operation,
        attacker: str,
        victim: str,
        attack: Attack,
        attempt: Attempt,
        effect: Effect,
        because: str,
        *witness: WitnessStep,
        recipe: Recipe | None = None,
    ) -> Finding:
        """A breach that ran: kept once for each operation, attack and effect."""
        finding = HttpFinding(
            attack.code,
            attack.name,
            "http",
            effect,
            operation.at,
            attacker,
            victim,
            witness,
            because,
            attack.fix,
            explained(attack.name),
            recipe=recipe,
        )
        key = operation.at, attack.name, effect
        self.findings.setdefault(key, finding)
        if attack.name == "id-in-body":
            aimed = [s for s, one in attempt.choices.items() if one.side == "victim"]
            if len(aimed) == 1:
                kind = aimed[0].kind
                self.causes.setdefault(key, (aimed[0].name.rpartition(".")[2], kind))
        self.record(operation, attacker, victim, attack, attempt.mode, "breached")
        return finding

    def open(self, operation: Operation, attacker: str, victim: str, because: str) -> None:
        """Nothing can be said about an operation in one direction."""
        if because:
            self.controls["failed"] += 1
        one = Undecided(*CONTROL, "write" if not operation.safe else "read", operation.at, because)
        if one not in self.undecided:
            self.undecided.append(one)
        tried = Tried(operation.at, attacker, victim, CONTROL[1], "control", "undecided", because)
        self.tried.append(tried)
        self.watch.judged(tried)

    def declared(self, operation: Operation) -> bool:
        """Whether the configuration says that everybody may read it."""
        return any(matches(pattern, operation) for pattern in self.settings.public)

    def strongest(self) -> list[Finding]:
        """For each operation the findings of its worst effect."""
        by_place: dict[str, list[Finding]] = defaultdict(list)
        for (place, _, _), finding in self.findings.items():
            by_place[place].append(finding)  # a field of GraphQL is a place of its own
        kept = []
        for found in by_place.values():
            worst = min(STRONGEST.index(one.effect) for one in found)
            kept += [one for one in found if STRONGEST.index(one.effect) == worst]
        return self._joined(kept)

    def _joined(self, found: Sequence[Finding]) -> list[Finding]:
        """One finding for one cause: a field that several operations take, and none checks.

        The operation that makes something speaks for those that change it.
        """
        first: dict[tuple[str, str], str] = {}
        kept: list[Finding] = []
        order = sorted(found, key=lambda one: one.at.startswith(("PUT ", "PATCH ")))
        for one in order:
            cause = self.causes.get((one.at, one.name, one.effect))
            alone = sum(other.at == one.at for other in found) == 1
            if cause and alone and first.setdefault(cause, one.at) != one.at:
                at = first[cause]
                known = next(other for other in kept if other.at == at)
                also = f"{known.because}; the same by {one.at}"
                kept[kept.index(known)] = replace(known, because=also)
            else:
                kept.append(one)
        return kept


def matches(pattern: str, operation: Operation) -> bool:
    """Whether ``METHOD /path``, with ``*`` for anything, names an operation."""
    from fnmatch import fnmatchcase  # noqa: PLC0415 - here alone

    method, _, path = pattern.strip().partition(" ")
    if not path:
        method, path = "*", method
    literal = path.replace("[", "[[]")
    return fnmatchcase(operation.method, method.upper()) and (
        fnmatchcase(operation.path, literal) or operation.path.rstrip("/") == path.rstrip("/")
    )


def learned_identities(world: World) -> tuple[Identity, ...]:
    """Names of fields that hold one value in all of a tenant's objects, and another in others'."""
    from partywall.survey.http.nouns import PRINCIPALS, identifying, noun, snake  # noqa: PLC0415

    values: dict[str, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
    own_ids = {str(one.id) for one in world.made if snake(one.kind) not in PRINCIPALS}
    for one in world.made:
        for name, value in one.fields.items():
            stem = noun(name) or snake(name)
            told = identifying(name) or stem in PRINCIPALS
            if told and isinstance(value, int | str) and str(value) not in own_ids and value != "":
                values[name][one.owner].add(value)
    found = {}
    for name, by_owner in values.items():
        single = {owner: next(iter(told)) for owner, told in by_owner.items() if len(told) == 1}
        if len(single) == len(world.tenants) and len(set(map(str, single.values()))) == len(single):
            found[name] = single
    for name in {name for actor in world.tenants.values() for name in actor.own}:
        declared = {t: actor.own[name] for t, actor in world.tenants.items() if name in actor.own}
        if len(declared) == len(world.tenants):
            found[name] = declared
    return tuple(Identity(name, values) for name, values in found.items())


def selectors(world: World) -> dict[str, dict[str, str]]:
    """Headers and cookies, other than credentials, by which the tenants differ."""
    from partywall.survey.http.credentials import carries  # noqa: PLC0415

    found: dict[str, dict[str, str]] = {}
    tenants = world.tenants
    names = {name for actor in tenants.values() for name in (*actor.headers, *actor.cookies)}
    for name in sorted(names):
        values = {t: {**a.headers, **a.cookies}.get(name, "") for t, a in tenants.items()}
        differ = len(set(values.values())) == len(values) and all(values.values())
        if differ and not carries("header", name) and not carries("cookie", name):
            found[name] = values
    return found
