"""What checks ask of policies: to whom they apply, and what their expressions do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

from partywall.survey.detect import known_tables
from partywall.survey.expressions import in_function, in_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.catalog.facts import Column, Function, Policy, Relation
    from partywall.survey.attack import Scene
    from partywall.survey.identity import Who

TENANT_KINDS = {"column", "registry", "user"}


def acting_roles(scene: Scene, *who: Who) -> set[str]:
    """Every role whose privileges the identities *who* (all unless named) hold."""
    names = {
        name
        for key, identity in scene.identities.items()
        if not who or key in who
        for name in (identity.role, identity.login)
    }
    return {r for n in names if n in scene.snapshot.roles for r in scene.snapshot.roles[n].acts_as}


def guarded(scene: Scene) -> Iterator[tuple[Relation, Column]]:
    """Tenant-owned tables with row security, and the column that holds the tenant."""
    for table in scene.snapshot.tables:
        ownership = scene.model.owned.get(table.qualified)
        if ownership is None or ownership.kind not in TENANT_KINDS or not table.rls:
            continue
        column = table.by_name.get(ownership.column)
        if column is not None:
            yield table, column


def applying(scene: Scene, table: Relation, *who: Who) -> Iterator[Policy]:
    """Policies of *table* that bind the roles of *who*."""
    roles = acting_roles(scene, *who) | {"public"}
    return (policy for policy in table.policies if roles & set(policy.roles))


def texts(policy: Policy) -> tuple[str, ...]:
    """The expressions of *policy*."""
    return tuple(filter(None, (policy.using, policy.check)))


Tree = Any
"""A node of pglast's, a tuple of nodes, or nothing; its classes' fields are all optional."""

CALL: Any = ast.FuncCall
EXPRESSION: Any = ast.A_Expr
CAST: Any = ast.TypeCast
COLUMN: Any = ast.ColumnRef


def tree(text: str) -> Tree:
    """*text* as an expression's tree, None when it can't be parsed."""
    try:
        statement: Tree = parse_sql(f"SELECT {text}")[0].stmt
    except (ParseError, IndexError):
        return None
    return statement.targetList[0].val


def called(node: Tree) -> str:
    """The name of the function that *node* calls, without schema; "" for any other node."""
    return str(node.funcname[-1].sval) if isinstance(node, CALL) else ""


def operator(node: Tree) -> str:
    """The operator that *node* applies; "" for any other node."""
    return str(node.name[-1].sval) if isinstance(node, EXPRESSION) else ""


def nodes(root: Tree) -> Iterator[Tree]:
    """*root* and every node below it."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Node):
            yield node
            stack.extend(getattr(node, name) for name in node)
        elif isinstance(node, tuple):
            stack.extend(node)


def names_column(node: Tree, column: str) -> bool:
    """Whether *node*, without the casts around it, is a reference to *column*."""
    while isinstance(node, CAST):
        node = node.arg
    return isinstance(node, COLUMN) and getattr(node.fields[-1], "sval", None) == column


def helpers(scene: Scene, table: Relation) -> Iterator[Function]:
    """Functions of the database that policies of *table* call, by name."""
    known = known_tables(scene.snapshot)
    called = {
        name.rpartition(".")[2]
        for policy in table.policies
        for text in texts(policy)
        for name in in_policy(text, table.qualified, known).calls
    }
    for function in scene.snapshot.functions.values():
        if function.name in called and function.extension is None:
            yield function


def reads_context(scene: Scene, function: Function) -> bool:
    """Whether *function* answers with who asks: a setting, or the current role."""
    found = in_function(function.source, function.language, known_tables(scene.snapshot))
    asks = {"current_user", "session_user", "current_role"}
    return bool(found.settings) or any(word in function.source.lower() for word in asks)
