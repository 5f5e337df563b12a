"""Read CHECK, domain and partition constraints: which columns they bind, with which constants."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind
from pglast.parser import ParseError
from pglast.visitors import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.catalog.facts import Column, Relation

REGULAR = {"~", "~*"}
LIKES = {A_Expr_Kind.AEXPR_LIKE, A_Expr_Kind.AEXPR_ILIKE, A_Expr_Kind.AEXPR_SIMILAR}
LIKE_OPERATORS = {"~~", "~~*"}
QUOTED = re.compile(r"'((?:[^']|'')*)'")
MANY_LEAVES = 12


@dataclass(frozen=True, slots=True)
class Check:
    """One condition that a row must meet.

    Attributes:
        columns: names of the columns it looks at, in their order in the text.
        constants: texts and numbers that stand in it, also as elements of array literals.
        patterns: regular expressions a column is matched with.
        likes: LIKE patterns.
    """

    name: str
    expression: str
    columns: tuple[str, ...]
    constants: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Whole numbers among the constants."""
        found = (c for c in self.constants if re.fullmatch(r"-?\d{1,15}(\.0*)?", c))
        return tuple(int(float(c)) for c in found)


class _Parts(Visitor):  # type: ignore[misc] # pglast is untyped to us
    def __init__(self) -> None:
        self.columns: dict[str, None] = {}
        self.constants: dict[str, None] = {}
        self.patterns: dict[str, None] = {}
        self.likes: dict[str, None] = {}
        self.calls: dict[str, None] = {}

    def visit_ColumnRef(self, _: object, node: ast.ColumnRef) -> None:  # noqa: N802 - pglast's name
        last = name_of(node.fields)
        if last:
            self.columns[last] = None

    def visit_A_Const(self, _: object, node: ast.A_Const) -> None:  # noqa: N802 - pglast's name
        text = constant_of(node)
        if text is not None:
            self.constants[text] = None
            if text.startswith("{") and text.endswith("}"):
                for element in text[1:-1].split(","):
                    self.constants[element.strip('"')] = None

    def visit_A_Expr(self, _: object, node: ast.A_Expr) -> None:  # noqa: N802 - pglast's name
        operator = name_of(node.name)
        for text in _texts(node.rexpr):
            if operator in REGULAR:
                self.patterns[text] = None
            elif node.kind in LIKES or operator in LIKE_OPERATORS:
                self.likes[text] = None

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802 - pglast's name
        name = name_of(node.funcname)
        self.calls[name] = None
        if name.startswith("regexp_") and node.args:
            for text in _texts(node.args[1:2]):
                self.patterns[text] = None


def name_of(parts: tuple[Any, ...] | None) -> str:
    """The last word of a qualified name in pglast's tree, "" for a star."""
    last = parts[-1] if parts else None
    return str(last.sval) if isinstance(last, ast.String) else ""


def constant_of(node: ast.A_Const) -> str | None:
    """The text of a constant, None for NULL."""
    for name in ("sval", "fval", "ival", "boolval", "bsval"):
        if node.val is not None and hasattr(node.val, name):
            value = getattr(node.val, name)
            return str(value).lower() if isinstance(value, bool) else str(value)
    return None


def _texts(node: Any) -> list[str]:  # noqa: ANN401 - a node of pglast's tree, or a tuple of them
    """Text constants directly beneath *node*: itself, cast, in an array or a list."""
    if isinstance(node, tuple):
        return [text for item in node for text in _texts(item)]
    if isinstance(node, ast.TypeCast):
        return _texts(node.arg)
    if isinstance(node, ast.A_ArrayExpr):
        return _texts(node.elements or ())
    if isinstance(node, ast.FuncCall):  # similar_to_escape('…')
        return _texts(node.args or ())
    if isinstance(node, ast.A_Const):
        text = constant_of(node)
        return [] if text is None else [text]
    return []


@lru_cache(maxsize=4096)
def _parts(expression: str) -> _Parts | None:
    try:
        tree = parse_sql(f"SELECT {expression}")
    except ParseError:
        return None
    parts = _Parts()
    parts(tree)
    return parts


def read(
    name: str, expression: str, known: Iterable[str], sources: Mapping[str, str] | None = None
) -> Check:
    """Read one *expression* over the columns *known*.

    *sources* are the bodies of functions by name: constants in a function that the expression
    calls count as its own.
    """
    names = set(known)
    parts = _parts(expression)
    if parts is None:
        words = re.findall(r'"[^"]+"|\w+', expression)
        found = tuple(dict.fromkeys(w.strip('"') for w in words if w.strip('"') in names))
        return Check(name, expression, found, tuple(dict.fromkeys(QUOTED.findall(expression))))
    bodies = [(sources or {}).get(call, "") for call in parts.calls]
    foreign = [text for body in bodies for text in QUOTED.findall(body)]
    return Check(
        name,
        expression,
        tuple(column for column in parts.columns if column in names),
        tuple(dict.fromkeys([*parts.constants, *foreign])),
        tuple(dict.fromkeys([*parts.patterns, *(f for f in foreign if f[:1] == "^")])),
        tuple(parts.likes),
    )


def of_table(
    relation: Relation, leaves: Iterable[str] = (), sources: Mapping[str, str] | None = None
) -> tuple[Check, ...]:
    """Every condition on a row of *relation*; *leaves* are the conditions of its partitions."""
    names = [column.name for column in relation.columns]
    found = [
        read(constraint.name, constraint.expression, names, sources)
        for constraint in relation.constraints
        if constraint.kind == "check" and constraint.expression
    ]
    for column in relation.columns:
        for text in column.domain_checks:
            check = read(f"domain {column.type}", text, ["value"], sources)
            found.append(replace(check, columns=(column.name,), expression=_domain(text, column)))
    bounds = [leaf for leaf in leaves if leaf]
    if bounds:
        either = " OR ".join(f"({bound})" for bound in bounds[-MANY_LEAVES:])
        found.append(read("partition bounds", either, names, sources))
    return tuple(found)


def _domain(expression: str, column: Column) -> str:
    """A domain's condition, asked of *column* instead of VALUE."""
    return re.sub(r"\bVALUE\b", column.quoted.replace("\\", r"\\"), expression)


def connected(checks: Iterable[Check], free: Iterable[str]) -> list[tuple[set[str], list[Check]]]:
    """Group *checks* that share a column, over the columns that any value may still be given."""
    open_columns = set(free)
    groups: list[tuple[set[str], list[Check]]] = []
    for check in checks:
        columns, members = set(check.columns) & open_columns, [check]
        if not columns:
            continue
        rest = []
        for other, theirs in groups:
            if other & columns:
                columns |= other
                members = [*theirs, *members]
            else:
                rest.append((other, theirs))
        groups = [*rest, (columns, members)]
    return groups
