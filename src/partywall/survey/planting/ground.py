"""The only part of planting that talks to the server: one insert, one look, one question."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from partywall.errors import TargetError
from partywall.survey.attack import Outcome, Step
from partywall.survey.planting.claims import settings
from partywall.survey.planting.rows import returning
from partywall.survey.sql import conditions, identifier, insert, literal, select, update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.catalog.facts import Constraint, Oid, Relation
    from partywall.survey.identity import Identity, Who
    from partywall.survey.planting.trial import Manner
    from partywall.survey.stage import Stage
    from partywall.survey.world import Row

HELD = 50
OURS = (
    "coalesce(pg_xact_status((((pg_current_xact_id()::text::numeric::bigint >> 32) << 32) "
    "| xmin::text::bigint)::text::xid8) = 'in progress', false)::text"
)
"""Whether a row was written by the transaction at hand: no other's unfinished row is visible."""


class Ground:
    """Puts rows into the target through *stage*, inside a transaction that the caller owns."""

    def __init__(self, stage: Stage, identities: Mapping[Who, Identity]) -> None:
        self._stage = stage
        self._settings = {who: settings(identity) for who, identity in identities.items()}
        self._held = 0
        self.admin("SAVEPOINT partywall_planting")

    def admin(self, sql: str) -> Outcome:
        """Run *sql* as the administrator; a failure undoes it alone."""
        self._held += 1
        return self._stage.run(Step("admin", sql))

    def undone(self) -> AbstractContextManager[None]:
        """A block whose work is undone in the end."""
        return self._stage.undone()

    def settle(self, *, now: bool = False) -> None:
        """Fold the savepoints of what was planted so far into the caller's transaction."""
        if now or self._held > HELD:
            self.admin("RELEASE SAVEPOINT partywall_planting")
            if not now:
                self.admin("SAVEPOINT partywall_planting")
            self._held = 0

    def yields(self, who: Who, expression: str) -> str | None:
        """What an SQL *expression* of the context yields once *who* is entered, None if nothing."""
        with self._stage.undone():
            try:
                outcome = self._stage.run(Step(who, f"SELECT ({expression})::text"))
            except TargetError:
                return None  # the tenant can't be entered before it has rows
        return outcome.scalar if outcome.ok else None

    def ask(self, query: str) -> Outcome:
        """Ask something that changes nothing."""
        return self.admin(query)

    def put(
        self,
        relation: Relation,
        who: Who,
        values: Mapping[str, str | None],
        manner: Manner,
        deferred: Iterable[Constraint] = (),
        *,
        keep: bool = True,
    ) -> Outcome:
        """Insert one row and read it back; with *keep* false, undo it at once."""
        with nullcontext() if keep else self._stage.undone():
            return self._put(relation, who, values, manner, deferred)

    def _put(
        self, relation: Relation, who: Who, values: Mapping[str, str | None], manner: Manner,
        deferred: Iterable[Constraint],
    ) -> Outcome:  # fmt: skip
        statement = f"{inserting(relation, values)} RETURNING {returning(relation)}"
        if manner == "tenant":
            return self._as_tenant(who, statement)
        before = ["SAVEPOINT partywall_row", *_deferring(relation, deferred, "DEFERRED")]
        after: list[str] = []
        if manner == "settings":
            mine = self._settings.get(who, {})
            before += [
                f"SELECT set_config({literal(n)}, {literal(v)}, false)" for n, v in mine.items()
            ]
            after += [f"RESET {identifier(name)}" for name in mine]
        elif manner == "replica":
            before.append("SET LOCAL session_replication_role = replica")
            after.append("SET LOCAL session_replication_role = origin")
        outcome = self.admin("; ".join([*before, statement]))
        if outcome.ok and after:
            self.admin("; ".join(after))
        return outcome

    def _as_tenant(self, who: Who, statement: str) -> Outcome:
        self.admin("SAVEPOINT partywall_row")
        try:
            outcome = self._stage.run(Step(who, statement))
        except TargetError as error:
            self._stage.connection.execute(b"ROLLBACK TO SAVEPOINT partywall_row")
            self._stage.become("admin")
            return Outcome(sqlstate="28000", message=str(error))
        self._stage.become("admin")
        return outcome

    def take_back(self) -> None:
        """Undo the latest row that was put."""
        self.admin("ROLLBACK TO SAVEPOINT partywall_row")

    def tries(self, statement: str) -> bool:
        """Whether *statement* succeeds as the administrator; it is undone."""
        with self._stage.undone():
            return self.admin(statement).ok

    def landed(self, row: Row) -> Oid:
        """The table that a row of a partitioned one is stored in."""
        outcome = self.admin(select(row.table, ["tableoid::text"], row.where))
        return int(outcome.scalar or 0)

    def change(
        self, relation: Relation, values: Mapping[str, str | None], key: Mapping[str, str]
    ) -> Sequence[str | None] | None:
        """Update the row with *key*; return it as it is then, None when that failed."""
        statement = update(relation.qualified, values, conditions(key))
        outcome = self.admin(f"{statement} RETURNING {returning(relation)}")
        return outcome.rows[0] if outcome.ok and len(outcome.rows) == 1 else None

    def find(
        self, relation: Relation, where: Mapping[str, str | None]
    ) -> tuple[bool, Sequence[str | None]] | None:
        """Look for a row; return whether this transaction wrote it, and the row."""
        columns = [OURS, returning(relation)]
        outcome = self.admin(select(relation.qualified, columns, conditions(where)) + " LIMIT 1")
        if not outcome.ok or not outcome.rows:
            return None
        ours, *row = outcome.rows[0]
        return ours == "true", row

    def look(
        self, relation: Relation, columns: Sequence[str], where: str
    ) -> Sequence[str | None] | None:
        """Some columns, as text, of any one row that meets the condition *where*."""
        wanted = [f"{relation.by_name[name].quoted}::text" for name in columns]
        known = [f"{relation.by_name[name].quoted} IS NOT NULL" for name in columns]
        condition = " AND ".join(filter(None, [where, *known]))
        outcome = self.admin(select(relation.qualified, wanted, condition) + " LIMIT 1")
        return outcome.rows[0] if outcome.ok and outcome.rows else None

    def mark(self, name: str) -> None:
        """Set a savepoint of our own."""
        self.admin(f"SAVEPOINT {name}")

    def back_to(self, name: str) -> None:
        """Undo all since `mark`."""
        self.admin(f"ROLLBACK TO SAVEPOINT {name}")

    def pending(self) -> Outcome:
        """Check the constraints that wait for the end of the transaction; they go on waiting."""
        outcome = self.admin("SAVEPOINT partywall_check; SET CONSTRAINTS ALL IMMEDIATE")
        if outcome.ok:
            self.admin("ROLLBACK TO SAVEPOINT partywall_check")
        return outcome


def _deferring(relation: Relation, keys: Iterable[Constraint], mode: str) -> list[str]:
    schema = identifier(relation.schema)
    return [f"SET CONSTRAINTS {schema}.{identifier(key.name)} {mode}" for key in keys]


def inserting(relation: Relation, values: Mapping[str, str | None]) -> str:
    """The INSERT of *values*, by column name, into *relation*."""
    by_name = relation.by_name
    overriding = any(by_name[name].identity == "always" for name in values)
    quoted = {by_name[name].quoted: value for name, value in values.items()}
    return insert(relation.qualified, quoted, overriding=overriding)
