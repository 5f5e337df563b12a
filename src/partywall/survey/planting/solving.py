"""Find values that meet conditions: candidates for each column, judged by the server in one go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.planting import hints, patterns
from partywall.survey.planting.fitting import fits
from partywall.survey.planting.shapes import Constant, constant, sized
from partywall.survey.planting.values import makers
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from partywall.catalog.facts import Column
    from partywall.survey.attack import Outcome
    from partywall.survey.planting.checks import Check
    from partywall.survey.planting.seed import Seed
    from partywall.survey.planting.shapes import Maker

Ask: TypeAlias = "Callable[[str], Outcome]"
"""Runs one query as the administrator, its failure harmless."""

TEXTS = {"text", "varchar", "bpchar", "citext", "name"}
NUMBERS = {"int2", "int4", "int8", "numeric", "float4", "float8"}
PRODUCT, KEPT, ONE_BY_ONE, LONGEST = 20_000, 12, 150, 2_000
MOST_KEYS = 4
PLAIN = {
    *TEXTS, *NUMBERS, "uuid", "bool", "json", "jsonb", "date", "timestamp", "timestamptz", "time",
    "timetz", "interval", "inet", "cidr", "bytea", "xml", "numeric",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """Columns whose values go together, and the ways to make them, best first."""

    columns: tuple[str, ...]
    options: tuple[tuple[Maker, ...], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Makes what the row holds in that column already: a parent's key, the tenant."""

    value: str | None

    def __call__(self, _: Seed) -> str | None:
        """Return the value that the row at hand held when the choice was made."""
        return self.value


def candidates(column: Column, checks: Sequence[Check], preferred: Sequence[str]) -> list[Maker]:
    """Every way to make a value of *column* that *checks* give reason to try, best first."""
    found: list[Maker] = [constant(v) for v in hints.ranked(preferred) if fits(column, v)]
    found += makers(column)
    said = [c for check in checks for c in check.constants if fits(column, c)]
    own = hints.default_literal(column)
    constants = hints.ranked(said, own)
    if column.base in TEXTS:
        found[len(preferred) + 1 : len(preferred) + 1] = _texts(column, checks)
    if column.base in NUMBERS:
        constants += tuple(dict.fromkeys(_near(column, checks)))
    if column.base in {"json", "jsonb"}:
        found += _documents(column, [c for check in checks for c in check.constants])
    if column.element and column.element in {"text", "varchar"}:
        words = [c for check in checks for c in check.constants if c and c[0] not in "{["]
        found += [
            constant("{" + ",".join(f'"{w}"' for w in group) + "}") for group in _groups(words)
        ]
    found += [constant(value) for value in constants]
    if own is not None and fits(column, own):
        found.append(constant(own))
    if not column.not_null:
        found.insert(1, constant(None))
    return found


def _texts(column: Column, checks: Sequence[Check]) -> list[Maker]:
    """Text that matches the patterns and the lengths that *checks* ask for."""

    def matched(pattern: str) -> Maker:
        return lambda seed: patterns.matching(pattern, seed)

    def liked(pattern: str) -> Maker:
        return lambda seed: patterns.like(pattern, seed)

    found: list[Maker] = []
    for check in checks:
        found += [matched(p) for p in check.patterns]
        found += [liked(p) for p in check.likes if "%" in p or "_" in p]
        sizes = {n + step for n in check.numbers for step in (0, 1, -1) if 0 < n + step < LONGEST}
        found += [sized(column, size) for size in sorted(sizes)]
    return found


def _near(column: Column, checks: Sequence[Check]) -> list[str]:
    near = [
        str(number + step) for check in checks for number in check.numbers for step in (0, 1, -1)
    ]
    return [value for value in near if fits(column, value)]


def _documents(column: Column, words: Sequence[str]) -> list[Maker]:
    """JSON objects with the keys that a condition mentions, also with some of them."""
    keys = [word for word in dict.fromkeys(words) if word.isidentifier()][:MOST_KEYS]

    def holding(some: Sequence[str], value: str) -> Maker:
        def make(seed: Seed) -> str:
            word = f'"{seed.word(column.name)}"'
            pairs = ", ".join(f'"{key}": {value.replace("?", word)}' for key in some)
            return f"{{{pairs}}}"

        return make

    parts = [
        some for size in range(len(keys), 0, -1) for some in itertools.combinations(keys, size)
    ]
    full = [holding(keys, value) for value in ("1", "{}", "[]", "true")] if keys else []
    return [*(holding(some, "?") for some in parts), *full]


def _groups(words: Sequence[str]) -> list[Sequence[str]]:
    singles: list[Sequence[str]] = [[word] for word in dict.fromkeys(words)]
    return [*singles, list(dict.fromkeys(words))] if singles else []


def type_of(column: Column) -> str:
    """The type to try *column*'s candidates as: without its domain, whose CHECK is asked apart."""
    if not column.domain_checks:
        return column.type
    base = column.base
    if base in PLAIN:
        return base
    return f"{base[1:]}[]" if base[:1] == "_" and base[1:] in PLAIN else column.type


def question(
    columns: Sequence[Column], values: Sequence[Sequence[str | None]], checks: Sequence[Check],
) -> str:  # fmt: skip
    """Build the query that returns index combinations of *values* which meet all *checks*."""
    tables = []
    for place, (column, rows) in enumerate(zip(columns, values, strict=True)):
        listed = ", ".join(f"({i}, {literal(value)}::text)" for i, value in enumerate(rows))
        tables.append(
            f"(SELECT i, CAST(v AS {type_of(column)}) AS {column.quoted} "
            f"FROM (VALUES {listed}) AS c(i, v)) AS p{place}"
        )
    places = [f"p{place}.i" for place in range(len(columns))]
    asked = " AND ".join(f"({check.expression}) IS NOT FALSE" for check in checks) or "true"
    return (
        f"SELECT {', '.join(places)} FROM {', '.join(tables)} WHERE {asked} "
        f"ORDER BY {' + '.join(places)} LIMIT {KEPT}"
    )


def solve(
    columns: Sequence[Column], offered: Sequence[Sequence[Maker]], checks: Sequence[Check],
    seed: Seed, ask: Ask,
) -> Choice | None:  # fmt: skip
    """Choose among *offered* makers so that all *checks* hold; None when nothing does."""
    lists = [
        _narrowed(
            column, makers_, [c for c in checks if set(c.columns) == {column.name}], seed, ask
        )
        for column, makers_ in zip(columns, offered, strict=True)
    ]
    if not all(lists):
        return None
    names = tuple(column.name for column in columns)
    if len(columns) == 1:
        return Choice(names, tuple((make,) for make in lists[0]))
    most = max(int(PRODUCT ** (1 / len(columns))), 2)
    said = {constant for check in checks for constant in check.constants}
    lists = [_likely(found, said, most) for found in lists]
    values = [[make(seed) for make in found] for found in lists]
    combinations = _asked(columns, values, checks, ask)
    options = tuple(
        tuple(found[i] for found, i in zip(lists, places, strict=True)) for places in combinations
    )
    return Choice(names, options) if options else None


def _likely(found: Sequence[Maker], said: Collection[str], most: int) -> list[Maker]:
    """The *most* useful of many: the first two, what the conditions name, then the others."""

    def priority(place: int) -> tuple[bool, bool, int]:
        make = found[place]
        named = isinstance(make, Kept) or (isinstance(make, Constant) and make.value in said)
        return place > 1, not named, place

    return [found[place] for place in sorted(sorted(range(len(found)), key=priority)[:most])]


def _narrowed(
    column: Column, offered: Sequence[Maker], checks: Sequence[Check], seed: Seed, ask: Ask
) -> list[Maker]:
    """Those of *offered* that meet the *checks* which look at this column alone."""
    distinct: dict[str | None, Maker] = {}
    for make in offered:
        distinct.setdefault(make(seed), make)
    found = list(distinct.values())
    if not checks:
        return found
    places = _asked([column], [list(distinct)], checks, ask)
    return [found[place] for (place,) in places]


def _asked(
    columns: Sequence[Column], values: Sequence[Sequence[str | None]], checks: Sequence[Check],
    ask: Ask,
) -> list[tuple[int, ...]]:  # fmt: skip
    outcome = ask(question(columns, values, checks))
    if outcome.ok:
        return [tuple(int(cell or 0) for cell in row) for row in outcome.rows]
    # a candidate made the condition itself fail (a cast, a division): ask one by one
    found = []
    every = itertools.product(*(range(len(rows)) for rows in values))
    for places in sorted(every, key=sum)[:ONE_BY_ONE]:
        one = [[rows[i]] for rows, i in zip(values, places, strict=True)]
        outcome = ask(question(columns, one, checks))
        if outcome.ok and outcome.rows:
            found.append(places)
            if len(found) >= KEPT // 3:
                break
    return found


def solved(
    columns: Mapping[str, Column],
    pinned: Mapping[str, str | None],
    checks: Sequence[Check],
    seed: Seed,
    ask: Ask,
    preferred: Callable[[str], Sequence[str]],
) -> Choice | None:
    """Solve one connected group of *checks*.

    *columns* are all that it looks at; those *pinned* keep their value, or are NULL where that
    is allowed and nothing else helps.
    """
    offered = []
    for name, column in columns.items():
        about = [check for check in checks if name in check.columns]
        if name in pinned:
            fixed: list[Maker] = [Kept(pinned[name])]
            if pinned[name] is not None and not column.not_null:
                fixed.append(constant(None))
            offered.append(fixed)
        else:
            offered.append(candidates(column, about, preferred(name)))
    return solve(list(columns.values()), offered, checks, seed, ask)
