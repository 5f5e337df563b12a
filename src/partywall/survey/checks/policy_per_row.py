"""PW121: a policy asks for the context once a row instead of once a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast

from partywall.survey.check import Hit, check
from partywall.survey.policies import COLUMN, applying, called, guarded, nodes, texts
from partywall.survey.policies import tree as parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene
    from partywall.survey.policies import Tree


@check("PW121", hygiene=True)
def policy_per_row(scene: Scene) -> Iterator[Hit]:
    """Find policies that call current_setting() or a context helper outside of a sub-select.

    `(SELECT current_setting(…))` becomes an init plan: evaluated once, and its value can lead an
    index scan. Bare, the call runs for every row that a sequential scan meets.

    Affected:
        Large tables behind row security.

    Fires:
        DROP POLICY own ON invoice; CREATE POLICY own ON invoice USING (tenant = current_setting('app.tenant', true))

    Silent:
        DROP POLICY own ON invoice; CREATE POLICY own ON invoice USING (tenant = (SELECT current_setting('app.tenant', true)))
        DROP POLICY own ON invoice; CREATE POLICY own ON invoice USING (tenant = CURRENT_USER)

    Fix:
        Put the call into a sub-select: the planner then asks once.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
        https://supabase.com/docs/guides/database/postgres/row-level-security#call-functions-with-select
    """  # noqa: E501 - an example is one line
    for table, _ in guarded(scene):
        slow = sorted(
            {
                policy.name
                for policy in applying(scene, table, "A")
                for text in texts(policy)
                if any(_bare_call(node) for node in _outside(parsed(text)))
            }
        )
        if slow:
            yield Hit(
                table.qualified,
                f"policies {', '.join(slow)} ask for the context once a row",
                "put the call into a sub-select: USING (tenant = (SELECT current_setting(…)))",
            )


def _outside(root: Tree) -> Iterator[Tree]:
    """Nodes of *root* that stand in no sub-select."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.SubLink):
            continue
        if isinstance(node, ast.Node):
            yield node
            stack.extend(getattr(node, name) for name in node)
        elif isinstance(node, tuple):
            stack.extend(node)


def _bare_call(node: Tree) -> bool:
    """Whether *node* calls a function of no column: what it yields is the same for every row."""
    if not called(node):
        return False
    return not any(isinstance(below, COLUMN) for below in nodes(node.args))
