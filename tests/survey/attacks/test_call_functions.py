"""PW211 call-functions, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, PublicRows, TenantSettings
from tests.survey.attacks.lab import CONTEXT, PLACES, breaches, proved, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "call-functions"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
QUERY = "SELECT note FROM public.invoices WHERE tenant ="
DEFINER += " LANGUAGE {language} AS $$ {body} $$"


def function(head: str, body: str, *, language: str = "sql", kind: str = "FUNCTION") -> str:
    return f"CREATE {kind} public.{head} {DEFINER.format(language=language, body=body)}"


READING = {
    "tenant": ("f(p_tenant int) RETURNS SETOF public.invoices",
               "SELECT * FROM public.invoices WHERE tenant = p_tenant"),
    "key": ("f(p_id bigint) RETURNS text", "SELECT note FROM public.invoices WHERE id = p_id"),
    "positional": ("f(bigint) RETURNS text", "SELECT note FROM public.invoices WHERE id = $1"),
    "own tenant, other's key": (
        "f(p_tenant int, p_id bigint) RETURNS text",
        f"SELECT note FROM public.invoices WHERE id = p_id AND p_tenant = {CONTEXT}"),
    "array": ("f(p_ids bigint[]) RETURNS SETOF text",
              "SELECT note FROM public.invoices WHERE id = ANY (p_ids)"),
    "json": ("f(p jsonb) RETURNS SETOF text",
             "SELECT note FROM public.invoices WHERE id = (p ->> 'id')::bigint"),
    "no arguments": ("f() RETURNS SETOF text", "SELECT note FROM public.invoices"),
    "all when nothing is asked": (
        "f(q text DEFAULT NULL) RETURNS SETOF text",
        "SELECT note FROM public.invoices WHERE q IS NULL OR number = q || 'x'"),
    "out columns": ("f(OUT a text, OUT b int)",
                    "SELECT note, quantity FROM public.invoices ORDER BY tenant DESC"),
}  # fmt: skip


@pytest.mark.parametrize(("head", "body"), READING.values(), ids=READING)
def test_rows_that_come_back(lab: Lab, head: str, body: str) -> None:
    lab.database.execute(function(head, body))

    report = lab.survey(ATTACK)

    assert {effect for _, effect in breaches(report)} == {"read"}
    assert "public.f(" in said(report)
    assert "pwb" in said(report)


AGGREGATE = """
CREATE FUNCTION public.added(state text, key int) RETURNS text {security} LANGUAGE sql AS $$
  SELECT state || coalesce(
    (SELECT string_agg(note, ',') FROM public.invoices WHERE tenant = key), '')
$$;
REVOKE EXECUTE ON FUNCTION public.added(text, int) FROM PUBLIC;
CREATE AGGREGATE public.notes_of(int) (sfunc = public.added, stype = text, initcond = '');
"""


@pytest.mark.parametrize(("security", "holds"), [("SECURITY DEFINER", False), ("", True)])
def test_an_aggregate_whose_own_function_nobody_may_call(
    lab: Lab, security: str, *, holds: bool
) -> None:
    lab.database.execute(AGGREGATE.format(security=security))

    report = lab.survey(ATTACK)

    assert breaches(report) == (set() if holds else {("public.notes_of(integer)", "read")})
    assert proved(report) is holds


@PLACES
def test_a_statement_built_of_the_argument(lab: Lab, place: Place) -> None:
    query = f"{QUERY} {CONTEXT}".replace("'", "''")
    body = f"BEGIN RETURN QUERY EXECUTE '{query} AND (number = ''' || q || ''')'; END"
    lab.database.execute(function("f(q text) RETURNS SETOF text", body, language="plpgsql"))

    report = lab.survey(ATTACK, place=place)

    assert breaches(report) == {("public.f(q text)", "read")}
    assert "x'') OR true --" in said(report)


@PLACES
def test_a_tenant_switched_without_asking(lab: Lab, place: Place) -> None:
    body = "SELECT set_config('lab.tenant', p_tenant::text, false)"
    lab.database.execute(function("work_for(p_tenant int) RETURNS text", body))

    report = lab.survey(ATTACK, place=place)

    assert breaches(report) == {("public.work_for(p_tenant integer)", "read")}
    assert [step.sql.split()[0] for step in report.findings[0].witness] == ["SELECT", "SELECT"]


def test_the_function_that_enters_the_tenant_is_the_context_itself(lab: Lab) -> None:
    body = "SELECT set_config('lab.tenant', p_tenant::text, false)"
    lab.database.execute(function("work_for(p_tenant int) RETURNS text", body))

    assert lab.survey(ATTACK, enter="SELECT public.work_for({})").attempts == 0


WRITING = {
    "write": "UPDATE public.invoices SET quantity = 0 WHERE id = p_id",
    "destroy": "DELETE FROM public.invoices WHERE id = p_id",
}


@pytest.mark.parametrize("effect", WRITING)
def test_rows_that_a_procedure_changes(lab: Lab, effect: str) -> None:
    lab.database.execute(function("f(p_id bigint)", WRITING[effect], kind="PROCEDURE"))

    report = lab.survey(ATTACK)

    assert breaches(report) == {("public.f(IN p_id bigint)", effect)}
    assert "CALL public.f(" in said(report)


def test_a_row_written_for_another_tenant(lab: Lab) -> None:
    body = "INSERT INTO public.invoices VALUES (p_tenant, 77, 'x')"
    lab.database.execute(function("f(p_tenant int) RETURNS void", body))

    assert breaches(lab.survey(ATTACK)) == {("public.f(p_tenant integer)", "write")}


STRICT = f"{QUERY} {CONTEXT} AND id = p_id".replace("note", "note INTO STRICT v", 1)
STRICT = f"DECLARE v text; BEGIN {STRICT}; RETURN v; END"
SOUND = {
    "filtered": ("f(p_id bigint) RETURNS text",
                 f"SELECT note FROM public.invoices WHERE id = p_id AND tenant = {CONTEXT}", "sql"),
    "writes its own": (
        "f(p_id bigint) RETURNS void",
        f"UPDATE public.invoices SET quantity = 0 WHERE id = p_id AND tenant = {CONTEXT}", "sql"),
    "raises": ("f(p_id bigint) RETURNS text", STRICT, "plpgsql"),
    "gives the argument back": (
        "f(p_number text) RETURNS text",
        "SELECT upper(p_number) FROM public.invoices LIMIT 1", "sql"),
    "quotes the argument": (
        "f(q text) RETURNS SETOF text",
        f"BEGIN RETURN QUERY EXECUTE format('{QUERY} %s AND number = %L', {CONTEXT}, q); END",
        "plpgsql"),
}  # fmt: skip


@pytest.mark.parametrize(("head", "body", "language"), SOUND.values(), ids=SOUND)
def test_held(lab: Lab, head: str, body: str, language: str) -> None:
    lab.database.execute(function(head, body, language=language))

    assert proved(lab.survey(ATTACK))


def test_held_on_the_target(lab: Lab) -> None:
    for number, (head, body, language) in enumerate(SOUND.values()):
        lab.database.execute(function(f"g{number}{head[1:]}", body, language=language))

    assert proved(lab.survey(ATTACK, place="target"))


def test_rows_that_come_back_on_the_target(lab: Lab) -> None:
    for number, (head, body) in enumerate(READING.values()):
        lab.database.execute(function(f"g{number}{head[1:]}", body))

    report = lab.survey(ATTACK, place="target")

    leaking = {at.partition("(")[0].removeprefix("public.") for at, _ in breaches(report)}
    assert leaking >= {f"g{number}" for number in range(len(READING) - 1)}  # the last shows one row


def test_what_may_not_be_executed_is_no_surface(lab: Lab) -> None:
    lab.database.execute(
        function("f() RETURNS SETOF text", "SELECT note FROM public.invoices")
        + "; REVOKE EXECUTE ON FUNCTION public.f() FROM PUBLIC"
    )

    report = lab.survey(ATTACK)

    assert report.attempts == 0


def test_what_no_rollback_undoes_is_not_called(lab: Lab) -> None:
    body = "SELECT pg_terminate_backend(pg_backend_pid())"
    lab.database.execute(function("f() RETURNS boolean", body))

    report = lab.survey(ATTACK)

    assert report.verdict == "undecided"
    assert "not called" in report.undecided[0].because


def test_arguments_that_nobody_accepts_leave_it_undecided(lab: Lab) -> None:
    body = (
        "BEGIN IF p_code <> 'open sesame' OR p_code IS NULL THEN RAISE 'no'; END IF;"
        " RETURN (SELECT note FROM public.invoices LIMIT 1); END"
    )
    lab.database.execute(function("f(p_code text) RETURNS text", body, language="plpgsql"))

    report = lab.survey(ATTACK)

    assert report.verdict == "undecided"
    assert "no arguments were found" in report.undecided[0].because


def test_public_rows_are_no_leak(lab: Lab) -> None:
    lab.database.execute(
        function("f() RETURNS SETOF text", "SELECT note FROM public.invoices WHERE quantity > 0")
    )

    report = lab.survey(ATTACK, public=(PublicRows("public.invoices", "quantity > 0"),))

    assert report.verdict == "held"


def test_another_tenants_function_in_its_schema(lab: Lab) -> None:
    lab.database.execute(
        "CREATE SCHEMA t101; CREATE SCHEMA t202; GRANT USAGE ON SCHEMA t101, t202 TO lab_app;"
        "CREATE TABLE t101.docs (id int PRIMARY KEY, body text NOT NULL);"
        "CREATE TABLE t202.docs (id int PRIMARY KEY, body text NOT NULL);"
        "GRANT SELECT ON t101.docs TO lab_app;"
        "CREATE FUNCTION public.bodies() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER"
        " SET search_path = t202 AS 'SELECT body FROM docs'"
    )

    report = lab.survey(ATTACK, enter="SET search_path = t{}, public")

    assert breaches(report) == {("public.bodies()", "read")}


def test_a_login_is_its_tenant_also_where_it_entered_nothing(lab: Lab) -> None:
    """Where the login is the context, what it reads without any `enter` is its own."""
    lab.database.execute(
        "CREATE ROLE lab_one LOGIN; CREATE ROLE lab_two LOGIN;"
        "CREATE TABLE public.letters (tenant name NOT NULL, id uuid PRIMARY KEY, body text);"
        "ALTER TABLE public.letters ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON public.letters USING (tenant = session_user);"
        "CREATE FUNCTION public.mine() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER "
        "SET search_path = '' RETURN (SELECT body FROM public.letters WHERE tenant = session_user);"
        "GRANT SELECT, INSERT ON public.letters TO lab_one, lab_two"
    )
    tenants = tuple(
        TenantSettings(name, name, lab.database.url(name)) for name in ("lab_one", "lab_two")
    )
    report = audit(
        Configuration(lab.database.url(), tenants=tenants), only=frozenset({"call-functions"})
    )
    assert proved(report)
