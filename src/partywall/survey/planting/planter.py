"""Give two tenants a row in every table that can hold one, and a second one in reserve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.survey.planting import claims, rows
from partywall.survey.planting.attempts import Attempts
from partywall.survey.planting.demands import Demands
from partywall.survey.planting.ground import Ground
from partywall.survey.planting.order import components
from partywall.survey.planting.reserve import Reserve
from partywall.survey.planting.seed import fresh_canary
from partywall.survey.planting.standing import Standing
from partywall.survey.planting.trial import Draft, words
from partywall.survey.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from partywall.catalog.facts import Constraint, Oid, Relation, Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.identity import Identity, Who
    from partywall.survey.stage import Stage
    from partywall.survey.world import Row

LEAVES = """
SELECT c.oid::text, pg_get_partition_constraintdef(c.oid) FROM pg_class c
WHERE c.relispartition AND c.relkind IN ('r', 'f') ORDER BY c.oid
"""


def plant(
    stage: Stage,
    snapshot: Snapshot,
    model: TenancyModel,
    identities: Mapping[Who, Identity],
    *,
    canaries: Mapping[Who, str] | None = None,
    existing: Mapping[tuple[str, Who], Mapping[str, str]] | None = None,
    tenants: tuple[Who, ...] = ("A", "B"),
) -> World:
    """Give each of *tenants* a row in every table of theirs, and hold a second one ready.

    Runs inside the transaction that is open on *stage*, which the caller commits or rolls back.
    *existing* names rows that are there already by their key (quoted column -> value); they are
    used and never shown. Nothing is locked more than ROW EXCLUSIVE.
    """
    canaries = canaries or {who: fresh_canary(who) for who in tenants}
    ground = Ground(stage, {who: identities[who] for who in tenants})
    contexts = _contexts(ground, model, tenants)
    own = claims.own(identities, tenants)
    demands = Demands(snapshot, model, identities, contexts, own)
    world = Planter(ground, demands, canaries, existing or {}).plant()
    later = _contexts(ground, model, tenants)  # some look up what stands only now: a membership
    quoted = {
        (table, snapshot.by_qualified[table].by_name[name].quoted): {
            **values, **contexts[table, name]
        }
        for (table, name), values in later.items()
        if table in snapshot.by_qualified and name in snapshot.by_qualified[table].by_name
    }  # fmt: skip
    stage.become("admin")
    return replace(world, contexts=quoted)


def _contexts(
    ground: Ground, model: TenancyModel, tenants: Iterable[Who]
) -> dict[tuple[str, str], dict[Who, str]]:
    """Evaluate every context expression once as each tenant; what is unknown is left out."""
    found: dict[tuple[str, str], dict[Who, str]] = {place: {} for place in model.context_columns}
    for who in tenants:
        known: dict[str, str | None] = {}
        for place, expression in model.context_columns.items():
            if expression not in known:
                known[expression] = ground.yields(who, expression)
            value = known[expression]
            if value is not None:
                found[place][who] = value
    return found


class Planter:
    """Plants one database; see `plant`."""

    def __init__(
        self, ground: Ground, demands: Demands, canaries: Mapping[Who, str],
        existing: Mapping[tuple[str, Who], Mapping[str, str]],
    ) -> None:  # fmt: skip
        self._ground = ground
        self._demands = demands
        self._canaries = canaries
        self._existing = existing
        self._standing = Standing()
        self._drafts: dict[tuple[str, Who], Draft] = {}
        self._attempts = Attempts(ground, demands, self._standing, canaries, self._leaves())

    def plant(self) -> World:
        """Plant every table and return what stands."""
        owned = self._demands.model.owned
        tables = [
            table
            for table in self._demands.snapshot.tables
            if table.qualified in owned and not table.is_partition and self._demands.tenants(table)
        ]
        circles = components(tables, owned)
        self._standing.ahead = {table.oid for table in tables}
        for circle in circles:
            self._circle(circle)
            self._ground.settle()
        planted = self._standing.planted
        reserve = Reserve(self._ground, self._demands, self._attempts, self._standing.extended)
        reserve.fill(
            [
                (table, who)
                for circle in circles
                for table in circle
                for who in self._demands.tenants(table)
                if (table.qualified, who) in planted
            ]
        )
        self._ground.settle(now=True)
        shared = rows.shared_tokens(planted, reserve.rows)
        return World(
            canaries=dict(self._canaries),
            planted=rows.without(planted, shared),
            spare=rows.without(reserve.rows, shared),
            unplanted={
                table: why for table, why in self._standing.failed.items() if table in owned
            },
        )

    def _circle(self, circle: Sequence[Relation]) -> None:
        """Plant tables that point at each other, or a single one."""
        waits = any(
            "DEFERR" in definition
            for table in circle
            for definition in (
                *(c.definition for c in table.constraints),
                *(t.definition for t in table.triggers),
            )
        )
        if waits:
            self._ground.mark("partywall_circle")
        late: list[tuple[Relation, Who, Constraint]] = []
        for table in circle:
            for who in self._demands.tenants(table):
                late += [(table, who, key) for key in self._settle(table, who)]
            self._standing.ahead.discard(table.oid)
        for table, who, key in late:
            self._catch_up(table, who, key)
        if waits and not (outcome := self._ground.pending()).ok:
            self._ground.back_to("partywall_circle")
            self._standing.found.clear()
            for table in circle:
                self._standing.failed[table.qualified] = f"in the end, {words(outcome)}"
                for who in self._demands.tenants(table):
                    self._standing.planted.pop((table.qualified, who), None)

    def _settle(self, table: Relation, who: Who) -> list[Constraint]:
        """Plant the row of *who*; return the foreign keys that it still owes."""
        place = (table.qualified, who)
        key = self._existing.get(place)
        row = self._attempts.known(table, who, key) if key else None
        draft = Draft()
        if row is None:
            pins = self._standing.promised.get((table.oid, who), {})
            result = self._attempts.make(table, who, "planted", pins)
            if isinstance(result, str):
                self._standing.failed.setdefault(table.qualified, result)
                return []
            row, draft = result
        self._stand(table, row)
        self._drafts[place] = draft
        return draft.late

    def _stand(self, table: Relation, row: Row) -> None:
        """Note the row, also under the partitions that it went to."""
        self._standing.planted[table.qualified, row.tenant] = row
        if table.kind == "partitioned":
            for leaf in self._demands.partitions(table, self._ground.landed(row)):
                placed = replace(row, table=leaf.qualified)
                self._standing.planted[leaf.qualified, row.tenant] = placed

    def _catch_up(self, table: Relation, who: Who, key: Constraint) -> None:
        """Point a planted row at what was planted after it."""
        place = (table.qualified, who)
        row = self._standing.planted.get(place)
        target = self._demands.snapshot.relations[key.target or 0]
        parent = self._standing.planted.get((target.qualified, who))
        if row is None or parent is None or row.real:
            return
        changes = {
            name: parent.values[target.by_name[of_parent].quoted]
            for name, of_parent in zip(key.columns, key.target_columns, strict=True)
            if row.values[table.by_name[name].quoted] is None
        }
        quoted = {table.by_name[name].quoted: value for name, value in changes.items()}
        cells = self._ground.change(table, quoted, row.key)
        if cells is not None:
            draft = self._drafts[place]
            draft.values |= changes
            draft.given |= set(changes)
            self._stand(table, self._attempts.build(table, who, rows.cells(table, cells), draft))

    def _leaves(self) -> dict[Oid, tuple[str, ...]]:
        """Partitioned table -> the conditions of its partitions, so that a row can fit one."""
        relations = self._demands.snapshot.relations
        if not any(table.kind == "partitioned" for table in relations.values()):
            return {}
        found: dict[Oid, list[str]] = {}
        for oid, condition in self._ground.ask(LEAVES).rows:
            table = relations.get(int(oid or 0))
            while table is not None and table.is_partition:
                table = relations.get(table.parent or 0)
            if table is not None:
                found.setdefault(table.oid, []).append(condition or "true")
        return {oid: tuple(conditions) for oid, conditions in found.items()}
