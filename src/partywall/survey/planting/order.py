"""The order to plant in: parents first; tables in a circle together, the least bound first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.planting import hints

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from partywall.catalog.facts import Constraint, Oid, Relation
    from partywall.model import Ownership

DEEPEST = 40
"""How far names alone are followed."""


def optional(relation: Relation, key: Constraint, decider: str = "") -> bool:
    """Whether a row may do without what *key* points at: a column of it may be NULL.

    The column that says whose the row is stays out of it.
    """
    by_name = relation.by_name
    return any(
        not by_name[name].not_null and name != decider for name in key.columns if name in by_name
    )


def components(tables: Iterable[Relation], owned: Mapping[str, Ownership]) -> list[list[Relation]]:
    """Sort *tables* so that each comes after those its foreign keys point at.

    Tables that point at each other in a circle make one component; a lone table is one too.
    Registries and tables of users come as early as they can.
    """
    first = sorted(tables, key=lambda table: (_late(table, owned), table.qualified))
    within = {table.oid: table for table in first}
    found = _circles({table.oid: _targets(table, within) for table in first})
    return [
        _loosest_first([within[oid] for oid in circle], owned)
        for circle in _also_by_name(found, within)
    ]


def _also_by_name(circles: list[list[Oid]], within: Mapping[Oid, Relation]) -> list[list[Oid]]:
    """Move up what others point at by the names of their columns alone, where that can be."""
    of = {oid: place for place, circle in enumerate(circles) for oid in circle}
    needs: list[int] = []  # as bits: the circle itself and all that must come before it
    for place, circle in enumerate(circles):
        bits = 1 << place
        for oid in circle:
            for target in _targets(within[oid], within):
                bits |= needs[of[target]] if of[target] != place else 0
        needs.append(bits)
    named = _named(circles, within, of)
    done: dict[int, None] = {}

    def visit(place: int, above: int, depth: int) -> None:
        above |= needs[place]
        for before in _places(needs[place]):
            if before in done:
                continue
            for target in named[before]:
                if depth < DEEPEST and target not in done and not needs[target] & above:
                    visit(target, above, depth + 1)
            done[before] = None

    for place in range(len(circles)):
        visit(place, 0, 0)
    return [circles[place] for place in done]


def _named(
    circles: list[list[Oid]], within: Mapping[Oid, Relation], of: Mapping[Oid, int]
) -> list[list[int]]:
    """For each circle those that columns of its tables are named after."""
    known = {(table.schema, table.name): of[oid] for oid, table in within.items()}
    return [
        [
            known[within[oid].schema, called]
            for oid in circle
            for column in within[oid].columns
            for called in hints.points_at(column.name)
            if (within[oid].schema, called) in known
        ]
        for circle in circles
    ]


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _late(table: Relation, owned: Mapping[str, Ownership]) -> int:
    ownership = owned.get(table.qualified)
    if ownership is not None and ownership.kind == "registry":
        return 0
    return 1 if hints.lists_users(table.name) else 2


def _targets(table: Relation, within: Collection[Oid]) -> list[Oid]:
    keys = (key.target for key in table.foreign_keys)
    return [target for target in keys if target in within and target != table.oid and target]


def _circles(edges: Mapping[Oid, Sequence[Oid]]) -> list[list[Oid]]:
    """Strongly connected components, targets first (Tarjan, without recursion)."""
    number: dict[Oid, int] = {}
    low: dict[Oid, int] = {}
    stack: list[Oid] = []
    waiting: set[Oid] = set()
    found: list[list[Oid]] = []
    for root in edges:
        if root in number:
            continue
        path = [(root, iter(edges[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        waiting.add(root)
        while path:
            node, rest = path[-1]
            for target in rest:
                if target not in number:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    waiting.add(target)
                    path.append((target, iter(edges[target])))
                    break
                if target in waiting:
                    low[node] = min(low[node], number[target])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    cut = stack.index(node)
                    found.append(stack[cut:])
                    waiting.difference_update(stack[cut:])
                    del stack[cut:]
    return found


def _loosest_first(circle: list[Relation], owned: Mapping[str, Ownership]) -> list[Relation]:
    """Within a circle, next is always the table with the fewest foreign keys it can't lack."""
    rest = sorted(circle, key=lambda table: (_late(table, owned), table.qualified))
    placed: list[Relation] = []
    done: set[Oid] = set()
    while rest:
        inside = {table.oid for table in rest}

        def unmet(table: Relation, inside: set[Oid] = inside) -> int:
            ownership = owned.get(table.qualified)
            decider = ownership.column if ownership else ""
            return sum(
                key.target in inside and key.target != table.oid
                and not optional(table, key, decider)
                for key in table.foreign_keys
            )  # fmt: skip

        chosen = min(rest, key=unmet)
        rest.remove(chosen)
        placed.append(chosen)
        done.add(chosen.oid)
    return placed
