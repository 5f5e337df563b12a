"""Schemas or databases of tenants that are not built as most are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

LINES = r"""
WITH spaces AS (
  SELECT oid, nspname, nspowner, quote_ident(nspname) || '.' AS prefix
  FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
), relations AS (
  SELECT c.*, s.prefix, s.nspname, s.nspowner
  FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
), lines AS (
  SELECT nspname, true AS wall, format('table %%s: row security %%s%%s, kind %%s', relname,
         relrowsecurity, CASE WHEN relforcerowsecurity THEN ' forced' ELSE '' END, relkind) AS line
  FROM relations WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  SELECT nspname, true, format('grant on %%s: %%s to %%s', relname, a.privilege_type,
         CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN r.relowner THEN 'its owner'
         ELSE replace(pg_get_userbyid(a.grantee), nspname, '{tenant}') END)
  FROM relations r, aclexplode(coalesce(relacl, acldefault(
         CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.grantee <> r.relowner
  UNION ALL
  SELECT s.nspname, true, format('grant on the schema: %%s to %%s', a.privilege_type,
         CASE a.grantee WHEN 0 THEN 'PUBLIC'
         ELSE replace(pg_get_userbyid(a.grantee), s.nspname, '{tenant}') END)
  FROM spaces s JOIN pg_namespace n ON n.oid = s.oid,
       aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE a.grantee <> n.nspowner
  UNION ALL
  SELECT nspname, true, format('policy %%s on %%s for %%s: %%s%%s', polname, relname, polcmd,
         replace(coalesce('using ' || pg_get_expr(polqual, polrelid), ''), prefix, ''),
         replace(coalesce(' check ' || pg_get_expr(polwithcheck, polrelid), ''), prefix, ''))
  FROM pg_policy JOIN relations r ON r.oid = polrelid
  UNION ALL
  SELECT nspname, true,
         format('view %%s: %%s', relname, md5(replace(pg_get_viewdef(oid), prefix, '')))
  FROM relations WHERE relkind IN ('v', 'm')
  UNION ALL
  SELECT nspname, true, format('trigger %%s on %%s: %%s', tgname, relname,
         replace(pg_get_triggerdef(t.oid), prefix, ''))
  FROM pg_trigger t JOIN relations r ON r.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL
  SELECT s.nspname, true, format('function %%s(%%s): %%s%%s', proname,
         replace(pg_get_function_identity_arguments(p.oid), prefix, ''),
         CASE WHEN prosecdef THEN 'security definer, ' ELSE '' END,
         md5(replace(coalesce(prosrc, ''), s.nspname, '{tenant}')
             || replace(coalesce(proconfig::text, ''), s.nspname, '{tenant}')))
  FROM pg_proc p JOIN spaces s ON s.oid = pronamespace
  UNION ALL
  SELECT nspname, true, format('constraint %%s on %%s: %%s', conname, relname,
         replace(pg_get_constraintdef(k.oid), prefix, ''))
  FROM pg_constraint k JOIN relations r ON r.oid = conrelid WHERE contype IN ('f', 'c', 'x')
  UNION ALL
  SELECT nspname, false, format('column %%s.%%s: %%s%%s', relname, attname,
         replace(format_type(atttypid, atttypmod), prefix, ''),
         CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END)
  FROM pg_attribute JOIN relations r ON r.oid = attrelid
  WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT nspname, false, replace(pg_get_indexdef(i.indexrelid), prefix, '')
  FROM pg_index i JOIN relations r ON r.oid = i.indrelid
)
"""
SUMS = (
    LINES
    + """
SELECT nspname::text, coalesce(md5(string_agg(line, E'\\n' ORDER BY line) FILTER (WHERE wall)), ''),
       coalesce(md5(string_agg(line, E'\\n' ORDER BY line) FILTER (WHERE NOT wall)), '')
FROM lines GROUP BY nspname
"""
)
TOLD = LINES + "SELECT nspname::text, wall, line FROM lines ORDER BY 1, 3"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """Tenants that are built alike, and not as the majority is.

    Attributes:
        tenants: their schemas.
        walls: whether what differs holds tenants apart: policies, grants, functions, triggers.
        diff: lines that begin with "- " (only the majority has it) or "+ " (only these).
    """

    tenants: tuple[str, ...]
    walls: bool
    diff: tuple[str, ...]


def drifts(admin: psycopg.Connection[Any], schemas: Sequence[str]) -> tuple[list[Drift], int]:
    """What differs from the majority, and how many are built as the majority is.

    One query tells all apart; a second one has the lines of one tenant of each kind.
    """
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for schema, walls, rest in admin.execute(SUMS.encode(), {"schemas": list(schemas)}):
        kinds[walls, rest].append(schema)
    empty = sorted(set(schemas) - {one for alike in kinds.values() for one in alike})
    if empty:
        kinds["", ""] += empty
    if not kinds:
        return [], 0
    ordered = sorted(kinds.values(), key=lambda alike: (-len(alike), alike))
    examples = [alike[0] for alike in ordered]
    told: dict[str, Counter[tuple[bool, str]]] = {name: Counter() for name in examples}
    if len(ordered) > 1:
        for schema, wall, line in admin.execute(TOLD.encode(), {"schemas": examples}):
            told[schema][wall, line] += 1
    most = told[examples[0]]
    found = []
    for alike in ordered[1:]:
        here = told[alike[0]]
        gone, new = most - here, here - most
        lines = [f"- {line}" for _, line in gone] + [f"+ {line}" for _, line in new]
        walls = any(wall for wall, _ in (*gone, *new))
        found.append(Drift(tuple(sorted(alike)), walls, tuple(lines)))
    return found, len(ordered[0])


def shown(drift: Drift) -> str:
    """The diff in lines, no more than can be read."""
    more = len(drift.diff) - MOST_SHOWN
    return "\n".join([*drift.diff[:MOST_SHOWN], *([f"… {more} more"] if more > 0 else [])])
