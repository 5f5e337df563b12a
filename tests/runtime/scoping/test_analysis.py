"""What is tied to a tenant and what is not: the text of a statement, and no database."""

from __future__ import annotations

import pytest

from partywall.isolation import ScopedQueries
from partywall.runtime.scoping.analysis import analyse

MODEL = ScopedQueries(
    shared=frozenset({"plan", "visit", "app.country"}),
    writable=frozenset({"visit"}),
    functions=frozenset({"app.slug"}),
)

TIED = [
    "SELECT 1",
    "VALUES (1, 2)",
    "SELECT * FROM plan",
    "SELECT * FROM app.country",
    "SELECT * FROM note WHERE tenant_id = $1",
    "SELECT * FROM Note WHERE TENANT_ID = $1",
    "SELECT * FROM note WHERE $1 = note.tenant_id AND (id = 2 OR body = 'x')",
    "SELECT * FROM app.note WHERE app.note.tenant_id = $1",
    "SELECT * FROM note AS n WHERE (n.id > 1 AND n.tenant_id = CAST($1 AS uuid)) -- and so on",
    "SELECT upper(body), app.slug(body), count(*) FROM note WHERE tenant_id = $1 GROUP BY 1, 2",
    "SELECT * FROM note n, line l WHERE n.tenant_id = $1 AND l.tenant_id = n.tenant_id",
    "SELECT * FROM note n JOIN line l ON l.tenant_id = n.tenant_id AND n.tenant_id = $1",
    "SELECT * FROM note n LEFT JOIN line l ON l.tenant_id = n.tenant_id WHERE n.tenant_id = $1",
    (
        "SELECT * FROM note n LEFT JOIN line l ON l.id = n.id AND l.tenant_id = $1 "
        "WHERE n.tenant_id = $1"
    ),
    "SELECT * FROM line l RIGHT JOIN note n ON l.tenant_id = n.tenant_id WHERE n.tenant_id = $1",
    (
        "SELECT * FROM note n FULL JOIN line l ON l.id = n.id "
        "WHERE n.tenant_id = $1 AND l.tenant_id = $1"
    ),
    (
        "SELECT * FROM plan p LEFT JOIN (note n JOIN line l ON n.tenant_id = l.tenant_id) "
        "ON n.tenant_id = $1"
    ),
    "SELECT * FROM plan LEFT JOIN note ON note.id = plan.id AND note.tenant_id = $1",
    (
        "SELECT * FROM note n WHERE tenant_id = $1 AND EXISTS "
        "(SELECT 1 FROM line l WHERE l.tenant_id = n.tenant_id)"
    ),
    (
        "SELECT (SELECT count(*) FROM line WHERE line.tenant_id = note.tenant_id) FROM note "
        "WHERE note.tenant_id = $1"
    ),
    (
        "SELECT * FROM note n, LATERAL (SELECT * FROM line l WHERE l.tenant_id = n.tenant_id) x "
        "WHERE n.tenant_id = $1"
    ),
    (
        "SELECT * FROM (SELECT tenant_id AS t FROM note WHERE tenant_id = $1) d "
        "JOIN line l ON l.tenant_id = d.t"
    ),
    (
        "WITH n AS (SELECT * FROM note WHERE tenant_id = $1) "
        "SELECT * FROM n JOIN line l ON l.tenant_id = n.tenant_id"
    ),
    (
        "WITH n(a, b) AS (SELECT id, tenant_id FROM note WHERE tenant_id = $1) "
        "SELECT * FROM n JOIN line l ON l.tenant_id = n.b"
    ),
    (
        "WITH RECURSIVE t AS (SELECT id FROM note WHERE tenant_id = $1 UNION ALL "
        "SELECT n.id FROM note n JOIN t ON n.id = t.id + 1 WHERE n.tenant_id = $1) SELECT * FROM t"
    ),
    "SELECT id FROM note WHERE tenant_id = $1 UNION SELECT id FROM line WHERE tenant_id = $1",
    (
        "SELECT * FROM (SELECT tenant_id FROM note WHERE tenant_id = $1 UNION ALL "
        "SELECT tenant_id FROM line WHERE tenant_id = $1) u "
        "JOIN line l ON l.tenant_id = u.tenant_id"
    ),
    "SELECT * FROM note WHERE tenant_id = $1 FOR UPDATE",
    "SELECT * FROM generate_series(1, 3) AS g JOIN note n ON n.id = g AND n.tenant_id = $1",
    "INSERT INTO note (id, tenant_id) VALUES (1, $1), (2, $1)",
    "INSERT INTO note (tenant_id, id) SELECT tenant_id, id FROM line WHERE tenant_id = $1",
    (
        "INSERT INTO note (tenant_id, id) SELECT p0::UUID, p1 FROM (VALUES ($1, 1), ($1, 2)) "
        "AS s (p0, p1) RETURNING note.id"
    ),
    "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT DO NOTHING",
    (
        "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT (tenant_id, id) "
        "DO UPDATE SET body = excluded.body, tenant_id = excluded.tenant_id"
    ),
    (
        "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET body = 'x' "
        "WHERE note.tenant_id = $1"
    ),
    "INSERT INTO visit (at) VALUES (now())",
    "UPDATE visit SET at = now()",
    "UPDATE note SET body = 'x', tenant_id = $1 WHERE note.tenant_id = $1",
    (
        "UPDATE note SET body = l.id FROM line l "
        "WHERE l.tenant_id = note.tenant_id AND note.tenant_id = $1"
    ),
    "DELETE FROM note USING line l WHERE l.tenant_id = note.tenant_id AND l.tenant_id = $1",
    "DELETE FROM note WHERE tenant_id = $1 RETURNING *",
    (
        "WITH gone AS (DELETE FROM note WHERE tenant_id = $1 RETURNING id, tenant_id) "
        "INSERT INTO line (id, tenant_id) SELECT id, tenant_id FROM gone"
    ),
]

UNTIED = [
    # nothing ties it
    "SELECT * FROM note",
    "SELECT * FROM unknown",
    "SELECT * FROM note WHERE id = $1",
    "SELECT * FROM app.plan",
    "SELECT * FROM other.country",
    'SELECT * FROM "Plan"',
    # what looks like a tie
    "SELECT * FROM note WHERE tenant_id = $1 OR 1 = 1",
    "SELECT * FROM note WHERE NOT tenant_id = $1",
    "SELECT * FROM note WHERE (tenant_id = $1) IS NOT NULL",
    "SELECT * FROM note WHERE tenant_id = tenant_id",
    "SELECT * FROM note n, line l WHERE n.tenant_id = l.tenant_id",
    "SELECT * FROM note WHERE tenant_id IN ($1, $2)",
    "SELECT * FROM note WHERE tenant_id = ANY ($1)",
    "SELECT * FROM note WHERE tenant_id <= $1",
    "SELECT * FROM note WHERE tenant_id OPERATOR(app.=) $1",
    "SELECT * FROM note WHERE tenant_id == $1",
    "SELECT * FROM note WHERE tenant_id LIKE $1",
    'SELECT * FROM note WHERE tenant_id = $1 COLLATE "nocase"',
    "SELECT * FROM note WHERE tenant_id = $1::varchar(3)",
    "SELECT * FROM note WHERE tenant_id = coalesce($1, tenant_id)",
    "SELECT * FROM note WHERE tenant_id = (SELECT tenant_id FROM plan)",
    "SELECT * FROM note WHERE tenant_id IS NOT DISTINCT FROM $1",
    'SELECT * FROM note WHERE "Tenant_Id" = $1',
    "SELECT * FROM note WHERE CASE WHEN tenant_id = $1 THEN true ELSE true END",
    "SELECT count(*) FROM note GROUP BY tenant_id HAVING tenant_id = $1",
    "SELECT count(*) FILTER (WHERE tenant_id = $1) FROM note",
    "SELECT tenant_id = $1 FROM note",
    "SELECT * FROM plan WHERE EXISTS (SELECT 1 FROM note WHERE plan.tenant_id = $1)",
    # joins
    "SELECT * FROM note n LEFT JOIN line l ON l.tenant_id = $1 AND n.tenant_id = $1",
    "SELECT * FROM note n LEFT JOIN line l ON l.tenant_id = n.tenant_id AND l.tenant_id = $1",
    "SELECT * FROM note n LEFT JOIN line l ON l.id = n.id WHERE n.tenant_id = $1",
    "SELECT * FROM note n RIGHT JOIN line l ON n.tenant_id = $1 AND l.tenant_id = $1",
    "SELECT * FROM note n FULL JOIN line l ON n.tenant_id = $1 AND l.tenant_id = $1",
    "SELECT * FROM note NATURAL JOIN line WHERE note.tenant_id = $1",
    "SELECT * FROM note JOIN line USING (tenant_id) WHERE note.tenant_id = $1",
    "SELECT * FROM note n, line l WHERE tenant_id = $1",
    "SELECT * FROM note n JOIN plan p ON p.tenant_id = $1 AND n.tenant_id = p.tenant_id",
    "SELECT * FROM note n, note m WHERE n.tenant_id = $1",
    # names
    "SELECT * FROM note AS n, line AS n WHERE n.tenant_id = $1",
    'SELECT * FROM note AS n, line AS "N" WHERE n.tenant_id = $1 AND "N".tenant_id = $1',
    "SELECT * FROM note AS n (tenant_id, b) WHERE n.tenant_id = $1",
    "SELECT * FROM note AS n WHERE note.tenant_id = $1",
    "SELECT * FROM note WHERE id IN (SELECT id FROM line WHERE tenant_id = $1) AND tenant_id = $1",
    (
        "SELECT * FROM note WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM line note "
        "WHERE note.id = 1)"
    ),
    (
        "SELECT * FROM plan n WHERE EXISTS (SELECT 1 FROM line l JOIN note m ON l.tenant_id = "
        "n.tenant_id AND m.tenant_id = $1, note n WHERE n.tenant_id = $1)"
    ),
    (
        "WITH note AS (SELECT 1 + 1 AS tenant_id) SELECT * FROM line l JOIN note "
        "ON l.tenant_id = note.tenant_id"
    ),
    'WITH "Plan" AS (SELECT 1) SELECT * FROM plan',
    (
        "SELECT * FROM (SELECT 'x' || '' AS tenant_id, id FROM note WHERE tenant_id = $1) d "
        "JOIN line l ON l.tenant_id = d.tenant_id AND l.tenant_id = d.id"
    ),
    (
        "SELECT * FROM (SELECT n.*, p.* FROM note n, plan p WHERE n.tenant_id = $1) d "
        "JOIN line l ON l.tenant_id = d.tenant_id"
    ),
    (
        'SELECT * FROM (SELECT tenant_id, id AS "Tenant_id" FROM note WHERE tenant_id = $1) d '
        "JOIN line l ON l.tenant_id = d.tenant_id"
    ),
    (
        "SELECT * FROM (SELECT tenant_id FROM note WHERE tenant_id = $1 UNION SELECT 1 + 1) d "
        "JOIN line l ON l.tenant_id = d.tenant_id"
    ),
    (
        "SELECT * FROM note n, LATERAL "
        "(SELECT tenant_id FROM line l WHERE l.tenant_id = n.tenant_id) d "
        "WHERE n.tenant_id = d.tenant_id"
    ),
    (
        "WITH RECURSIVE t AS (SELECT tenant_id FROM note WHERE tenant_id = $1 UNION ALL "
        "SELECT 'x' FROM note n JOIN t ON n.tenant_id = t.tenant_id) SELECT * FROM t"
    ),
    # every level
    "SELECT * FROM note WHERE tenant_id = $1 UNION SELECT * FROM note",
    "SELECT (SELECT max(id) FROM line) FROM note WHERE tenant_id = $1",
    "SELECT * FROM note WHERE tenant_id = $1 ORDER BY (SELECT max(id) FROM line)",
    "SELECT * FROM note WHERE tenant_id = $1 LIMIT (SELECT count(*) FROM line)",
    "SELECT sum(1) OVER (ORDER BY (SELECT max(id) FROM line)) FROM note WHERE tenant_id = $1",
    "WITH unused AS (SELECT * FROM line) SELECT * FROM note WHERE tenant_id = $1",
    "WITH x AS (DELETE FROM line RETURNING *) SELECT 1",
    "VALUES ((SELECT max(id) FROM line))",
    "SELECT * FROM (VALUES ((SELECT max(id) FROM line))) v",
    "SELECT ARRAY (SELECT id FROM line)",
    # functions, catalogs, other statements
    "SELECT set_config('a.b', 'c', false)",
    "SELECT query_to_xml('SELECT * FROM note', true, false, '')",
    "SELECT public.upper('x')",
    "SELECT nextval('s')",
    "SELECT currval('s')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM dblink('', 'SELECT 1') AS t (a int)",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pragma_table_list WHERE tenant_id = $1",
    "SELECT 'note'::regclass",
    "SELECT xmlforest(1 AS a)",
    "SELECT * INTO copy FROM note WHERE tenant_id = $1",
    "SELECT * FROM note TABLESAMPLE SYSTEM (10) WHERE tenant_id = $1",
    "SELECT 1; SELECT 2",
    "SELECT * FROM note WHERE tenant_id = $1; DELETE FROM note",
    "",
    "TRUNCATE note",
    "COPY note TO STDOUT",
    "SET app.tenant_id = 'x'",
    "EXPLAIN SELECT 1",
    "DROP TABLE note",
    "CREATE TABLE x AS SELECT 1",
    "DO 'BEGIN END'",
    "CALL p()",
    "LISTEN x",
    "BEGIN",
    "PREPARE p AS SELECT * FROM note",
    "DECLARE c CURSOR FOR SELECT * FROM note",
    "MERGE INTO note n USING plan p ON n.tenant_id = $1 WHEN MATCHED THEN DELETE",
    "SELECT * FROM note INDEXED BY i WHERE tenant_id = $1",
    # writes
    "INSERT INTO note VALUES ($1, 1)",
    "INSERT INTO note DEFAULT VALUES",
    "INSERT INTO note (id) VALUES (1)",
    "INSERT INTO note (tenant_id, id) VALUES ($1, 1), (DEFAULT, 2)",
    'INSERT INTO note (tenant_id, "Tenant_ID") VALUES ($1, $2)',
    "INSERT INTO note (tenant_id, id) SELECT 'x' || id, id FROM line WHERE tenant_id = $1",
    "INSERT INTO note (tenant_id, id) SELECT tenant_id, id FROM line",
    "INSERT INTO note (tenant_id, id) SELECT * FROM line WHERE tenant_id = $1",
    "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET body = 'x'",
    (
        "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT ON CONSTRAINT k "
        "DO UPDATE SET body = 'x'"
    ),
    (
        "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT (tenant_id, id) "
        "DO UPDATE SET tenant_id = note.id"
    ),
    (
        "INSERT INTO note (tenant_id, id) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET body = 'x' "
        "WHERE excluded.tenant_id = $1"
    ),
    "INSERT INTO plan (id) VALUES (1)",
    "UPDATE plan SET id = 1",
    "DELETE FROM plan",
    "UPDATE note SET body = 'x'",
    "UPDATE note SET tenant_id = body WHERE tenant_id = $1",
    "UPDATE note SET (tenant_id, id) = (SELECT 'x', 1) WHERE tenant_id = $1",
    'UPDATE note SET "Tenant_Id" = body WHERE tenant_id = $1',
    "UPDATE note SET body = 'x' FROM line l WHERE l.tenant_id = $1",
    "DELETE FROM note WHERE CURRENT OF c",
    "UPDATE note SET body = (SELECT max(id) FROM line) WHERE tenant_id = $1",
    "DELETE FROM note WHERE tenant_id = $1 RETURNING (SELECT max(id) FROM line)",
]


@pytest.mark.parametrize("statement", TIED)
def test_a_tied_statement_asks_only_for_its_parameter(statement: str) -> None:
    found = analyse(statement, MODEL)
    assert not found.refusal
    assert found.parameters == ((1,) if "$1" in statement else ())
    assert not found.literals


@pytest.mark.parametrize("statement", UNTIED)
def test_an_untied_statement_is_refused(statement: str) -> None:
    assert analyse(statement, MODEL).refusal


def test_constants_that_tie_are_to_be_compared_as_well() -> None:
    assert analyse("SELECT * FROM note WHERE tenant_id = 'acme'", MODEL).literals == ("acme",)
    assert analyse("SELECT * FROM note WHERE tenant_id = 7", MODEL).literals == ("7",)
    assert analyse(f"SELECT * FROM note WHERE tenant_id = {10**15}", MODEL).literals


def test_every_value_that_a_tenant_column_equals_is_asked_for() -> None:
    both = "SELECT * FROM note WHERE tenant_id = $1 AND tenant_id = $2"
    assert analyse(both, MODEL).parameters == (1, 2)
    rows = "INSERT INTO note (id, tenant_id) VALUES ($1, $2), ($3, $4), ($5, 'x')"
    assert analyse(rows, MODEL).parameters == (2, 4)
    assert analyse(rows, MODEL).literals == ("x",)


def test_a_refusal_names_what_is_untied_and_the_condition_and_no_value() -> None:
    said = analyse("SELECT * FROM note n WHERE n.body = 'a secret'", MODEL).refusal
    assert "note AS n is not tied" in said
    assert "n.tenant_id = :tenant_id" in said
    assert "secret" not in said
