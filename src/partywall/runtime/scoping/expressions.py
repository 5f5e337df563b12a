"""Conditions and expressions: what they tie, and that nothing hides in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast, enums

from partywall.runtime.scoping.grammar import (
    EXPRESSIONS,
    FUNCTIONS,
    function_name,
    keeps_identity,
    type_name,
)
from partywall.runtime.scoping.requirement import Untied
from partywall.runtime.scoping.scopes import Claim, Output, Relation, Scope, by_name

if TYPE_CHECKING:
    from partywall.isolation.scoped_queries import ScopedQueries
    from partywall.runtime.scoping.analysis import Queries


class Expressions:
    """The part of an analysis that reads expressions."""

    __slots__ = ()

    model: ScopedQueries

    def statement(self, node: Any, outer: Scope | None, queries: Queries) -> Output:
        """Analyse a statement; see `Analysis`."""
        raise NotImplementedError

    def condition(
        self, node: Any, scope: Scope, restricted: frozenset[Relation], queries: Queries
    ) -> None:
        """Note what a WHERE or ON ties of the relations that it restricts, and look through it."""
        for part in conjuncts(node):
            if is_equality(part):
                for column, value in ((part.lexpr, part.rexpr), (part.rexpr, part.lexpr)):
                    self.tie(column, value, scope, restricted)
        self.look(node, scope, queries)

    def tie(self, column: Any, value: Any, scope: Scope, restricted: frozenset[Relation]) -> None:
        """Note that a tenant column equals something of which we know when it is the tenant."""
        if not isinstance(column, ast.ColumnRef):
            return
        fields = fields_of(column)
        if fields is None or fields[-1] != self.model.column:
            return
        found = scope.column(fields)
        if found is None or found.relation.reference is None or found.relation not in restricted:
            return
        claim = self.claim(value, scope)
        if claim is not None:
            found.relation.reference.claims.append(claim)

    def claim(self, node: Any, scope: Scope) -> Claim | None:
        """When the value of an expression is the tenant; None when that isn't known."""
        match node:
            case ast.ParamRef():
                return Claim(parameters=frozenset({node.number}))
            case ast.A_Const():
                text = constant(node)
                return None if text is None else Claim(literals=frozenset({text}))
            case ast.TypeCast() if keeps_identity(node.typeName):
                return self.claim(node.arg, scope)
            case ast.ColumnRef():
                fields = fields_of(node)
                found = None if fields is None else scope.column(fields)
                return None if found is None else found.claim
            case _:
                return None

    def look(self, node: Any, scope: Scope, queries: Queries) -> None:
        """Look through an expression for what is not allowed in one; analyse its subqueries.

        Raises:
            Untied: when there is something whose effect isn't known.
        """
        match node:
            case tuple() | list():
                for each in node:
                    self.look(each, scope, queries)
            case ast.SelectStmt():
                self.statement(node, scope, queries)
            case ast.Node():
                self.permit(node)
                for name in node:
                    value = getattr(node, name)
                    if isinstance(value, (ast.Node, tuple, list)):
                        self.look(value, scope, queries)
            case _:
                pass  # None, where an optional part is absent

    def permit(self, node: ast.Node) -> None:
        """Refuse a node that is on no list.

        Types are the application's too (enumerations, domains); those that begin with reg look
        names up in the catalog.
        """
        if not isinstance(node, EXPRESSIONS):
            raise Untied(f"{type(node).__name__} is not among the supported expressions")
        if isinstance(node, ast.FuncCall):
            name = function_name(node)
            if name not in FUNCTIONS | self.model.functions:
                raise Untied(
                    f"{name}() is not among the functions known to see their arguments only: "
                    "name it in ScopedQueries(functions={…}) if it does"
                )
        if isinstance(node, ast.TypeName) and type_name(node).startswith("reg"):
            raise Untied(f"{type_name(node)} looks names up in the catalog")
        if isinstance(node, ast.A_Expr) and len(node.name or ()) > 1:
            raise Untied("an operator with a schema may be anything: write it without")

    def values(self, rows: Any, scope: Scope) -> Output:
        """The columns of VALUES: each holds what all rows have there."""
        claims: tuple[Claim | None, ...] = tuple(self.claim(v, scope) for v in rows[0])
        for row in rows[1:]:
            found = [self.claim(value, scope) for value in row]
            if len(found) != len(claims):
                raise Untied("the rows of VALUES have different lengths")
            claims = tuple(
                a | b if a is not None and b is not None else None
                for a, b in zip(claims, found, strict=True)
            )
        names = tuple(f"column{number}" for number, _ in enumerate(claims, 1))
        return Output(names, claims, by_name(names, claims))

    def output(self, targets: Any, scope: Scope) -> Output:
        """The columns of a target list."""
        if any(is_star(target.val) for target in targets or ()):
            only = scope.relations[0] if len(scope.relations) == 1 and len(targets) == 1 else None
            return Output(None, known={} if only is None else only.columns)
        names = tuple(target.name or own_name(target.val) for target in targets or ())
        claims = tuple(self.claim(target.val, scope) for target in targets or ())
        unclear = {
            name.casefold()
            for target in targets or ()
            if not target.name and not isinstance(target.val, ast.ColumnRef)
            for name in words_of(target.val)
        }
        known = {n: c for n, c in by_name(names, claims).items() if n.casefold() not in unclear}
        return Output(names, claims, known)


def conjuncts(node: Any) -> list[Any]:
    """The conditions that must all hold."""
    if isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.AND_EXPR:
        return [part for argument in node.args for part in conjuncts(argument)]
    return [] if node is None else [node]


def is_equality(node: Any) -> bool:
    """Whether it is `a = b`, with the database's own operator."""
    plain = isinstance(node, ast.A_Expr) and node.kind == enums.A_Expr_Kind.AEXPR_OP
    return plain and [part.sval for part in node.name] == ["="]


def fields_of(node: ast.ColumnRef) -> tuple[str, ...] | None:
    """The qualifiers and the name of a column; None for a star."""
    if is_star(node):
        return None
    return tuple(part.sval for part in node.fields)


def is_star(node: Any) -> bool:
    """Whether it is `*` or `a.*`."""
    return isinstance(node, ast.ColumnRef) and isinstance(node.fields[-1], ast.A_Star)


def own_name(node: Any) -> str:
    """The name of a column that was given none, where that is certain."""
    fields = fields_of(node) if isinstance(node, ast.ColumnRef) else None
    return fields[-1] if fields else ""


def words_of(node: Any) -> set[str]:
    """All names in an expression: one of them may become the name of its column."""
    if isinstance(node, ast.String):
        return {node.sval}
    if isinstance(node, (tuple, list)):
        return {word for each in node for word in words_of(each)}
    if isinstance(node, ast.Node):
        return {word for name in node for word in words_of(getattr(node, name))}
    return set()


def constant(node: ast.A_Const) -> str | None:
    """The text of a constant that could be a tenant's id."""
    match node.val:
        case ast.String():
            return str(node.val.sval)
        case ast.Integer():
            return str(node.val.ival)
        case ast.Float() if node.val.fval.isdigit():
            return str(node.val.fval)
        case _:
            return None
