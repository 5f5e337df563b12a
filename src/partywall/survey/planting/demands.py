"""What a tenant's row must hold for reasons outside of its table: whose it is, who acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.survey.planting import hints
from partywall.survey.planting.claims import Claim, user_for
from partywall.survey.planting.fitting import fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.catalog.facts import Column, Oid, Relation, Snapshot
    from partywall.model import Ownership, TenancyModel
    from partywall.survey.identity import Identity, Who


@dataclass(frozen=True)
class Demands:
    """Answers, for every table and tenant, which values are given and which are free.

    Attributes:
        contexts: (qualified table, column name) -> tenant -> the value its context yields.
        claims: tenant -> what its context names and no other's does.
    """

    snapshot: Snapshot
    model: TenancyModel
    identities: Mapping[Who, Identity]
    contexts: Mapping[tuple[str, str], Mapping[Who, str]]
    claims: Mapping[Who, tuple[Claim, ...]]
    _known: dict[tuple[int, str, Who], str | None] = field(default_factory=dict)

    def ownership(self, relation: Relation) -> Ownership | None:
        """Why the rows of *relation* belong to tenants, None when they don't."""
        return self.model.owned.get(relation.qualified)

    def decider(self, relation: Relation) -> str:
        """Name of the column that says whose a row of *relation* is, "" without one."""
        ownership = self.ownership(relation)
        if ownership is None:
            return ""
        name = ownership.column
        if ownership.kind == "registry" and name not in relation.by_name:
            name = relation.primary_key[0] if len(relation.primary_key) == 1 else ""
        if ownership.kind == "user":
            seen = [self._context(relation, name, who) for who in self.claims]
            known = self.contexts.get((relation.qualified, name), {})
            if known and not any(seen):
                return ""  # it yields every tenant the same: a constant, a date
        kinds = {"column", "registry", "user"}
        return name if ownership.kind in kinds and name in relation.by_name else ""

    def tenants(self, relation: Relation) -> tuple[Who, ...]:
        """Those of the planted tenants who can have a row in *relation*."""
        ownership = self.ownership(relation)
        every: tuple[Who, ...] = tuple(self.claims)
        if ownership is None or ownership.kind != "schema":
            return every
        schemas = self.model.schemas
        return tuple(
            who
            for who in every
            for tenant in [self.identities[who]]
            if relation.schema
            in {schemas.get(key, key) for key in (who, tenant.tenant, tenant.name)}
        )

    def partitions(self, table: Relation, landed: Oid) -> Iterator[Relation]:
        """The partition that a row of *table* landed in, and those around it."""
        leaf = self.snapshot.relations.get(landed)
        while leaf is not None and leaf.oid != table.oid and leaf.is_partition:
            yield leaf
            leaf = self.snapshot.relations.get(leaf.parent or 0)

    def deciding(self, relation: Relation, who: Who) -> tuple[str, ...]:
        """Values for the decider of *relation*, in the order in which to try them."""
        column = relation.by_name.get(self.decider(relation))
        ownership = self.ownership(relation)
        if column is None or ownership is None:
            return ()
        tenant = self.identities[who].tenant
        context = self._context(relation, column.name, who)
        user = user_for(column, self.claims.get(who, ()))
        order = (context, user) if ownership.kind == "user" else (tenant, context)
        found = [value for value in order if value is not None and fits(column, value)]
        return tuple(dict.fromkeys(found))

    def _context(self, relation: Relation, column: str, who: Who) -> str | None:
        """What the context of *who* yields for a column, None when all tenants get the same."""
        found = self.contexts.get((relation.qualified, column), {})
        mine = found.get(who)
        same = len(self.claims) > 1 and any(
            value == mine for other, value in found.items() if other != who
        )
        return None if same else mine

    def value(self, relation: Relation, column: Column, who: Who) -> str | None:
        """The value that *column* must have in a row of *who*, None when any will do."""
        return self._value(relation, column, who, frozenset())

    def _value(
        self, relation: Relation, column: Column, who: Who, seen: frozenset[tuple[int, str]]
    ) -> str | None:
        known = (relation.oid, column.name, who)
        if known not in self._known:
            found = self._own(relation, column, who)
            if found is None:
                found = self._inherited(relation, column, who, seen)
                if found is None and seen:
                    return None  # a circle may have hidden the answer: don't remember it
            self._known[known] = found
        return self._known[known]

    def _own(self, relation: Relation, column: Column, who: Who) -> str | None:
        if column.name == self.decider(relation):
            return next(iter(self.deciding(relation, who)), None)
        context = self._context(relation, column.name, who)
        if context is not None and fits(column, context):
            return context
        if column.generated:
            return None
        bound = any(column.name in key.columns for key in relation.foreign_keys)
        mine = self.claims.get(who, ())
        if not bound and hints.names_user(column.name) and column.name not in relation.primary_key:
            return user_for(column, mine)
        alone = relation.primary_key == (column.name,)
        if not bound and alone and hints.lists_users(relation.name):
            return user_for(column, mine)
        return None

    def _inherited(
        self, relation: Relation, column: Column, who: Who, seen: frozenset[tuple[int, str]]
    ) -> str | None:
        """What a table that points here demands of the column it points at."""
        if (relation.oid, column.name) in seen:
            return None
        seen |= {(relation.oid, column.name)}
        for key in self.snapshot.referencing.get(relation.oid, ()):
            child = self.snapshot.relations[key.table]
            if child.qualified not in self.model.owned or child.oid == relation.oid:
                continue
            for name, target in zip(key.columns, key.target_columns, strict=True):
                if target == column.name and name in child.by_name:
                    found = self._value(child, child.by_name[name], who, seen)
                    if found is not None and fits(column, found):
                        return found
        return None

    def literals(self, relation: Relation, column: str) -> tuple[str, ...]:
        """Constants that policies compare *column* with, those that publish a row left out.

        A column that is unique by itself needs another value in every row.
        """
        place = (relation.qualified, column)
        everyones = set(self.contexts.get(place, {}).values())  # one tenant's is no other's
        alike = tuple(everyones) if len(everyones) == 1 else ()
        found = self.model.policy_literals.get(place, ())
        if any(index.unique and index.columns == (column,) for index in relation.indexes):
            return ()
        held = relation.by_name[column]
        if held.base == "bool":
            return ()
        return (*alike, *(v for v in hints.ranked(found) if hints.telling(held, v)))
