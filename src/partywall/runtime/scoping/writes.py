"""INSERT, UPDATE and DELETE: whose rows are written, and with whose id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast, enums

from partywall.runtime.scoping.requirement import Untied
from partywall.runtime.scoping.scopes import Claim, Output, Relation, Scope

if TYPE_CHECKING:
    from partywall.runtime.scoping.analysis import Analysis, Queries


def target(analysis: Analysis, node: ast.RangeVar) -> Relation:
    """The table that is written.

    Raises:
        Untied: when it is shared and tenants may only read it.
    """
    name = ".".join(filter(None, (node.catalogname, node.schemaname, node.relname)))
    if name in analysis.model.shared - analysis.model.writable:
        raise Untied(
            f"{name} is shared, and tenants only read it: name it in ScopedQueries(writable={{…}})"
        )
    alias = "" if node.alias is None else node.alias.aliasname
    return analysis.table(node, alias)


def update(
    analysis: Analysis, node: ast.UpdateStmt, outer: Scope | None, queries: Queries
) -> Output:
    """An UPDATE."""
    queries = analysis.with_clause(node.withClause, outer, queries)
    level = Scope(outer)
    relation = level.add(target(analysis, node.relation))
    analysis.from_clause(node.fromClause, level, queries)
    analysis.condition(node.whereClause, level, frozenset(level.relations), queries)
    assign(analysis, node.targetList, relation, level, queries)
    return returning(analysis, node.returningClause, level, queries)


def delete(
    analysis: Analysis, node: ast.DeleteStmt, outer: Scope | None, queries: Queries
) -> Output:
    """A DELETE."""
    queries = analysis.with_clause(node.withClause, outer, queries)
    level = Scope(outer)
    level.add(target(analysis, node.relation))
    analysis.from_clause(node.usingClause, level, queries)
    analysis.condition(node.whereClause, level, frozenset(level.relations), queries)
    return returning(analysis, node.returningClause, level, queries)


def insert(
    analysis: Analysis, node: ast.InsertStmt, outer: Scope | None, queries: Queries
) -> Output:
    """An INSERT: of each row the tenant's id must be known."""
    queries = analysis.with_clause(node.withClause, outer, queries)
    relation = target(analysis, node.relation)
    source = Output()
    if node.selectStmt is not None:
        source = analysis.statement(node.selectStmt, outer, queries)
    given = None
    if relation.reference is not None:
        given = tenant_given(analysis, node, source)
        relation.reference.claims.append(given)
    if node.onConflictClause is not None:
        on_conflict(analysis, node, given, outer, queries)
    level = Scope(outer, [relation])
    return returning(analysis, node.returningClause, level, queries)


def tenant_given(analysis: Analysis, node: ast.InsertStmt, source: Output) -> Claim:
    """When the rows of an INSERT are the tenant's.

    Raises:
        Untied: when its columns are not listed, or the tenant's is not among them.
    """
    column, table = analysis.model.column, node.relation.relname
    names = [each.name for each in node.cols or ()]
    folded = [name.casefold() for name in names]
    if folded.count(column.casefold()) != 1 or column not in names:
        raise Untied(f"INSERT INTO {table} must list its columns, {column} among them")
    place = names.index(column)
    claim = source.claims[place] if place < len(source.claims) else None
    if source.names is None or len(source.claims) != len(names) or claim is None:
        raise Untied(f"INSERT INTO {table} must set {column} to the tenant's id in every row")
    return claim


def on_conflict(
    analysis: Analysis,
    node: ast.InsertStmt,
    given: Claim | None,
    outer: Scope | None,
    queries: Queries,
) -> None:
    """ON CONFLICT: the row that is there already may be another tenant's.

    It is not when the columns in conflict include the tenant's; else the WHERE of DO UPDATE must
    say so.
    """
    clause = node.onConflictClause
    infer = clause.infer
    level = Scope(outer)
    there = level.add(target(analysis, node.relation))
    proposed = {} if given is None else {analysis.model.column: given}
    level.add(Relation("excluded", proposed))
    if there.reference is not None and (
        clause.action == enums.OnConflictAction.ONCONFLICT_NOTHING
        or any(
            is_tenant(element, analysis) for element in (infer.indexElems if infer else ()) or ()
        )
    ):
        assert given is not None  # noqa: S101 - a tenants' table: `tenant_given` has said
        there.reference.claims.append(given)
    if infer is not None:
        for element in infer.indexElems or ():
            analysis.look(element.expr, level, queries)
        analysis.look(infer.whereClause, level, queries)
    analysis.condition(clause.whereClause, level, frozenset({there}), queries)
    assign(analysis, clause.targetList, there, level, queries)


def is_tenant(element: ast.IndexElem, analysis: Analysis) -> bool:
    """Whether a column in conflict is the tenant's, compared as it is."""
    return element.name == analysis.model.column and not (element.collation or element.opclass)


def assign(
    analysis: Analysis, targets: Any, relation: Relation, level: Scope, queries: Queries
) -> None:
    """SET: the tenant's column may only be set to the tenant.

    Raises:
        Untied: when it is set to something else.
    """
    for each in targets or ():
        if (
            relation.reference is not None
            and each.name.casefold() == analysis.model.column.casefold()
        ):
            claim = analysis.claim(each.val, level)
            if claim is None:
                raise Untied(f"{each.name} is set to what may be another tenant's")
            analysis.written.append(claim)
    analysis.look(targets, level, queries)


def returning(analysis: Analysis, clause: Any, level: Scope, queries: Queries) -> Output:
    """The columns of RETURNING."""
    if clause is None:
        return Output()
    if clause.options:
        raise Untied("RETURNING WITH is not supported")
    analysis.look(clause.exprs, level, queries)
    return analysis.output(clause.exprs, level)
