"""What planted rows hold: whose they are, who acts, what gives them away, what could not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from partywall.catalog.facts import Snapshot
from partywall.catalog.reader import snapshot
from partywall.model import Isolation, Ownership, TenancyModel
from partywall.survey.attack import Step
from partywall.survey.identity import Who
from partywall.survey.planting import plant
from partywall.survey.stage import Stage
from tests.conftest import Database
from tests.survey.planting.field import (
    FIRST,
    TENANTS,
    USERS,
    by_column,
    identities,
    planted,
)

BOTH: tuple[Who, ...] = ("A", "B")
MEMBERS = f"""{FIRST};
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE members (
    tenant_id uuid NOT NULL REFERENCES tenants, user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL, PRIMARY KEY (tenant_id, user_id));
CREATE TABLE docs (tenant_id uuid NOT NULL, id int PRIMARY KEY, body text NOT NULL);
"""
ACTING = "nullif(current_setting('app.user_id', true), '')::uuid"


def by_membership(facts: Snapshot) -> TenancyModel:
    return replace(
        by_column(facts),
        context_columns={("public.members", "user_id"): ACTING},
        policy_literals={("public.members", "role"): ("viewer", "owner")},
    )


def test_a_membership_is_the_acting_users_own(land: Database) -> None:
    with planted(land, MEMBERS, model=by_membership) as field:
        for who in BOTH:
            values = field.values("public.members", who)
            assert values["tenant_id"] == TENANTS[who]
            assert values["user_id"] == USERS[who]
            assert values["role"] == "owner"
            assert field.world.contexts["public.members", "user_id"][who] == USERS[who]
        held = field.admin("SELECT id::text FROM users ORDER BY 1").rows
        assert {USERS["A"], USERS["B"]} <= {row[0] for row in held}


def test_the_acting_user_is_found_without_any_policy(land: Database) -> None:
    ddl = f"{FIRST}; CREATE TABLE notes (tenant_id uuid, id int PRIMARY KEY, created_by uuid)"
    with planted(land, ddl) as field:
        assert field.values("public.notes", "B")["created_by"] == USERS["B"]


def test_the_claims_of_a_token_name_the_user(land: Database) -> None:
    claims: Mapping[Who, tuple[str, ...]] = {
        who: (f"""SET request.jwt.claims = '{{"sub": "{USERS[who]}", "org": "{TENANTS[who]}"}}'""",)
        for who in BOTH
    }
    people = identities("", enter=claims)
    ddl = f"{FIRST}; CREATE TABLE profiles (id uuid PRIMARY KEY, tenant_id uuid NOT NULL)"
    with planted(land, ddl, people=people) as field:
        assert field.values("public.profiles", "A")["id"] == USERS["A"]


def test_texts_carry_the_canary_and_numbers_give_a_row_away(land: Database) -> None:
    ddl = f"{FIRST}; CREATE TABLE t (tenant_id uuid, id bigserial PRIMARY KEY, body text, n int, ok boolean, j jsonb, at date)"  # noqa: E501
    with planted(land, ddl) as field:
        world = field.world
        for who in BOTH:
            values, tokens = world.planted["public.t", who].values, world.tokens[who]
            assert world.canaries[who] in (values["body"] or "")
            assert world.canaries[who] in (values["j"] or "")
            assert {values["body"], values["id"], values["n"]} <= tokens
            assert not {values["ok"], values["at"]} & tokens
        assert not world.tokens["A"] & world.tokens["B"]


def test_short_ids_and_what_the_other_knows_are_no_tokens(land: Database) -> None:
    tenants: Mapping[Who, str] = {"A": "1", "B": "2"}
    ddl = "CREATE TABLE t (tenant_id int NOT NULL, id uuid PRIMARY KEY, body text)"
    with planted(land, ddl, people=identities("", tenants)) as field:
        assert field.values("public.t", "A")["tenant_id"] == "1"
        assert not {"1", "2"} & (field.world.tokens["A"] | field.world.tokens["B"])
    spoken: Mapping[Who, tuple[str, ...]] = dict.fromkeys(
        BOTH, (f"SELECT set_config('app.all', '{TENANTS['B']}', true)",)
    )
    land.execute("DROP TABLE t")
    ddl = ddl.replace("int", "uuid")
    with planted(land, ddl, people=identities("", enter=spoken)) as field:
        assert field.values("public.t", "B")["tenant_id"] == TENANTS["B"]
        assert TENANTS["A"] in field.world.tokens["A"]
        assert TENANTS["B"] not in field.world.tokens["B"]


def test_rows_of_the_target_are_used_and_never_shown(land: Database) -> None:
    ddl = f"{MEMBERS} INSERT INTO tenants SELECT '{TENANTS['A']}', 'Acme Incorporated, real';"
    ddl += f"INSERT INTO users VALUES ('{USERS['A']}', 'real@acme.example');"
    ddl += f"INSERT INTO members VALUES ('{TENANTS['A']}', '{USERS['A']}', 'owner')"
    with planted(land, ddl, model=by_membership) as field:
        for table in ("public.tenants", "public.members"):
            assert field.world.planted[table, "A"].real
            assert not field.world.planted[table, "B"].real
        row = field.world.planted["public.tenants", "A"]
        assert row.values["name"] == "Acme Incorporated, real"
        assert field.takes_spare("public.members", "A").ok


def test_rows_named_by_the_caller_are_used(land: Database) -> None:
    ddl = "CREATE TABLE t (tenant_id uuid, id int PRIMARY KEY, body text); INSERT INTO t VALUES (NULL, 7, 'real')"  # noqa: E501
    with planted(land, ddl, existing={("public.t", "A"): {"id": "7"}}) as field:
        row = field.world.planted["public.t", "A"]
        assert row.real
        assert row.values["body"] == "real"


def test_a_declared_id_that_does_not_fit_gives_way_to_the_registrys_key(land: Database) -> None:
    tenants: Mapping[Who, str] = {"A": "acme", "B": "globex"}
    ddl = """CREATE TABLE tenants (id bigserial PRIMARY KEY, slug text UNIQUE);
    CREATE TABLE t (tenant_id bigint NOT NULL REFERENCES tenants, id int PRIMARY KEY);
    CREATE TABLE loose (tenant_id bigint NOT NULL, id int PRIMARY KEY)"""
    with planted(land, ddl, people=identities("", tenants)) as field:
        for who in BOTH:
            key = field.values("public.tenants", who)["id"]
            assert field.values("public.t", who)["tenant_id"] == key
            assert field.values("public.loose", who)["tenant_id"] == key


def test_the_context_speaks_where_the_declared_id_fails(land: Database) -> None:
    ddl = "CREATE TABLE t (tenant_id int NOT NULL, id int PRIMARY KEY)"
    people = {
        who: replace(identity, tenant=f"tenant {who}", enter=(f"SET app.number = '{number}'",))
        for (who, identity), number in zip(identities("").items(), (41, 42), strict=True)
    }

    def model(facts: Snapshot) -> TenancyModel:
        asked = {("public.t", "tenant_id"): "current_setting('app.number')::int"}
        return replace(by_column(facts), context_columns=asked)

    with planted(land, ddl, model=model, people=people) as field:
        assert [field.values("public.t", who)["tenant_id"] for who in BOTH] == ["41", "42"]


def test_children_point_at_their_own_tenants_rows(land: Database) -> None:
    ddl = f"""{FIRST}; CREATE TABLE p (tenant_id uuid NOT NULL REFERENCES tenants, id int, PRIMARY KEY (tenant_id, id));
    CREATE TABLE t (tenant_id uuid NOT NULL, id int PRIMARY KEY, p int, FOREIGN KEY (tenant_id, p) REFERENCES p);
    CREATE TABLE lines (id int PRIMARY KEY, t_id int NOT NULL)"""  # noqa: E501

    def model(facts: Snapshot) -> TenancyModel:
        found = by_column(facts)
        return replace(found, owned={**found.owned, "public.lines": Ownership("parent")})

    with planted(land, ddl, model=model) as field:
        for who in BOTH:
            for spare in (False, True):
                row = field.values("public.t", who, spare=spare)
                assert row["p"] == field.values("public.p", who)["id"]
            parent = field.values("public.t", who)["id"]
            assert field.values("public.lines", who)["t_id"] == parent  # by its name alone


def test_rows_are_noted_under_the_partitions_they_went_to(land: Database) -> None:
    ddl = f"""CREATE TABLE t (tenant_id uuid NOT NULL, id int) PARTITION BY LIST (tenant_id);
    CREATE TABLE t_a PARTITION OF t FOR VALUES IN ('{TENANTS["A"]}');
    CREATE TABLE t_rest PARTITION OF t DEFAULT PARTITION BY RANGE (id);
    CREATE TABLE t_rest_1 PARTITION OF t_rest FOR VALUES FROM (1) TO (5)"""
    with planted(land, ddl) as field:
        places = set(field.world.planted)
        assert places == {
            ("public.t", "A"), ("public.t_a", "A"),
            ("public.t", "B"), ("public.t_rest", "B"), ("public.t_rest_1", "B"),
        }  # fmt: skip
        assert field.world.planted["public.t_a", "A"].table == "public.t_a"
        assert field.admin("SELECT count(*) FROM t_rest_1").scalar == "1"


def test_in_a_schema_per_tenant_each_gets_a_row_of_its_own_alone(land: Database) -> None:
    ddl = """CREATE SCHEMA one; CREATE SCHEMA two; CREATE SCHEMA three;
    CREATE TABLE one.t (id int PRIMARY KEY, body text); CREATE TABLE two.t (id int PRIMARY KEY, body text);
    CREATE TABLE three.t (id int PRIMARY KEY, body text)"""  # noqa: E501
    people = identities(
        "",
        {"A": "one", "B": "two"},
        {"A": ("SET search_path = one",), "B": ("SET search_path = two",)},
    )

    def model(facts: Snapshot) -> TenancyModel:
        owned = {t.qualified: Ownership("schema") for t in facts.tables}
        return TenancyModel(Isolation.SCHEMA, owned, {}, schemas={"one": "one", "two": "two"})

    try:
        with planted(land, ddl, model=model, people=people) as field:
            assert set(field.world.planted) == {("one.t", "A"), ("two.t", "B")}
            assert set(field.world.spare) == set(field.world.planted)
    finally:
        land.execute("DROP SCHEMA one, two, three CASCADE")


IMPOSSIBLE = {
    "check": ("CREATE TABLE t (tenant_id uuid, id int PRIMARY KEY, CONSTRAINT never CHECK (id <> id))", "never"),  # noqa: E501
    "foreign": ("CREATE TABLE p (id int PRIMARY KEY, CONSTRAINT never CHECK (id <> id)); CREATE TABLE t (tenant_id uuid, p int NOT NULL REFERENCES p)", "public.p"),  # noqa: E501
    "tenant": ("CREATE TABLE t (tenant_id uuid NOT NULL UNIQUE, CONSTRAINT few CHECK (tenant_id < '00000000-0000-4000-8000-000000000000'))", "few"),  # noqa: E501
    "partition": ("CREATE TABLE t (tenant_id uuid, id int) PARTITION BY LIST (id)", "no partition"),
    "trigger": ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'closed for good'; END $$; CREATE TABLE t (tenant_id uuid, id int PRIMARY KEY); CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ALWAYS TRIGGER n", "closed for good"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_table_without_a_row_says_what_stood_in_the_way(land: Database, kind: str) -> None:
    ddl, word = IMPOSSIBLE[kind]
    with planted(land, f"{FIRST}; {ddl}") as field:
        assert set(field.world.unplanted) == {"public.t"}
        assert word in field.world.unplanted["public.t"]
        assert ("public.tenants", "B") in field.world.planted


def test_planting_locks_no_table_against_writers(land: Database) -> None:
    with planted(land, MEMBERS, model=by_membership) as field:
        strong = field.admin(
            "SELECT mode, relation::regclass FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
            "WHERE pid = pg_backend_pid() AND locktype = 'relation' AND c.relkind IN ('r', 'p') "
            "AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')"
        )
        assert strong.ok
        assert not strong.rows
        assert field.stage.connection.info.transaction_status.name == "INTRANS"


def test_sequences_are_not_used_up(land: Database) -> None:
    ddl = "CREATE TABLE t (tenant_id uuid, id bigserial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY)"  # noqa: E501
    with planted(land, ddl) as field:
        for sequence in ("t_id_seq", "t_n_seq"):
            assert field.admin(f"SELECT is_called FROM {sequence}").scalar == "f"
        assert field.world.planted["public.t", "A"].overriding


def test_a_tenant_that_must_exist_before_it_can_be_entered(land: Database) -> None:
    ddl = f"""{FIRST}; CREATE TABLE t (tenant_id uuid NOT NULL, id int PRIMARY KEY);
    CREATE FUNCTION enter(t uuid) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        IF NOT EXISTS (SELECT FROM public.tenants WHERE id = t) THEN RAISE 'unknown tenant'; END IF;
        RETURN set_config('app.tenant_id', t::text, true); END $$"""
    enter: Mapping[Who, tuple[str, ...]] = {
        who: (f"SELECT public.enter('{tenant}')",) for who, tenant in TENANTS.items()
    }

    def model(facts: Snapshot) -> TenancyModel:
        asked = {("public.t", "tenant_id"): "current_setting('app.tenant_id')::uuid"}
        return replace(by_column(facts), context_columns=asked)

    with planted(land, ddl, model=model, people=identities("", enter=enter)) as field:
        assert field.world.contexts["public.t", "tenant_id"] == TENANTS
        assert field.stage.run(Step("B", "SELECT current_setting('app.tenant_id')")).ok


def test_in_a_database_of_its_own_only_that_tenant_is_planted(land: Database) -> None:
    land.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    connection = land.connection
    facts = snapshot(connection, acting=["app_user"])
    model = TenancyModel(Isolation.DATABASE, {"public.t": Ownership("database")}, {})
    people = identities(land.name)
    stage = Stage(connection, people, {})
    connection.execute("BEGIN")
    world = plant(stage, facts, model, people, tenants=("B",), canaries={"B": "pwbchosen1"})
    connection.execute("ROLLBACK")
    assert set(world.planted) == set(world.spare) == {("public.t", "B")}
    assert "pwbchosen1" in (world.planted["public.t", "B"].values["body"] or "")
