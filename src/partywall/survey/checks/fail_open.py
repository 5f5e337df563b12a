"""PW103: a policy that lets everything through when the context is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.enums import BoolExprType, NullTestType

from partywall.survey.check import Hit, check
from partywall.survey.policies import (
    acting_roles,
    applying,
    called,
    guarded,
    names_column,
    nodes,
    texts,
)
from partywall.survey.policies import tree as parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.catalog.facts import Policy
    from partywall.survey.attack import Scene
    from partywall.survey.policies import Tree

BOOLEAN: Any = ast.BoolExpr
NULL_TEST: Any = ast.NullTest
COALESCE: Any = ast.CoalesceExpr


@check("PW103")
def fail_open(scene: Scene) -> Iterator[Hit]:
    """Find policies that hold when the setting is missing, for roles no attack reached without it.

    `current_setting(…) IS NULL OR …` and `COALESCE(current_setting(…), tenant)` admit a session
    that forgot its context. The attacks without context try exactly that, as the role a session
    without context has; this check speaks of policies that bind another role only, and on a
    target, where a session that once had the setting keeps it as an empty one.

    Affected:
        Policies that were made lenient for migrations, jobs or tests that enter no tenant.

    Fires:
        CREATE POLICY late ON invoice TO clerk USING (current_setting('app.tenant', true) IS NULL OR tenant = current_setting('app.tenant', true))
        CREATE POLICY late ON invoice TO clerk USING (tenant = COALESCE(current_setting('app.tenant', true), tenant))

    Silent:
        CREATE POLICY late ON invoice TO clerk USING (tenant = current_setting('app.tenant'))
        CREATE POLICY late ON invoice TO staff USING (current_setting('app.tenant', true) IS NULL)
        CREATE POLICY late ON invoice TO clerk USING (current_setting('app.tenant', true) IS NOT NULL AND tenant = 'x')

    Fix:
        Compare with the setting alone: NULL equals nothing.

    Source:
        https://www.postgresql.org/docs/current/functions-admin.html
    """  # noqa: E501 - an example is one line
    bare = acting_roles(scene, "none") | {"public"}
    fresh = scene.place == "copy"
    for table, column in guarded(scene):
        for policy in applying(scene, table, "A", "B"):
            unlocked = bool(bare & set(policy.roles))
            if (unlocked and fresh) or not policy.permissive:
                continue
            if _opens(policy, column.name):
                yield Hit(
                    f"{table.qualified}, policy {policy.name}",
                    "the policy holds for every row once the context's setting is missing",
                    f"ALTER POLICY {policy.name} ON {table.qualified} USING (a comparison that "
                    "fails when the setting is missing)",
                    effect="read" if unlocked and policy.command in {"ALL", "SELECT"} else None,
                )


def _opens(policy: Policy, column: str) -> bool:
    return any(
        _null_passes(node) or _falls_back(node, column)
        for text in texts(policy)
        for node in nodes(parsed(text))
    )


def _reads_setting(node: Tree) -> bool:
    return any(called(below) == "current_setting" for below in nodes(node))


def _null_passes(node: Tree) -> bool:
    """``current_setting(…) IS NULL`` as one arm of an OR."""
    if not isinstance(node, BOOLEAN) or node.boolop != BoolExprType.OR_EXPR:
        return False
    return any(
        isinstance(arm, NULL_TEST)
        and arm.nulltesttype == NullTestType.IS_NULL
        and _reads_setting(arm.arg)
        for arm in node.args
    )


def _falls_back(node: Tree, column: str) -> bool:
    """``COALESCE(current_setting(…), the column itself)``."""
    return (
        isinstance(node, COALESCE)
        and _reads_setting(node.args[0])
        and any(names_column(arm, column) for arm in node.args[1:])
    )
