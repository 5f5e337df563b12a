"""Candidate values by type, the one that carries most of the canary first."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.planting import hints, moments
from partywall.survey.planting.shapes import constant, constants, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.catalog.facts import Column
    from partywall.survey.planting.seed import Seed
    from partywall.survey.planting.shapes import Maker

    Makers: TypeAlias = tuple[Maker, ...]

DIGITS = 7
INTEGERS = {
    "int2": (1_000, 32_767),
    "int4": (100_000_000, 999_999_999),
    "int8": (100_000_000, 999_999_999),  # an int4 column may point at it
    "oid": (100_000_000, 999_999_999),
}
NUMERIC = re.compile(r"\((\d+)(?:,(-?\d+))?\)")
PROBES = (
    "0", "1", "a", "{}", "[1,2,3]", "(0,0)", "(1,1)", "POINT(0 0)", "1.0.0", "1/1", "[0,1]",
    "(,)", "(,,)", "(,,,)", "(,,,,)", "(,,,,,)", "(,,,,,,)", "(,,,,,,,)", "2020-01-01",
    "'a'", "a=>1", "978-0-393-04002-9", "0-393-04002-X", "empty",
)  # fmt: skip
"""For types nobody has heard of: the server says which of these it takes."""


def makers(column: Column) -> Makers:
    """Return ways to make a value of *column*, best first; () for a type that is unknown."""
    if column.enum:
        return constants(*hints.ranked(column.enum, hints.default_literal(column)))
    if column.element:
        return _array(column)
    if column.category == "R" and column.base not in FAMILIES:
        return constants("empty", "(,)", "{}")
    family = FAMILIES.get(column.base)
    if family is None:
        return ()
    found = family(column)
    return (constant(None), *found) if column.category == "D" and _unset(column) else found


def _unset(column: Column) -> bool:
    return hints.ends_its_row(column) and column.default is None


def _integer(column: Column) -> Makers:
    low, high = INTEGERS[column.base]
    name = column.name
    return (
        lambda seed: str(seed.number(name, low, high)),
        lambda seed: str(seed.number(name, 2, 90)),
        *constants("1", "0", "5", "10", "100", "1000", "2024", "-1"),
        lambda seed: str(seed.number(name, 1_000, 9_999)),
    )


def _numeric(column: Column) -> Makers:
    name = column.name
    found = NUMERIC.search(column.type)
    precision, scale = (int(found[1]), int(found[2] or 0)) if found else (12, 2)
    whole = min(precision - scale, DIGITS)

    def large(seed: Seed) -> str:
        parts = str(seed.number(name, 10 ** (whole - 1), 10**whole - 1)) if whole > 0 else "0"
        if scale <= 0:
            return parts
        fraction = seed.number(f"{name}.", 1, 10 ** min(scale, 6) - 1)
        return f"{parts}.{fraction:0{min(scale, 6)}d}" + "0" * (scale - min(scale, 6))

    return (
        large,
        lambda seed: str(seed.number(name, 2, 90)),
        *constants("1", "0", "0.5", "5", "10", "100", "0.01", "-1"),
    )


def _float(column: Column) -> Makers:
    name = column.name
    return (
        lambda seed: f"{seed.number(name, 100_000, 999_999)}.5",
        lambda seed: f"{seed.number(name, 2, 90)}.25",
        *constants("1", "0", "0.5", "10", "100", "-1"),
    )


def _boolean(column: Column) -> Makers:
    first = hints.flag(column)
    return constants(first, "false" if first == "true" else "true")


def _uuid(column: Column) -> Makers:
    name = column.name
    return (lambda seed: seed.uuid(name),)


def _bits(column: Column) -> Makers:
    length = column.length or 8
    name = column.name
    return (
        lambda seed: f"{seed.number(name, 0, 2 ** min(length, 120) - 1):0{length}b}"[-length:],
        *constants("0" * length, "1" * length),
    )


def _bytes(column: Column) -> Makers:
    name = column.name
    return (
        lambda seed: "\\x" + seed.word(name).encode().hex(),
        lambda seed: "\\x" + f"{seed.number(name, 2**255, 2**256 - 1):064x}",
        lambda seed: "\\x" + f"{seed.number(name, 2**127, 2**128 - 1):032x}",
    )


def _address(column: Column) -> Makers:
    name = column.name

    def octets(seed: Seed) -> str:
        return ".".join(str(seed.number(f"{name}{i}", 1, 254)) for i in range(2))

    if column.base == "cidr":
        return (lambda seed: f"10.{octets(seed)}.0/24", *constants("10.0.0.0/8", "2001:db8::/32"))
    return (
        lambda seed: f"10.{octets(seed)}.{seed.number(name, 1, 254)}",
        *constants("10.0.0.0/8", "127.0.0.1", "2001:db8::1"),
    )


def _mac(column: Column) -> Makers:
    count = 8 if column.base == "macaddr8" else 6
    name = column.name
    return (
        lambda seed: ":".join(f"{seed.number(f'{name}{i}', 0, 255):02x}" for i in range(count)),
    )


def _document(column: Column) -> Makers:
    name = column.name
    found: list[Maker] = [
        lambda seed: f'{{"note": "{seed.word(name)}"}}',
        lambda seed: f'["{seed.word(name)}"]',
    ]
    if (hints.default_literal(column) or "").lstrip().startswith("["):
        found.reverse()
    return (*found, lambda seed: f'"{seed.word(name)}"', *constants("{}", "[]", "1", "true"))


def _array(column: Column) -> Makers:
    element = replace(
        column, base=column.element, element="", type=column.type.removesuffix("[]"), default=None,
        category="S" if column.element in {"text", "varchar", "bpchar", "citext"} else "U",
    )  # fmt: skip

    def wrapped(make: Maker) -> Maker:
        def inner(seed: Seed) -> str:
            value = (make(seed) or "").replace("\\", "\\\\").replace('"', '\\"')
            bare = re.fullmatch(r"[\w.:+@/-]+", value) and value.lower() != "null"
            return f"{{{value}}}" if bare else f'{{"{value}"}}'

        return inner

    family = FAMILIES.get(column.element)
    inner = family(element) if family else ()
    return (*(wrapped(make) for make in inner[:6]), constant("{}"))


def _marked(form: str) -> Callable[[Column], Makers]:
    """A type whose text is *form* around the canary's word."""

    def family(column: Column) -> Makers:
        name = column.name
        return (lambda seed: form.format(seed.word(name)),)

    return family


def _fixed(*values: str) -> Callable[[Column], Makers]:
    return lambda _: constants(*values)


def _point(form: str) -> Callable[[Column], Makers]:
    def family(column: Column) -> Makers:
        name = column.name
        return (
            lambda seed: form.format(seed.number(name, 1, 89), seed.number(f"{name}.", 100, 179)),
        )

    return family


def _vector(column: Column) -> Makers:
    found = re.search(r"\((\d+)\)", column.type)
    size = int(found[1]) if found else 3
    name = column.name
    return (
        lambda seed: (
            "[" + ",".join(str(seed.number(f"{name}{i}", 1, 9)) for i in range(size)) + "]"
        ),
    )


FAMILIES: Mapping[str, Callable[[Column], Makers]] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name"), texts),
    **dict.fromkeys(("json", "jsonb"), _document),
    **dict.fromkeys(("int2", "int4", "int8", "oid"), _integer),
    **dict.fromkeys(("float4", "float8"), _float),
    **dict.fromkeys(("bit", "varbit"), _bits),
    **dict.fromkeys(("inet", "cidr"), _address),
    **dict.fromkeys(("macaddr", "macaddr8"), _mac),
        **dict.fromkeys(("vector", "halfvec"), _vector),
    **moments.FAMILIES,
    "numeric": _numeric, "bool": _boolean, "uuid": _uuid, "bytea": _bytes,
    "money": _fixed("12.34", "0"), "xml": _marked("<note>{}</note>"), "ltree": _marked("{}"),
    "hstore": _marked('"note"=>"{}"'), "tsvector": _marked("'{}'"), "tsquery": _marked("'{}'"),
    "jsonpath": _fixed("$"), "char": _fixed("a"), "pg_lsn": _fixed("0/16B3748"),
    "point": _point("({},{})"), "line": _fixed("{1,2,3}"), "lseg": _fixed("[(0,0),(1,1)]"),
    "box": _fixed("(1,1),(0,0)"), "path": _fixed("((0,0),(1,1),(2,0))"),
    "polygon": _fixed("((0,0),(1,1),(2,0))"), "circle": _fixed("<(0,0),1>"),
    "regclass": _fixed("pg_class"), "regtype": _fixed("text"), "regproc": _fixed("now"),
    "regrole": _fixed("pg_monitor"), "regnamespace": _fixed("pg_catalog"), "xid": _fixed("3"),
    "xid8": _fixed("3"), "cid": _fixed("0"), "tid": _fixed("(0,1)"),
    "txid_snapshot": _fixed("1:1:"), "pg_snapshot": _fixed("1:1:"), "cube": _fixed("(0, 0)"),
    "geometry": _point("POINT({} {})"), "geography": _point("POINT({1} {0})"),
    "lquery": _fixed("*"), "seg": _fixed("1"), "semver": _fixed("1.0.0"),
}  # fmt: skip
