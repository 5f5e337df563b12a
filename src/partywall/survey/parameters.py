"""What a function's parameter may stand for: the tenant, or columns of the victim's rows."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from partywall.survey.bodies import of_function

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from partywall.catalog.facts import Column, Function, Relation
    from partywall.survey.attack import Scene
    from partywall.survey.identity import Who
    from partywall.survey.world import Row

SECRET = re.compile(
    r"token|secret|passw|pwd|hash|api_?key|nonce|otp|signature"
    r"|(invit|verif|confirm|reset|session)\w*\.(\w+_)?code",
    re.IGNORECASE,
)
PREFIX = re.compile(r"^(p|in|i|v|arg|the|param|par|new)_+|^_+|_+$")
TENANT = re.compile(r"^(tenant|org|organi[sz]ation|company|workspace|account)(_?u?id)?$")
FAMILIES = {
    "text": "text", "character varying": "text", "character": "text", "citext": "text",
    "name": "text", "anyelement": "text", "smallint": "number", "integer": "number",
    "bigint": "number", "numeric": "number", "real": "number", "double precision": "number",
    "json": "json", "jsonb": "json",
    "timestamp without time zone": "time", "timestamp with time zone": "time", "date": "time",
}  # fmt: skip
ORDINARY = {
    "text": ("%", ""), "number": ("1", "100"), "boolean": ("true", "false"), "json": ("{}",),
    "time": ("2000-01-01", "2040-01-01"),
}  # fmt: skip
TABLES = 12
BOUNDS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


def candidates(
    scene: Scene, function: Function, number: int, who: Who, *, guessable: bool
) -> Iterator[str | None]:
    """Values of *who* that the parameter *number* may be meant for, the likeliest first."""
    name, kind = function.arguments[number]
    if is_tenant(scene, name) and _fits(scene.identities[who].tenant, kind):
        yield scene.identities[who].tenant
    sort = family(kind)
    columns = list(_columns(scene, function, who, spare=guessable))
    if guessable:
        columns = [c for c in columns if not c[1].unguessable]
    compared = _compared(function, number)
    key = [
        (c.name not in compared, not _means(name, r, c), c.name not in r.primary_key)
        for r, c, _ in columns
    ]
    order = sorted(range(len(columns)), key=key.__getitem__)
    for _, column, value in (columns[place] for place in order):
        if family(column.type) == sort and _fits(value, kind):
            yield value
    if sort == "json":
        yield _object([one for one in columns if one[1].name in one[0].primary_key])
        yield _object(columns)
    if kind.endswith("[]"):
        single = [v for _, c, v in columns if family(c.type) == family(kind[:-2])]
        yield "{" + ",".join(f'"{v}"' for v in single[:3] if _fits(v, kind[:-2])) + "}"
    yield from ORDINARY.get(sort, ())
    yield None


def _columns(
    scene: Scene, function: Function, who: Who, *, spare: bool
) -> Iterator[tuple[Relation, Column, str]]:
    """Columns with the victim's values: of rows that stand there, and of those to come."""
    rows = _rows_near(scene, function, who, spare=True) if spare else []
    for row in (*rows, *_rows_near(scene, function, who)):
        relation = scene.snapshot.by_qualified[row.table]
        for column in relation.columns:
            value = row.values.get(column.quoted)
            if value is not None and not SECRET.search(f"{relation.name}.{column.name}"):
                yield relation, column, value


def _compared(function: Function, number: int) -> set[str]:
    """Names of columns that the body compares with the parameter."""
    name, place = function.arguments[number][0], rf"\${number + 1}"
    parameter = rf"(?:(?:\w+\.)?\b{re.escape(name)}\b|{place})" if name else place
    same = r"\s*(?:=|~~?\*?|@>|<@|\bi?like\b|\bin\b|\bis\s+not\s+distinct\s+from\b)\s*\(?\s*"
    wrapped = r"(?:\w+\s*\(\s*)?"
    patterns = (
        rf"\b(\w+)\b\s*\)?(?:::\w+)?{same}{wrapped}(?:any\s*\(\s*)?{parameter}",
        rf"{parameter}\s*\)?(?:::\w+)?{same}{wrapped}(?:\w+\.)?(\w+)",
    )
    found = (name for p in patterns for name in re.findall(p, function.source, re.IGNORECASE))
    return {name.lower() for name in found}


def _stem(name: str) -> str:
    return PREFIX.sub("", PREFIX.sub("", name.lower()))


def _means(name: str, relation: Relation, column: Column) -> bool:
    """Whether a parameter's name says this column: its own, or ``invoice_id``, ``invoice``."""
    stem = _stem(name)
    single = relation.name.lower().removesuffix("s")
    key = column.name in relation.primary_key
    names = {column.name.lower()}
    if key:
        names |= {f"{single}_{column.name}", single, f"{relation.name}_{column.name}".lower()}
    return bool(stem) and stem in names


def is_tenant(scene: Scene, name: str) -> bool:
    """Whether a parameter's name says the tenant."""
    stem = _stem(name)
    kinds = {"column", "registry"}
    columns = {o.column for o in scene.model.owned.values() if o.kind in kinds and o.column != "id"}
    settings = {setting.rpartition(".")[2] for setting in scene.model.settings}
    shorter = {c.removesuffix("_id") for c in columns | settings}
    return stem in columns | shorter | settings or bool(TENANT.match(stem))


def family(kind: str) -> str:
    """The kind of values that a type takes: "text", "number", "time", "json", else its own name."""
    bare = kind.partition("(")[0].rpartition(".")[2].strip()
    return FAMILIES.get(bare, kind)


def _fits(value: str, kind: str) -> bool:
    if kind in BOUNDS:
        return value.lstrip("-").isdigit() and abs(int(value)) < BOUNDS[kind]
    if kind == "uuid":
        return len(value) == 36  # noqa: PLR2004 - as PostgreSQL prints them
    return True


def _rows_near(scene: Scene, function: Function, who: Who, *, spare: bool = False) -> list[Row]:
    """Rows of *who* in the tables that the function names, in any table when it names none."""
    rows = scene.world.spare if spare else scene.world.planted
    reach = of_function(scene.snapshot, function)
    near = {r.qualified: rows.get((r.qualified, who)) for r in (*reach.direct, *reach.relations)}
    found = [row for row in near.values() if row is not None]
    every = (row for (_, owner), row in rows.items() if owner == who)
    return found or list(islice(every, TABLES))


def _object(columns: Iterable[tuple[Relation, Column, str]]) -> str:
    """A JSON object of B's values under their columns' names."""
    named = {column.name: value for _, column, value in reversed(list(columns))}
    parts = (f'"{name}": {_text(value)}' for name, value in named.items())
    return "{" + ", ".join(parts) + "}"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
