"""Repairs on a real server: right for odd names and claims, and no tenant loses what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from partywall.errors import TargetError
from partywall.survey.configuration import Configuration, PublicRows, TenantSettings
from partywall.survey.mending.migration import Mend
from partywall.survey.mending.trial import apply, mended, propose
from tests.survey.surveys import WALLED

if TYPE_CHECKING:
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
SETTING = "SELECT set_config('app.org', '{id}', true)"
CLAIMS = (
    "SELECT set_config('request.jwt.claims', "
    '\'{{"user_metadata": {{"org": {id}}}, "workspace": {{"org": {id}}}}}\', true)'
)
ODD = """
CREATE ROLE "Web App" LOGIN;
CREATE TABLE "Order Lines" ("Org Id" int NOT NULL, id uuid PRIMARY KEY, "select" text NOT NULL);
CREATE TABLE parts (id uuid PRIMARY KEY, line uuid NOT NULL REFERENCES "Order Lines", name text);
CREATE TABLE posts (org int NOT NULL, id uuid PRIMARY KEY, body text, published boolean NOT NULL);
CREATE TABLE known (org int NOT NULL, id uuid PRIMARY KEY, body text);
ALTER TABLE known ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON known USING (org = current_setting('app.org', true)::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON "Order Lines", parts, posts, known TO "Web App";
"""
MEMBERS = """
CREATE TABLE members (org int NOT NULL, person int NOT NULL, nick text, PRIMARY KEY (org, person));
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members USING (person = (SELECT current_setting('app.person', true)::int));
GRANT SELECT, UPDATE ON members TO app;
ALTER POLICY own ON notes USING (org IN (
  SELECT org FROM members WHERE person = (SELECT current_setting('app.person', true)::int)));
"""


def configuration(
    database: Database,
    enter: str = SETTING,
    login: str = "app",
    **declared: Any,  # noqa: ANN401 - further fields of Configuration
) -> Configuration:
    tenants = tuple(
        TenantSettings(name, key, database.url(login), (enter.format(id=key),))
        for name, key in (("acme", "1"), ("globex", "2"))
    )
    return Configuration(database.url(), "query", tenants, **declared)


def test_tables_without_a_wall_whatever_they_are_called(database: Database) -> None:
    database.execute(ODD)
    asked = configuration(
        database,
        login="Web App",
        public=(PublicRows("public.posts", "published"),),
        tables={'public."Order Lines"': "Org Id"},
    )

    proposal = propose(asked)
    applied = mended(asked, proposal)

    assert {f.at for f in applied.gone} >= {'public."Order Lines"', "public.posts"}
    assert [f.at for f in applied.after.report.findings if f.layer == "sql"] == []
    assert applied.lost == ()
    ways = {(one.at, one.way) for one in applied.after.access}
    assert {('public."Order Lines"', "delete"), ("public.parts", "insert")} <= ways
    script = "; ".join(proposal.migration.statements)
    assert 'FOR SELECT TO "Web App" USING ((org = (SELECT NULLIF(current_setting' in script
    assert "OR (published))" in script
    assert (
        'EXISTS (SELECT FROM public."Order Lines" AS above WHERE above.id = parts.line)' in script
    )


def test_claims_that_the_user_writes_are_no_wall(database: Database) -> None:
    policy = (
        "((current_setting('request.jwt.claims', true)::json -> 'user_metadata' ->> 'org')::int)"
    )
    database.execute(WALLED)
    database.execute(f"ALTER POLICY own ON notes USING (org = {policy}) WITH CHECK (true)")

    proposal = propose(configuration(database, CLAIMS), only=frozenset({"insert-as-other"}))

    [statement] = proposal.migration.statements
    assert "#>> '{workspace,org}')::integer" in statement
    assert "user_metadata" not in statement
    assert proposal.remaining == ()
    assert proposal.lost == ()


def test_what_would_keep_a_tenant_from_its_own_is_left_out(database: Database) -> None:
    database.execute(WALLED + MEMBERS)
    enter = "SELECT set_config('app.org', '{id}', true), set_config('app.person', '7{id}', true)"

    proposal = propose(configuration(database, enter), only=frozenset({"join-tenant"}))

    assert proposal.migration.mends == ()
    [refusal] = proposal.migration.refusals
    assert refusal.mend.statement == 'REVOKE UPDATE ON public.members FROM "app"'
    assert refusal.because == "A could then no longer update its own at public.members"
    assert {finding.name for finding in proposal.remaining} == {"join-tenant"}


def test_a_tenant_s_role_keeps_what_the_login_inherits_of_it(database: Database) -> None:
    database.execute("CREATE ROLE app LOGIN")
    for number in (1, 2):
        database.execute(
            f"CREATE ROLE tenant_{number}; GRANT tenant_{number} TO app; CREATE SCHEMA t{number};"
            f"CREATE TABLE t{number}.notes (id uuid PRIMARY KEY, body text);"
            f"GRANT USAGE ON SCHEMA t{number} TO tenant_{number};"
            f"GRANT SELECT ON t{number}.notes TO tenant_{number}"
        )
    tenants = tuple(
        TenantSettings(
            f"t{number}",
            f"t{number}",
            database.url("app"),
            (f"SET LOCAL ROLE tenant_{number}", f"SET LOCAL search_path = t{number}"),
        )
        for number in (1, 2)
    )
    asked = Configuration(database.url(), "query", tenants)

    proposal = propose(asked, only=frozenset({"read-rows"}))
    assert {f.attacker for f in proposal.before.report.findings} == {"anonymous"}
    assert proposal.migration.statements == ('ALTER ROLE "app" NOINHERIT',)

    applied = mended(asked, proposal)
    assert {f.name for f in applied.gone} == {"read-rows"}
    assert "read-rows" not in {f.name for f in applied.after.report.findings}
    assert applied.lost == ()


def test_it_is_applied_as_a_whole_or_not_at_all(database: Database) -> None:
    database.execute(WALLED)
    mends = [Mend("ALTER TABLE notes ADD UNIQUE (org, body)", ()), Mend("REVOKE nobody", ())]

    with pytest.raises(TargetError, match="nothing was changed: the server refused REVOKE nobody"):
        apply(configuration(database), mends)

    assert database.rows("SELECT FROM pg_constraint WHERE conname = 'notes_org_body_key'") == []
