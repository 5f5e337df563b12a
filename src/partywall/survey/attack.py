"""The contract between an attack and the engine: an attack is a value, judged purely.

An attack module holds one planner, a generator decorated with `attack`: from the `Scene` (facts,
model, planted world) it yields `Attempt`s. The engine runs an attempt's steps in one transaction
that is rolled back, gives their `Outcome`s to its judge, and, where the judge finds nothing, runs
the control. Planners and judges have no connection.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.survey.world import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from partywall.catalog.facts import Relation, Snapshot
    from partywall.catalog.rights import Grants
    from partywall.model import TenancyModel
    from partywall.survey.identity import Identity, Who
    from partywall.survey.world import World

Effect: TypeAlias = Literal["read", "write", "destroy", "detect", "disrupt", "escalate", "latent"]
Level: TypeAlias = Literal["query", "sql", "context"]
LEVELS: tuple[Level, ...] = ("query", "sql", "context")
Place: TypeAlias = Literal["copy", "target"]

HEAR = "SELECT 1 AS heard"
"""On a session of its own this step's `told` holds the notifications that have arrived."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, run by one identity.

    Attributes:
        quiet: left out of the witness (a look by the administrator, a preparation).
        loose: foreign keys and triggers are off (session_replication_role = replica), so that
            what row security alone allows comes to light.
    """

    who: Who
    sql: str
    quiet: bool = False
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement came back with.

    Attributes:
        rows: as PostgreSQL prints them (text), () for a statement without a result.
        count: rows affected or returned, -1 where that has no meaning.
        sqlstate: "" when it succeeded.
        message: the server's words, without DETAIL and without data.
        told: everything else the server said to this session: notices, detail, hint, context.
        constraint, column, table: what an error names, unquoted; "" where it names none.
    """

    rows: tuple[tuple[str | None, ...], ...] = ()
    count: int = -1
    sqlstate: str = ""
    message: str = ""
    told: str = ""
    constraint: str = ""
    column: str = ""
    table: str = ""

    @property
    def ok(self) -> bool:
        """Whether the statement succeeded."""
        return not self.sqlstate

    @property
    def refused(self) -> bool:
        """Whether a privilege or a policy refused it (42501, 44000: WITH CHECK OPTION)."""
        return self.sqlstate in {"42501", "44000"}

    @property
    def denied(self) -> bool:
        """Whether a privilege that the role lacks refused it, not a policy on the row's values."""
        return self.sqlstate == "42501" and not self.message.startswith("new row violates")

    @property
    def scalar(self) -> str | None:
        """The first column of the first row, None when there is none."""
        return self.rows[0][0] if self.rows and self.rows[0] else None

    def shows(self, tokens: Iterable[str]) -> bool:
        """Whether one of *tokens* stands anywhere in what came back, errors and notices too."""
        if self.ok and not self.rows and not self.told:
            return False
        text = "\n".join(
            [*(cell for row in self.rows for cell in row if cell), self.message, self.told]
        )
        if isinstance(tokens, Tokens):
            return tokens.within(text)
        return any(token in text for token in tokens)


@dataclass(frozen=True, slots=True)
class Breach:
    """The judge saw the wall give way.

    Attributes:
        effect: what the attack achieved, when that differs from what it set out for.
        because: one sentence: what happened, and why the wall let it.
        shown: indexes of the steps that make up the witness; () for all that are not quiet.
    """

    because: str
    effect: Effect | None = None
    shown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """The outcomes allow no verdict; the reason is for people."""

    because: str


Judgement: TypeAlias = "Breach | Unclear | None"
Judge: TypeAlias = "Callable[[Sequence[Outcome]], Judgement]"
Repair: TypeAlias = "Callable[[], tuple[str, ...]]"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One concrete attempt of an attack on one surface.

    Attributes:
        at: the surface: qualified name of a relation, signature of a function, …
        attacker: who attempts it.
        steps: run in their order, in one transaction that is rolled back; a step that fails
            does not end the attempt.
        judge: gives the verdict from the outcomes, one for each step.
        control: the same by the rightful tenant.
        controlled: says from the control's outcomes why they prove nothing, "" when they do.
            The default asks that every step succeeded and the last one touched or returned a row.
        fix: the sentence that says how to end the breach.
        repair: the SQL statements that end it, where facts alone say which; asked only of what
            breached, and then they take the place of the sentence.
        effect, level: where this attempt differs from its attack.
        commits: each identity acts on a session of its own, and its work is committed: on a copy
            only, unless nothing is written; runs last.
        within: in whose database the steps run, where that is not the attacker's own.
        weight: how many rows of the target the attempt may lock (`--on target`).
    """

    at: str
    attacker: Who
    steps: tuple[Step, ...]
    judge: Judge
    control: tuple[Step, ...] = ()
    controlled: Callable[[Sequence[Outcome]], str] | None = None
    fix: str = ""
    effect: Effect | None = None
    level: Level | None = None
    commits: bool = False
    reach: str = ""
    victim: Who = "B"
    within: Who | None = None
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The database of B, where it is not the one of A.

    Attributes:
        world: the rows of B that stand there.
        refusal: the server's words when A's login tried to connect to it, "" when it was let in.
    """

    snapshot: Snapshot
    world: World
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a planner may know.

    Attributes:
        place: whether the attempts will run on a copy or, rolled back, on the target.
        public: qualified table -> condition under which its rows are public by design.
        destructive: whether strong locks are allowed on the target.
        neighbour: the database of B, where each tenant has one.
        filled: qualified names of tables outside the tenants' schemas that are named like one
            inside and hold rows on the target.
        originals: name of a copy -> name of the database it was copied from.
        hidden: on the target, values of B's rows that stood there before: what lies behind a
            foreign table or in a materialized view is no planted row. Never to be shown.
    """

    snapshot: Snapshot
    model: TenancyModel
    world: World
    identities: Mapping[Who, Identity]
    attacker: Level = "query"
    place: Place = "copy"
    public: Mapping[str, str] = field(default_factory=dict)
    destructive: bool = False
    neighbour: Neighbour | None = None
    filled: frozenset[str] = frozenset()
    originals: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    def grants(self, who: Who) -> Grants:
        """What the acting role of *who* may do with relations."""
        return self.snapshot.grants[self.identities[who].role]

    def usable(self, who: Who, relation: Relation) -> bool:
        """Whether *who* may use the relation's schema at all."""
        schema = self.snapshot.schemas[relation.schema]
        return self.identities[who].role in schema.usage

    def allows(self, level: Level) -> bool:
        """Whether the attacker of this survey goes as far as *level*."""
        return LEVELS.index(level) <= LEVELS.index(self.attacker)


Planner: TypeAlias = "Callable[[Scene], Iterator[Attempt]]"


@dataclass(frozen=True, slots=True)
class Attack:
    """A named way to get around the walls.

    Attributes:
        code: ``PW2xx``, never reused.
        name: the module's name with hyphens, unique.
        effect: what it sets out to achieve.
        level: the weakest attacker who can do it.
        doc: hazard, source, as written in its module.
    """

    code: str
    name: str
    effect: Effect
    level: Level
    doc: str
    plan: Planner


def attack(code: str, *, effect: Effect, level: Level = "query") -> Callable[[Planner], Attack]:
    """Declare a generator of attempts as the attack *code*; its name is the function's."""

    def declare(plan: Planner) -> Attack:
        name = getattr(plan, "__name__", "").replace("_", "-")
        return Attack(code, name, effect, level, inspect.getdoc(plan) or "", plan)

    return declare
