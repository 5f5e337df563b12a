"""PW104: two tenants that differ are the same to the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast.enums import A_Expr_Kind

from partywall.survey.check import Hit, check
from partywall.survey.policies import (
    CAST,
    applying,
    called,
    guarded,
    names_column,
    nodes,
    operator,
    texts,
)
from partywall.survey.policies import tree as parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Scene
    from partywall.survey.policies import Tree

CUTTING = {
    "left", "right", "substr", "substring", "split_part", "btrim", "ltrim", "rtrim", "trim",
    "lower", "upper", "initcap", "translate", "replace", "regexp_replace", "unaccent", "hashtext",
    "hashint4", "hashint8", "mod", "abs", "round", "floor", "ceil", "trunc", "soundex",
}  # fmt: skip
MATCHING = {"~~", "~~*", "~", "~*", "^@"}
SEARCHING = {"starts_with", "position", "strpos", "like", "regexp_like"}
PATTERNS = {A_Expr_Kind.AEXPR_LIKE, A_Expr_Kind.AEXPR_ILIKE, A_Expr_Kind.AEXPR_SIMILAR}
ROUNDED = {"float4", "float8"}
WHOLE = {"int8", "numeric", "text", "varchar"}


@check("PW104")
def loose_equality(scene: Scene) -> Iterator[Hit]:
    """Find tenant columns and policies whose comparison is wider than identity.

    A case-insensitive collation or citext, lower(), a cast that cuts or rounds, a prefix or a
    pattern: another customer whose id collides signs up, and shares every row. Silent where the
    column points at a unique key of the same looseness: then no two such tenants can exist.

    Affected:
        Tenants that are told apart by names, paths or numbers somebody chooses, and not by random
        ids.

    Fires:
        CREATE POLICY wide ON invoice TO app USING (lower(tenant) = lower(current_setting('app.tenant', true)))
        CREATE POLICY wide ON invoice TO app USING (tenant::varchar(3) = current_setting('app.tenant', true)::varchar(3))
        CREATE POLICY wide ON invoice TO app USING (tenant LIKE current_setting('app.tenant', true) || '%')
        CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); DROP POLICY own ON invoice; ALTER TABLE invoice ALTER tenant TYPE text COLLATE loose; CREATE POLICY own ON invoice USING (tenant = (SELECT current_setting('app.tenant', true)))

    Silent:
        CREATE POLICY same ON invoice TO app USING (tenant = current_setting('app.tenant', true))
        CREATE POLICY wide ON invoice TO staff USING (lower(tenant) = 'x')
        CREATE POLICY note ON invoice TO app USING (tenant = current_setting('app.tenant', true) AND lower(note) = 'x')

    Fix:
        Use a type and a collation for which equal means identical, and compare by = without a
        function around the column.

    Source:
        https://www.postgresql.org/docs/current/collation.html#COLLATION-NONDETERMINISTIC
        https://www.postgresql.org/docs/current/citext.html
    """  # noqa: E501 - an example is one line
    for table, column in guarded(scene):
        why = _loose_type(column)
        if why and not _unique_at_source(scene, table, column):
            yield Hit(
                f"{table.qualified}.{column.quoted}",
                f"{why}: a tenant whose id differs in nothing else shares its rows",
                f"ALTER TABLE {table.qualified} ALTER {column.quoted} TYPE a type, or a "
                "collation, for which equal means identical",
            )
        for policy in applying(scene, table, "A"):
            found = next((w for text in texts(policy) if (w := _loose(text, column))), "")
            if found and policy.permissive:
                yield Hit(
                    f"{table.qualified}, policy {policy.name}",
                    f"the policy compares {column.quoted} by {found}: tenants whose ids collide "
                    "in that share their rows",
                    f"ALTER POLICY {policy.name} ON {table.qualified} USING ({column.quoted} = "
                    "the context, of the column's own type)",
                )


def _loose_type(column: Column) -> str:
    if column.base == "citext":
        return f"{column.quoted} is citext"
    if not column.deterministic:
        return f"the collation of {column.quoted} is nondeterministic"
    return ""


def _unique_at_source(scene: Scene, table: Relation, column: Column) -> bool:
    """Whether every value stands, under the same looseness, in a unique key."""
    for key in table.foreign_keys:
        parent = scene.snapshot.relations.get(key.target or 0)
        if parent is None or column.name not in key.columns or len(key.columns) > 1:
            continue
        target = parent.by_name.get(key.target_columns[0])
        if target is not None and _loose_type(target):
            return True
    return any(
        index.unique and index.columns == (column.name,) and index.predicate is None
        for index in table.indexes
    )


def _loose(text: str, column: Column) -> str:
    """What in the expression is wider than equality of *column*; "" when nothing is."""
    for node in nodes(parsed(text)):
        applied, name = operator(node), called(node)
        if applied:
            matches = applied in MATCHING or node.kind in PATTERNS
            if matches and any(_within(s, column.name) for s in (node.lexpr, node.rexpr)):
                return "a pattern or prefix"
        elif name in CUTTING | SEARCHING:
            if any(_within(argument, column.name) for argument in node.args or ()):
                return f"{name}()"
        elif isinstance(node, CAST) and names_column(node.arg, column.name):
            kind = node.typeName.names[-1].sval
            cuts = kind in {"varchar", "bpchar"} and node.typeName.typmods
            if cuts or (kind in ROUNDED and column.base in WHOLE):
                return f"a cast to {kind}"
    return ""


def _within(node: Tree, column: str) -> bool:
    """Whether *node* is the column, or joins it with other text."""
    if operator(node) == "||":
        return _within(node.lexpr, column) or _within(node.rexpr, column)
    return names_column(node, column)
