"""What policies and functions compare columns with, by PostgreSQL's own parser.

A comparison ``tenant_id = (SELECT current_setting('app.tenant_id'))`` says that the rows of
`tenant_id` follow the context; ``m.role = 'owner'`` says which constants matter.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pglast import ast, parse_plpgsql, parse_sql
from pglast.enums import A_Expr_Kind, NullTestType, SQLValueFunctionOp, SubLinkType
from pglast.parser import ParseError
from pglast.stream import RawStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Tree: TypeAlias = Any
"""A node of pglast, whose fields the type checker knows nothing of."""

Place: TypeAlias = tuple[str, str]
"""A column: qualified table, column name."""

WHO_ASKS = {
    SQLValueFunctionOp.SVFOP_CURRENT_ROLE,
    SQLValueFunctionOp.SVFOP_CURRENT_USER,
    SQLValueFunctionOp.SVFOP_USER,
    SQLValueFunctionOp.SVFOP_SESSION_USER,
}
ASSIGNED = re.compile(r'^(\s*[\w."\[\]]+)\s*:=')
EQUALITIES = {
    A_Expr_Kind.AEXPR_OP,
    A_Expr_Kind.AEXPR_OP_ANY,
    A_Expr_Kind.AEXPR_IN,
    A_Expr_Kind.AEXPR_NOT_DISTINCT,
}


@dataclass
class Comparisons:
    """What was found in one or more expressions.

    Attributes:
        contexts: column -> SQL of the context expressions it is compared with.
        literals: column -> constants it is compared with.
        links: pairs of columns that are compared with each other.
        nulls: columns that are asked to hold NULL.
        guards: columns of the guarded table itself that its policies look at.
        calls: names of the functions called, as written.
        settings: names of the settings read by `current_setting`.
    """

    contexts: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    literals: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    links: list[tuple[Place, Place]] = field(default_factory=list)
    guards: set[Place] = field(default_factory=set)
    nulls: set[Place] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)

    def absorb(self, other: Comparisons) -> None:
        """Take in what *other* found."""
        for mine, theirs in ((self.contexts, other.contexts), (self.literals, other.literals)):
            for place, values in theirs.items():
                mine[place].extend(value for value in values if value not in mine[place])
        self.links.extend(other.links)
        self.guards |= other.guards
        self.nulls |= other.nulls
        self.calls |= other.calls
        self.settings |= other.settings


@dataclass(frozen=True)
class Tables:
    """The tables that names in an expression may mean.

    Attributes:
        columns: qualified table -> its column names.
        unqualified: table name -> qualified tables of that name, best guess first.
        asking: names of the functions whose answer may depend on who asks, `current_setting`
            among them; their last part alone.
    """

    columns: Mapping[str, frozenset[str]]
    unqualified: Mapping[str, tuple[str, ...]]
    asking: frozenset[str] = frozenset({"current_setting"})
    read: dict[tuple[str, str], Comparisons] = field(default_factory=dict, repr=False)

    def resolve(self, schema: str | None, name: str) -> str | None:
        """The qualified name of a table that is written as *schema*.*name*."""
        wanted = f"{schema}.{name}" if schema else None
        for qualified in self.unqualified.get(name, ()):
            if wanted is None or qualified.replace('"', "") == wanted:
                return qualified
        return None


def in_policy(text: str, table: str, tables: Tables) -> Comparisons:
    """Read a policy's USING or WITH CHECK expression of *table* (qualified)."""
    key = (text, table)
    if key not in tables.read:
        tables.read[key] = _in_policy(text, table, tables)
    return tables.read[key]


def _in_policy(text: str, table: str, tables: Tables) -> Comparisons:
    found = Comparisons()
    statement = _parsed(f"SELECT {text}")
    if statement is None:
        return found
    for target in statement.targetList:
        _walk(
            target.val,
            [{table.rpartition(".")[2].replace('"', ""): table, "": table}],
            tables,
            found,
        )
    found.guards = {place for place in _places(found) if place[0] == table} | {
        (table, name) for name in _bare_columns(statement) if name in tables.columns.get(table, ())
    }
    return found


@lru_cache(maxsize=512)
def _parsed(text: str) -> Tree | None:
    """The tree of one statement, None where it is none; policies are often alike."""
    try:
        return parse_sql(text)[0].stmt
    except ParseError:
        return None


def in_function(source: str, language: str, tables: Tables) -> Comparisons:
    """Read the body of an SQL or PL/pgSQL function; other languages and errors yield nothing."""
    found = Comparisons()
    for text in _statements(source, language):
        try:
            statements = parse_sql(text)
        except ParseError:
            continue
        for statement in statements:
            _walk(statement.stmt, [{}], tables, found)
    return found


def relations_in(source: str, language: str) -> list[tuple[str | None, str]]:
    """The (schema or None, name) of every relation that a function body names, in order."""
    named: dict[tuple[str | None, str], None] = {}
    for text in _statements(source, language):
        try:
            statements = parse_sql(text)
        except ParseError:
            continue
        for node in _nodes(statements):
            if isinstance(node, ast.RangeVar):
                named[node.schemaname, node.relname] = None
    return list(named)


def _statements(source: str, language: str) -> Iterator[str]:
    """The SQL statements and expressions that a function body holds."""
    if language == "sql":
        # the deparsed body of an SQL-standard function: BEGIN ATOMIC …; END or RETURN …
        body = source.strip()
        if body.upper().startswith("BEGIN ATOMIC"):
            body = body[len("BEGIN ATOMIC") :].rstrip().removesuffix("END")
        yield f"SELECT {body[6:]}" if body.upper().startswith("RETURN") else body
    elif language == "plpgsql":
        quote = "$partywall$"
        wrapper = f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS {quote}{source}{quote}"
        kinds = ("trigger", "int", "SETOF int", "void")
        for attempt in (wrapper.replace("RETURNS trigger", f"RETURNS {kind}") for kind in kinds):
            try:
                parsed = parse_plpgsql(attempt)
            except (ParseError, ValueError):
                continue
            for query in _queries(parsed):
                text = ASSIGNED.sub(r"\1 =", query)
                yield text
                yield f"SELECT {text}"
            return


def _queries(node: Any) -> Iterator[str]:  # noqa: ANN401 - a JSON tree
    """Every embedded SQL text in pglast's JSON tree of a PL/pgSQL function."""
    if isinstance(node, str):
        node = json.loads(node)
    if isinstance(node, dict):
        if "PLpgSQL_expr" in node:
            yield node["PLpgSQL_expr"]["query"]
        for value in node.values():
            if isinstance(value, (dict, list)):
                yield from _queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _queries(value)


def _children(node: Tree) -> Iterator[Tree]:
    for name in node:
        value = getattr(node, name)
        stack = [value]
        while stack:
            item = stack.pop(0)
            if isinstance(item, ast.Node):
                yield item
            elif isinstance(item, tuple):
                stack = [*item, *stack]


def _nodes(root: Any) -> Iterator[Tree]:  # noqa: ANN401 - a node or a tuple of nodes
    stack = [*reversed(root)] if isinstance(root, tuple) else [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Node):
            yield node
            stack.extend(reversed([*_children(node)]))


def _bare_columns(root: Tree) -> set[str]:
    """Names of all columns that stand outside of sub-selects with a FROM."""
    found: set[str] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.SelectStmt) and node.fromClause:
            continue
        if isinstance(node, ast.ColumnRef):
            found.add(_names(node)[-1])
        stack.extend(_children(node))
    return found


def _places(found: Comparisons) -> set[Place]:
    pairs = {place for pair in found.links for place in pair}
    return set(found.contexts) | set(found.literals) | pairs


def _names(reference: ast.ColumnRef) -> list[str]:
    return [f.sval if isinstance(f, ast.String) else "*" for f in reference.fields]


Scope = dict[str, str]


def _walk(node: Tree, scopes: list[Scope], tables: Tables, found: Comparisons) -> None:
    """Collect comparisons below *node*; *scopes* maps names to tables, innermost first."""
    if isinstance(node, (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt)):
        scope: Scope = {}
        for item in _own_from(node):
            qualified = tables.resolve(item.schemaname, item.relname)
            if qualified:
                scope[item.alias.aliasname if item.alias else item.relname] = qualified
        scopes = [scope, *scopes]
    if isinstance(node, ast.FuncCall):
        name = ".".join(part.sval for part in node.funcname)
        found.calls.add(name)
        if name.rpartition(".")[2] == "current_setting" and node.args:
            found.settings.update(_constants(node.args[0]))
    if isinstance(node, ast.NullTest) and node.nulltesttype == NullTestType.IS_NULL:
        place = _resolve(_bare(node.arg), scopes, tables)
        if place is not None:
            found.nulls.add(place)
    for left, right in _equalities(node):
        _compare(left, right, scopes, tables, found)
    for child in _children(node):
        _walk(child, scopes, tables, found)


def _own_from(statement: Tree) -> Iterator[ast.RangeVar]:
    """The tables that *statement* itself names, its joins included, sub-selects excluded."""
    stack = list(getattr(statement, "fromClause", None) or ())
    stack += list(getattr(statement, "usingClause", None) or ())
    if getattr(statement, "relation", None) is not None:
        stack.append(statement.relation)
    while stack:
        item = stack.pop()
        if isinstance(item, ast.RangeVar):
            yield item
        elif isinstance(item, ast.JoinExpr):
            stack += [item.larg, item.rarg]


def _equalities(node: Tree) -> Iterator[tuple[Tree, Tree]]:
    """Pairs that *node* holds equal: ``a = b``, ``a IN (…)``, ``a = ANY (…)``, …."""
    if isinstance(node, ast.A_Expr) and node.kind in EQUALITIES and node.name[-1].sval == "=":
        rights = node.rexpr if isinstance(node.rexpr, tuple) else (node.rexpr,)
        for right in rights:
            yield node.lexpr, right
            yield right, node.lexpr
    elif isinstance(node, ast.SubLink) and node.subLinkType == SubLinkType.ANY_SUBLINK:
        select = node.subselect
        if node.testexpr is not None and getattr(select, "targetList", None):
            yield node.testexpr, select.targetList[0].val


def _compare(
    left: Tree, right: Tree, scopes: list[Scope], tables: Tables, found: Comparisons
) -> None:
    place = _resolve(_bare(left), scopes, tables)
    if place is None:
        return
    right = _bare(right)
    other = _resolve(right, scopes, tables)
    if other is not None:
        found.links.append((place, other))
    elif constants := _constants(right):
        found.literals[place].extend(c for c in constants if c not in found.literals[place])
    elif _of_context(right, tables.asking):
        text = RawStream()(right)
        if text not in found.contexts[place]:
            found.contexts[place].append(text)


def _bare(node: Tree) -> Tree:
    """*node* without the casts around it, as long as a column or constant is inside."""
    inner = node
    while isinstance(inner, ast.TypeCast):
        inner = inner.arg
    return inner if isinstance(inner, (ast.ColumnRef, ast.A_Const, ast.A_ArrayExpr)) else node


def _resolve(node: Tree, scopes: list[Scope], tables: Tables) -> Place | None:
    if not isinstance(node, ast.ColumnRef):
        return None
    names = _names(node)
    column = names[-1]
    qualifier = names[-2] if len(names) > 1 else None
    for scope in scopes:
        for alias, table in scope.items():
            known = column in tables.columns.get(table, frozenset())
            if known and (qualifier is None or alias == qualifier):
                return (table, column)
    return None


def _constants(node: Tree) -> list[str]:
    node = _bare(node)
    if isinstance(node, ast.A_Const) and not node.isnull:
        value = node.val
        for name in ("sval", "ival", "fval", "boolval"):
            if hasattr(value, name):
                return [str(getattr(value, name))]
    if isinstance(node, ast.A_ArrayExpr):
        return [text for element in node.elements or () for text in _constants(element)]
    return []


def _of_context(node: Tree, asking: frozenset[str]) -> bool:
    """Whether an expression depends on who asks (by a function of *asking*) and on no column."""
    asks = False
    for child in _nodes(node):
        if isinstance(child, ast.ColumnRef):
            return False
        if isinstance(child, ast.SelectStmt) and child.fromClause:
            return False
        if isinstance(child, ast.FuncCall):
            asks = asks or child.funcname[-1].sval in asking
        elif isinstance(child, ast.SQLValueFunction):
            asks = asks or child.op in WHO_ASKS
    return asks


def columns_in(text: str) -> list[str]:
    """Names of the columns that an expression (or a list of them) uses, in order."""
    if not text:
        return []
    try:
        statement = parse_sql(f"SELECT {text}")[0].stmt
    except ParseError:
        return []
    found = [_names(node)[-1] for node in _nodes(statement) if isinstance(node, ast.ColumnRef)]
    return list(dict.fromkeys(found))
