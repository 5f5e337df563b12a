"""What stands in a migration, and in which order."""

from __future__ import annotations

import pytest

from partywall.survey.mending.migration import Mend, Refusal, migration
from partywall.survey.verdict import Finding


def found(at: str, *repair: str) -> Finding:
    return Finding(
        "PW201", "read-rows", "sql", "read", at, "acme", "globex", (), "it came back",
        "say how", "https://example.test", repair,
    )  # fmt: skip


GRANT, POLICY = "GRANT SELECT ON a TO app", "CREATE POLICY wall ON a USING (true)"
KEY = "ALTER TABLE a ADD UNIQUE (org, id)"
FINDINGS = (found("a", POLICY), found("b", KEY, POLICY), found("c"), found("d", GRANT))


def test_each_statement_stands_once_rights_first_walls_last() -> None:
    plan = migration(FINDINGS)

    assert plan.statements == (GRANT, KEY, POLICY)
    assert [{f.at for f in mend.findings} for mend in plan.mends] == [{"d"}, {"b"}, {"a", "b"}]
    assert [finding.at for finding in plan.unmended] == ["c"]


def test_a_repair_with_a_refused_statement_is_left_out_whole() -> None:
    plan = migration(FINDINGS, [Refusal(Mend(KEY, ()), "it is there already")])

    assert plan.statements == (GRANT, POLICY)
    assert {f.at for mend in plan.mends for f in mend.findings} == {"a", "d"}
    assert [finding.at for finding in plan.unmended] == ["b", "c"]


def test_a_key_is_changed_once_nothing_refers_to_it() -> None:
    key = "ALTER TABLE a DROP CONSTRAINT a_pkey, ADD CONSTRAINT a_pkey PRIMARY KEY (org, id)"
    reference = "ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (org, a) REFERENCES a (org, id)"
    plan = migration((found("a.id", key), found("b.a", KEY, reference)))

    assert plan.statements == (KEY, reference, key)


def test_a_name_may_have_spaces_and_quotes() -> None:
    key = 'ALTER TABLE "a ""b c""".d ADD UNIQUE (org, id)'

    assert migration((found("a", POLICY), found("b", key))).statements == (key, POLICY)


@pytest.mark.parametrize(
    ("statement", "of_server"),
    [
        ('ALTER ROLE "app" NOSUPERUSER', True),
        ('REVOKE "boss" FROM "app"', True),
        ('REVOKE ADMIN OPTION FOR "boss" FROM "app"', True),
        ('REVOKE CONNECT ON DATABASE "globex" FROM PUBLIC', True),
        ('ALTER DATABASE "app" RESET "app"."tenant"', True),
        ("REVOKE TRUNCATE ON public.notes FROM PUBLIC", False),
        ('GRANT SELECT, INSERT ON public."a TO b" TO "app"', False),
        ("REVOKE CREATE ON SCHEMA public FROM PUBLIC", False),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE boss REVOKE ALL ON TABLES FROM app", False),
        ('REVOKE "a ON b" FROM "app"', True),
        ("CREATE POLICY partywall_wall ON public.notes USING (true)", False),
    ],
)
def test_what_is_about_the_whole_server_is_told_apart(statement: str, *, of_server: bool) -> None:
    assert Mend(statement, ()).of_server is of_server
