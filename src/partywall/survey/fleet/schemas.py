"""A schema for each tenant: each asks the server which others' it may use, and looks there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.fleet.door import Refused
from partywall.survey.fleet.turn import Reached, Turn
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from partywall.survey.attack import Effect, Level
    from partywall.survey.fleet.door import Door
    from partywall.survey.fleet.roster import Lodger
    from partywall.survey.fleet.turn import Place

TABLES = """
SELECT n.nspname::text, array_agg(c.relname::text)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
GROUP BY n.nspname
"""
OPEN = """
SELECT n.nspname::text FROM pg_namespace n
WHERE n.nspname = ANY({schemas}) AND has_schema_privilege(n.oid, 'USAGE')
"""
MAY = """
SELECT * FROM (
  SELECT n.nspname::text, c.relname::text, format('%I.%I', n.nspname, c.relname),
         has_any_column_privilege(c.oid, 'SELECT') AS selects,
         CASE WHEN c.relkind IN ('r', 'p') THEN (
           SELECT quote_ident(attname) FROM pg_attribute
           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
             AND has_column_privilege(c.oid, attnum, 'UPDATE')
           ORDER BY attnum LIMIT 1) END AS column,
         c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'DELETE') AS deletes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY({schemas}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition) may
WHERE selects OR "column" IS NOT NULL OR deletes
"""
MOST_TRIED = 2_000
"""So many statements about others' tables are made in a turn; what is left over is undecided."""


@dataclass(frozen=True, slots=True)
class House:
    """The tenants' schemas in which anything stands, and the names of what stands there."""

    schemas: frozenset[str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, admin: psycopg.Connection[Any], lodgers: Sequence[Lodger]) -> House:
        """Ask once for all."""
        rows = admin.execute(TABLES, [[one.schema for one in lodgers]]).fetchall()
        named = {name for _, names in rows for name in names}
        return cls(frozenset(schema for schema, _ in rows), tuple(sorted(named)))


@dataclass
class Schemas:
    """The turns of one worker.

    Attributes:
        known: acting role -> schemas it may use, since that is the role's and not the turn's.
    """

    door: Door
    house: House
    attacker: Level
    roles: int
    known: dict[str, frozenset[str]] = field(default_factory=dict)

    def turn(self, one: Lodger) -> Turn:
        """Let *one* look at its own tables by their bare names, then at others' schemas."""
        return self.door.turn(one, self._looked)

    def _looked(self, one: Lodger) -> Turn:
        own, reached = self._bare(one)
        failed = {}
        if not own and one.schema in self.house.schemas:
            failed[""] = f"as {one.name}: none of its own tables can be read by its bare name"
        if beyond := self._usable() - {one.schema}:
            failed |= self._beyond(one, sorted(beyond), reached)
        return Turn(one.id, frozenset(own), reached=tuple(reached), failed=failed)

    def _usable(self) -> frozenset[str]:
        """Schemas that whoever is entered may name, where the attacker names any."""
        role = self.door.role
        if self.roles == 1 and self.attacker == "query":
            return frozenset()
        if role not in self.known:
            open_ones = self.door.ask(OPEN.format(schemas=_array(self.house.schemas)))
            self.known[role] = frozenset(name for (name,) in open_ones)
        return self.known[role]

    def _bare(self, one: Lodger) -> tuple[set[tuple[str, str]], list[Reached]]:
        """Where bare names lead: to its own schema, or to another tenant's."""
        rows = self.door.ask(
            "SELECT t, (SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.oid = to_regclass(quote_ident(t))) "
            f"FROM unnest({_array(self.house.names)}) t"
        )
        leads = {name: schema for name, schema in rows if schema is not None}
        mine = [name for name, schema in leads.items() if schema == one.schema]
        own = {(name, "read") for name in self._read(mine)}
        reached = []
        for name, schema in leads.items():
            if schema != one.schema and schema in self.house.schemas and self._read([name]):
                sql = f"SELECT count(*) FROM {identifier(name)}"
                told = f"it is {schema}'s"
                reached.append(Reached(name, "fall-through", "read", schema, sql, told))
        return own, reached

    def _read(self, names: Sequence[str]) -> list[str]:
        """Those of *names* that can be read."""
        if not names:
            return []
        parts = [f"(SELECT count(*) FROM (SELECT FROM {identifier(n)} LIMIT 1) x)" for n in names]
        try:
            self.door.ask(f"SELECT {', '.join(parts)}")
        except Refused:
            if len(names) == 1:
                return []
            return [name for name in names if self._read([name])]
        return list(names)

    def _beyond(
        self, one: Lodger, schemas: Sequence[str], reached: list[Reached]
    ) -> dict[str, str]:
        """Try what of others may be used until each way got through once; nothing is changed.

        Adds to *reached*; returns the tables that there was no room to try.
        """
        done: set[Place] = set()
        left: dict[str, str] = {}
        tried = 0
        for schema, name, table, selects, column, deletes in self.door.ask(
            MAY.format(schemas=_array(schemas))
        ):
            ways: list[tuple[bool, str, Effect, str]] = [
                (selects, "read-rows", "read", f"SELECT count(*) FROM {table}"),
                (bool(column), "change-row", "write",
                 f"UPDATE {table} SET {column} = DEFAULT WHERE false"),
                (deletes, "delete-row", "destroy", f"DELETE FROM {table} WHERE false"),
            ]  # fmt: skip
            for may, attack, effect, sql in ways:
                if not may or (name, effect) in done:
                    continue
                if tried == MOST_TRIED:
                    left[name] = f"as {one.name}: not all of others' that it may use was tried"
                    continue
                tried += 1
                try:
                    rows = self.door.ask(sql)
                except Refused:
                    continue  # a policy, or a view's own lack of privilege: it did not get there
                told = str(rows[0][0]) if rows else f"{sql.partition(' ')[0]} 0: allowed"
                reached.append(Reached(name, attack, effect, schema, sql, told))
                done.add((name, effect))
        return left


def _array(names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(map(literal, names))}]::text[]"
