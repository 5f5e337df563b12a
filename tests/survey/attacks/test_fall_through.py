"""PW251 fall-through, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import ONE_LOGIN, TWO_LOGINS, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

WAYS = {"ids": ("one", "two"), "enter": "SET search_path = {id}, public", "attacker": "query"}
TEMPLATE = "CREATE TABLE public.orders (id int PRIMARY KEY, memo text NOT NULL);"
READABLE = "GRANT SELECT ON public.orders TO app;"


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize(
    "leak",
    [
        READABLE + "INSERT INTO public.orders VALUES (1, 'from before the split')",
        "GRANT SELECT, INSERT ON public.orders TO app",
    ],
)
def test_a_table_of_the_same_name_in_public(
    database: Database, survey: Survey, leak: str, place: Place
) -> None:
    database.execute(ONE_LOGIN + TEMPLATE + leak)
    report = survey("fall-through", place=place, **WAYS)  # type: ignore[arg-type]
    assert found(report) == {("read", "public.orders")}
    assert report.findings[0].attacker == "anonymous"


def test_a_tenant_that_does_not_exist(database: Database, survey: Survey) -> None:
    database.execute(ONE_LOGIN + TEMPLATE + READABLE + "INSERT INTO public.orders VALUES (1, 'x')")
    database.execute("ALTER ROLE app SET search_path = pg_catalog")
    report = survey("fall-through", **WAYS)  # type: ignore[arg-type]
    assert found(report) == {("read", "public.orders")}
    assert report.findings[0].witness[0].sql.startswith("SET LOCAL search_path")


@pytest.mark.parametrize("place", ["copy", "target"])
def test_a_table_that_one_schema_lacks(database: Database, survey: Survey, place: Place) -> None:
    database.execute(
        ONE_LOGIN + "CREATE TABLE two.extras (note text); CREATE TABLE public.extras (note text);"
        "GRANT SELECT, INSERT ON two.extras, public.extras TO app"
    )
    report = survey("fall-through", place=place, **WAYS)  # type: ignore[arg-type]
    assert "A" in {f.attacker for f in report.findings if f.at == "public.extras"}


@pytest.mark.parametrize("place", ["copy", "target"])
def test_the_schema_of_a_tenant_as_everybodys_default(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(ONE_LOGIN + "ALTER ROLE app SET search_path = two")
    report = survey("fall-through", place=place, **WAYS)  # type: ignore[arg-type]
    assert found(report) == {("read", "two.orders")}


@pytest.mark.parametrize(
    "sound",
    ["", TEMPLATE, TEMPLATE + READABLE, TEMPLATE + "INSERT INTO public.orders VALUES (1, 'x')"],
    ids=["none", "out of reach", "empty and only to be read", "filled and out of reach"],
)
def test_held(database: Database, survey: Survey, sound: str) -> None:
    database.execute(ONE_LOGIN + sound)
    assert quiet(survey("fall-through", **WAYS))  # type: ignore[arg-type]


def test_the_own_schema_of_a_login(database: Database, survey: Survey) -> None:
    database.execute(TWO_LOGINS + "ALTER ROLE app_one SET search_path = one")
    ways = WAYS | {"logins": ("app_one", "app_two")}
    assert quiet(survey("fall-through", **ways))  # type: ignore[arg-type]
