"""Whether a statement can be shown to stay with one tenant: a pure function of its text.

Every mention of a tenants' table, at every level, must be tied to the tenant by a condition that
all rows of it must meet. What follows from that for outer joins: a row that the condition does not
admit can't take part in any row of the result, and where it could only have kept a row from being
extended with NULLs, the condition stands in the same ON or further out and rejects NULLs as well.
What can't be shown is refused, also where it happens to be true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError

from partywall.runtime.scoping import writes
from partywall.runtime.scoping.expressions import Expressions
from partywall.runtime.scoping.grammar import ROWS, function_name
from partywall.runtime.scoping.requirement import Requirement, Untied
from partywall.runtime.scoping.scopes import (
    Claim,
    Output,
    Reference,
    Relation,
    Scope,
    by_name,
    tied,
)

if TYPE_CHECKING:
    from partywall.isolation.scoped_queries import ScopedQueries

SYSTEM = ("pg_", "sqlite_", "pragma_")
SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast"})
Queries = Mapping[str, Output]
"""The queries of WITH clauses in sight, by name."""


def analyse(text: str, model: ScopedQueries) -> Requirement:
    """What must hold of the parameters of *text*, whose placeholders are `$1`, `$2` and so on."""
    try:
        statements = parse_sql(text)
    except ParseError as error:
        return Requirement(
            refusal="the analyser can't read it; it reads the grammar of PostgreSQL, of SQLite's "
            f"what that has too ({str(error).split(',')[0]})"
        )
    if len(statements) != 1:
        return Requirement(refusal="send one statement at a time")
    analysis = Analysis(model)
    try:
        analysis.statement(statements[0].stmt, None, {})
        return analysis.outcome()
    except Untied as untied:
        return Requirement(refusal=str(untied))


@dataclass(slots=True)
class Analysis(Expressions):
    """The analysis of one statement.

    Attributes:
        model: which tables are tenants'.
        references: the mentions of tenants' tables.
        written: claims that must hold of what is written.
    """

    model: ScopedQueries
    references: list[Reference] = field(default_factory=list)
    written: list[Claim] = field(default_factory=list)

    def outcome(self) -> Requirement:
        """What the parameters and constants must be.

        Raises:
            Untied: when a mention of a tenants' table is not tied, or a value may be another's.
        """
        found = tied(self.references)
        for reference in self.references:
            if reference not in found:
                raise Untied(
                    f"{reference.said} is not tied to the tenant: add {reference.tie} to its "
                    "WHERE, or to the ON of the outer join that adds it"
                )
        claims = [*self.written, *(c for r in self.references for c in r.claims)]
        if not all(claim.references <= found for claim in self.written):
            raise Untied(f"{self.model.column} is set to what may be another tenant's")
        numbers = sorted({n for claim in claims for n in claim.parameters})
        literals = sorted({text for claim in claims for text in claim.literals})
        return Requirement(tuple(numbers), tuple(literals))

    def statement(self, node: Any, outer: Scope | None, queries: Queries) -> Output:
        """Analyse one statement and say what columns it gives.

        Raises:
            Untied: for what is none of the known kinds, or breaks one of the rules.
        """
        match node:
            case ast.SelectStmt():
                return self.select(node, outer, queries)
            case ast.InsertStmt():
                return writes.insert(self, node, outer, queries)
            case ast.UpdateStmt():
                return writes.update(self, node, outer, queries)
            case ast.DeleteStmt():
                return writes.delete(self, node, outer, queries)
            case _:
                kind = type(node).__name__.removesuffix("Stmt")
                raise Untied(f"{kind} is not among SELECT, INSERT, UPDATE and DELETE")

    def select(self, node: ast.SelectStmt, outer: Scope | None, queries: Queries) -> Output:
        """A SELECT, VALUES, or several of them in a set operation."""
        queries = self.with_clause(node.withClause, outer, queries)
        if node.intoClause is not None:
            raise Untied("SELECT INTO makes a table")
        level = Scope(outer)
        if node.op != enums.SetOperation.SETOP_NONE:
            output = either(
                self.select(node.larg, outer, queries), self.select(node.rarg, outer, queries)
            )
        elif node.valuesLists:
            for row in node.valuesLists:
                self.look(row, level, queries)
            output = self.values(node.valuesLists, level)
        else:
            self.from_clause(node.fromClause, level, queries)
            self.condition(node.whereClause, level, frozenset(level.relations), queries)
            parts = (node.targetList, node.distinctClause, node.groupClause, node.havingClause)
            self.look(parts, level, queries)
            self.look(node.windowClause, level, queries)
            output = self.output(node.targetList, level)
        self.look((node.sortClause, node.limitCount, node.limitOffset), level, queries)
        return output

    def with_clause(
        self, clause: ast.WithClause | None, outer: Scope | None, queries: Queries
    ) -> Queries:
        """The queries in sight, with those of a WITH clause."""
        if clause is None:
            return queries
        for query in clause.ctes:
            name = query.ctename
            if query.search_clause or query.cycle_clause:
                raise Untied(f"{name} has a SEARCH or CYCLE clause, which is not supported")
            # What a recursion gave so far is not known to be tied before it is shown of all of it.
            inner = {**queries, name: Output(None)} if clause.recursive else queries
            output = self.statement(query.ctequery, outer, inner)
            names = tuple(part.sval for part in query.aliascolnames or ())
            known = output.renamed(names)
            queries = {**queries, name: Output(names or output.names, output.claims, known)}
        return queries

    def from_clause(self, items: Any, level: Scope, queries: Queries) -> None:
        """Bring in the relations of a FROM clause, then read the conditions of its joins."""
        joins: list[tuple[Any, Scope, frozenset[Relation]]] = []
        for item in items or ():
            self.from_item(item, level, queries, joins)
        for condition, scope, restricted in joins:
            self.condition(condition, scope, restricted, queries)

    def from_item(
        self,
        item: Any,
        level: Scope,
        queries: Queries,
        joins: list[tuple[Any, Scope, frozenset[Relation]]],
    ) -> frozenset[Relation]:
        """Bring in one item, and say which relations it is made of."""
        match item:
            case ast.RangeVar():
                return frozenset({level.add(self.relation(item, queries))})
            case ast.RangeSubselect():
                outer = level if item.lateral else level.parent
                output = self.statement(item.subquery, outer, queries)
                alias, names = alias_of(item)
                return frozenset({level.add(Relation(alias, output.renamed(names)))})
            case ast.RangeFunction():
                return frozenset({self.function_rows(item, level, queries)})
            case ast.JoinExpr():
                return self.join(item, level, queries, joins)
            case _:
                raise Untied(f"{type(item).__name__} in a FROM clause is not supported")

    def join(
        self,
        item: ast.JoinExpr,
        level: Scope,
        queries: Queries,
        joins: list[tuple[Any, Scope, frozenset[Relation]]],
    ) -> frozenset[Relation]:
        """A join; its ON condition restricts only the sides whose rows it can keep out."""
        if item.isNatural or item.usingClause or item.alias:
            raise Untied("NATURAL, USING and aliases of joins hide what is compared: write ON")
        left = self.from_item(item.larg, level, queries, joins)
        right = self.from_item(item.rarg, level, queries, joins)
        restricted = {
            enums.JoinType.JOIN_INNER: left | right,
            enums.JoinType.JOIN_LEFT: right,
            enums.JoinType.JOIN_RIGHT: left,
            enums.JoinType.JOIN_FULL: frozenset[Relation](),
        }[item.jointype]
        both = left | right
        joins.append((item.quals, Scope(level.parent, level.relations, both), restricted))
        return both

    def relation(self, node: ast.RangeVar, queries: Queries) -> Relation:
        """A table, or a query of a WITH clause."""
        alias, names = alias_of(node)
        name = node.relname
        if not node.schemaname and (
            like := [q for q in queries if q.casefold() == name.casefold()]
        ):
            if like != [name]:
                raise Untied(f"{name} and a query of WITH differ only in case: rename one")
            return Relation(alias or name, queries[name].renamed(names))
        if names:
            raise Untied(f"the columns of {name} are renamed: name them in the query instead")
        return self.table(node, alias)

    def table(self, node: ast.RangeVar, alias: str) -> Relation:
        """A table, noted as a reference when its rows are tenants'."""
        name = ".".join(filter(None, (node.catalogname, node.schemaname, node.relname)))
        schema = "" if alias else ".".join(filter(None, (node.catalogname, node.schemaname)))
        if name in self.model.shared:
            return Relation(alias or node.relname, schema=schema)
        folded = node.relname.casefold()
        if folded.startswith(SYSTEM) or (node.schemaname or "").casefold() in SYSTEM_SCHEMAS:
            raise Untied(f"{name} is the database's own: name it in ScopedQueries(shared={{…}})")
        said = f"{name} AS {alias}" if alias else name
        reference = Reference(said, f"{alias or name}.{self.model.column} = :tenant_id")
        self.references.append(reference)
        claim = Claim(frozenset({reference}))
        return Relation(alias or node.relname, {self.model.column: claim}, reference, schema)

    def function_rows(self, item: ast.RangeFunction, level: Scope, queries: Queries) -> Relation:
        """The rows of functions; of their columns nothing is known."""
        if item.coldeflist:
            raise Untied("a function in FROM with a list of columns is not supported")
        for function, columns in item.functions:
            known = ROWS | self.model.functions
            if columns or not isinstance(function, ast.FuncCall):
                raise Untied("what stands in FROM is no plain function")
            if function_name(function) not in known:
                raise Untied(
                    f"{function_name(function)}() in FROM may read any table: name it in "
                    "ScopedQueries(functions={…}) if it can't"
                )
            self.look(function.args, level, queries)
        alias, _ = alias_of(item)
        return level.add(Relation(alias or function_name(item.functions[0][0])))


def alias_of(node: Any) -> tuple[str, tuple[str, ...]]:
    """The alias of an item and of its columns."""
    if node.alias is None:
        return "", ()
    return node.alias.aliasname, tuple(part.sval for part in node.alias.colnames or ())


def either(left: Output, right: Output) -> Output:
    """What a set operation gives: by position, with the names of its left side."""
    if left.names is None or right.names is None or len(left.claims) != len(right.claims):
        return Output(None)
    claims = tuple(
        a | b if a is not None and b is not None else None
        for a, b in zip(left.claims, right.claims, strict=True)
    )
    known = {name: c for name, c in by_name(left.names, claims).items() if name in left.known}
    return Output(left.names, claims, known)
