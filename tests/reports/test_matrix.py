"""Surfaces by effect: grouped, named in short, folded when there are many."""

from __future__ import annotations

import pytest

from partywall.reports import matrix
from partywall.servers import Postgres
from partywall.survey.attack import Effect
from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, TenantSettings
from partywall.survey.verdict import State
from tests.conftest import Database
from tests.reports.values import report, shown

TABLE = """
CREATE TABLE {schema}.t{n:03} (tenant text NOT NULL, id int, note text, PRIMARY KEY (tenant, id));
GRANT SELECT ON {schema}.t{n:03} TO shop;
"""
WALL = """
ALTER TABLE {schema}.t{n:03} ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON {schema}.t{n:03} USING (tenant = (SELECT current_setting('app.tenant', true)));
"""


@pytest.fixture(scope="session")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.mark.parametrize(
    ("at", "place"),
    [
        ("public.users", ("public", "table", "users")),
        ("public.users.email", ("public", "table", "users.email")),
        ("public.users (email)", ("public", "table", "users (email)")),
        ("public.recent", ("public", "view", "recent")),
        ('"My Shop"."Odd.Name"', ('"My Shop"', "table", '"Odd.Name"')),
        ("public.total(uuid, numeric)", ("public", "function", "total(uuid, numeric)")),
        ("role app.admin", ("", "surface", "role app.admin")),
        ("database shop", ("", "surface", "database shop")),
    ],
)
def test_a_surface_has_its_place(at: str, place: tuple[str, str, str]) -> None:
    kinds = {"public.users": "table", "public.recent": "view", '"My Shop"."Odd.Name"': "table"}
    found = matrix.place(at, kinds)
    assert (found.schema, found.noun, found.label) == place


def cells(count: int, state: State = "held") -> dict[tuple[str, Effect], State]:
    return {(f"public.t{n:03}", "read"): state for n in range(count)}


def test_forty_surfaces_are_all_shown() -> None:
    page = shown(report(cells=cells(40)))
    assert "  t039" in page
    assert "…" not in page


def test_of_more_only_those_that_ask_for_attention() -> None:
    mixed = cells(41) | {("public.t007", "write"): "undecided", ("public.t008", "read"): "closed"}
    page = shown(report(cells=mixed))
    assert "  t007" in page
    assert "  … 40 more tables held" in page
    assert "  t008" not in page


def test_when_all_is_open_what_looks_alike_is_folded() -> None:
    many = cells(100, "breached") | {("public.t050", "destroy"): "breached"}
    whole = matrix.groups(report(cells=many))
    [group] = matrix.fold(whole)
    labels = [row.label for row in group.rows]
    assert labels == ["t000", "t001", "t002", "t050", "… 96 tables like these"]
    assert sum(row.stands_for for row in group.rows) == 100


def test_a_long_name_loses_its_end_and_no_column_moves() -> None:
    name = "public.reconcile(customer uuid, amounts numeric[], on date)"
    lines = shown(report(cells={(name, "latent"): "breached"})).splitlines()
    [head] = [line for line in lines if line.endswith(" latent")]
    [row] = [line for line in lines if "reconcile" in line]
    assert len(head) <= 80
    assert "…" in row
    assert head.index("latent") < row.index("✗") < len(head)


def test_three_hundred_surfaces_of_a_real_survey_fit_a_screen(database: Database) -> None:
    """Two of the tables have no wall; the others share a line for each schema."""
    database.execute("CREATE ROLE shop LOGIN; CREATE SCHEMA sales; CREATE SCHEMA stock")
    database.execute("GRANT USAGE ON SCHEMA sales, stock TO shop")
    for number in range(300):
        where = {"schema": "sales" if number < 200 else "stock", "n": number}
        wall = "" if number in {17, 250} else WALL.format(**where)
        database.execute(TABLE.format(**where) + wall)
    tenants = tuple(
        TenantSettings(
            name, name, database.url("shop"), (f"SELECT set_config('app.tenant', '{name}', true)",)
        )
        for name in ("acme", "globex")
    )
    found = audit(Configuration(database.url(), tenants=tenants), only=frozenset({"read-rows"}))
    page = shown(found)
    matrix_part = page.partition("✓ held  ✗ breached")[0].splitlines()
    assert len(matrix_part) < 20
    assert [line.split() for line in matrix_part if "✗" in line] == [["t017", "✗"], ["t250", "✗"]]
    assert "  … 199 more tables held" in page
    assert "  … 99 more tables held" in page
    assert "2 breaches of 2 surfaces" in page
