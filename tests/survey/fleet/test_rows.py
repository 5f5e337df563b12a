"""Rows side by side: what two tenants don't show, all do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.errors import ConfigurationError
from partywall.survey.configuration import Configuration, FleetSettings, PublicRows
from partywall.survey.fleet.survey import survey
from tests.survey.fleet.houses import ROWS, entered, rows

if TYPE_CHECKING:
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


@pytest.fixture
def house(database: Database) -> Database:
    """Six tenants behind walls that hold."""
    database.execute(ROWS)
    return database


def test_all_pairs_of_a_sound_house_are_held(house: Database) -> None:
    before = house.rows("SELECT sum(xmin::text::bigint) FROM orders")
    report = rows(house, writing=True)
    assert (report.verdict, report.findings, report.undecided) == ("held", (), ())
    assert report.fleet is not None
    assert (report.fleet.tenants, report.fleet.pairs, report.fleet.turns) == (6, 30, 6)
    assert set(report.cells.values()) <= {"held", "closed"}
    assert report.cells["public.orders", "read"] == "held"
    assert report.cells["public.lines", "read"] == "held"
    assert report.cells["public.titles", "read"] == "held"
    assert report.cells["public.orders", "write"] == "held"
    assert report.cells["public.lines", "destroy"] == "held"
    assert house.rows("SELECT sum(xmin::text::bigint) FROM orders") == before


def test_a_door_for_one_of_them_is_found_and_named(house: Database) -> None:
    """The two that are declared are kept apart: only the fifth is let in everywhere."""
    house.execute("CREATE POLICY support ON orders USING (current_setting('app.tenant') = '5')")
    report = rows(house, writing=True)
    by_place = {(one.at, one.effect): one for one in report.findings}
    assert {at for at, _ in by_place} == {"public.orders", "public.titles", "public.lines"}
    found = by_place["public.orders", "read"]
    assert (found.attacker, found.name, found.code) == ("5", "read-rows", "PW201")
    assert found.victim in {"1", "2", "3", "4", "6"}
    assert "1 of 6 tenants" in found.because
    assert "'5'" in found.witness[0].sql
    assert found.witness[0].returned == found.victim
    assert by_place["public.orders", "destroy"].name == "delete-row"
    assert by_place["public.orders", "write"].name == "change-row"
    assert house.rows("SELECT count(*) FROM orders") == [(6,)]


def test_a_row_below_anothers_parent_is_found(house: Database) -> None:
    house.execute("DROP POLICY own ON lines; CREATE POLICY own ON lines USING (true)")
    report = rows(house)
    assert {one.at for one in report.findings} == {"public.lines"}
    assert "6 of 6 tenants" in report.findings[0].because


def test_who_has_nothing_there_is_no_proof(house: Database) -> None:
    house.execute(
        "DELETE FROM lines WHERE order_id IN (4, 5); DELETE FROM orders WHERE tenant_id = 5"
    )
    report = rows(house)
    assert report.verdict == "undecided"
    told = {one.at: one.because for one in report.undecided}
    assert told["public.lines"].startswith("4, 5: has no row of its own there")
    assert told["public.orders"].startswith("5: ")
    assert report.cells["public.orders", "read"] == "undecided"


def test_who_can_not_be_entered_is_no_proof(house: Database) -> None:
    house.execute(
        "CREATE FUNCTION enter(id text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN IF id = '4' THEN "
        "RAISE 'suspended'; END IF; PERFORM set_config('app.tenant', id, true); END $$"
    )
    fleet = FleetSettings(enter=("SELECT enter({id})",))
    report = survey(entered(house, fleet=fleet), workers=2)
    assert report.verdict == "undecided"
    assert any("4 could not be entered: suspended" in one.because for one in report.undecided)


def test_what_one_role_may_not_do_says_nothing_of_another(house: Database) -> None:
    """One login takes a role for each tenant: the first one may not read orders at all."""
    for id_ in range(1, 7):
        house.execute(f"CREATE ROLE as_{id_} NOLOGIN; GRANT as_{id_} TO app")
        tables = "tenants, lines, titles" if id_ == 1 else "ALL TABLES IN SCHEMA public"
        house.execute(f"GRANT SELECT ON {tables} TO as_{id_}")
    house.execute("CREATE POLICY support ON orders TO as_5 USING (true)")
    enter = ("SET LOCAL ROLE as_{id}", "SELECT set_config('app.tenant', {id}, true)")
    report = survey(entered(house, fleet=FleetSettings(enter=enter)), workers=1)
    assert {(one.at, one.attacker) for one in report.findings} >= {("public.orders", "5")}


def test_a_query_says_who_and_its_columns_how(house: Database) -> None:
    house.execute(
        "CREATE TABLE who (id int, handle text); INSERT INTO who VALUES (1, 'x'), (3, 'y''z')"
    )
    fleet = FleetSettings(
        "SELECT id, handle, handle AS name FROM who",
        (
            "SELECT set_config('app.tenant', {id}, true)",
            "SELECT set_config('app.x', '{handle}', true)",
        ),
    )
    report = survey(entered(house, fleet=fleet), workers=1)
    assert report.fleet is not None
    assert report.fleet.tenants == 2
    assert report.verdict == "held"


def test_rows_that_are_public_by_design_are_left_out(house: Database) -> None:
    house.execute("CREATE POLICY open ON orders FOR SELECT USING (title = 'an offer')")
    house.execute("UPDATE orders SET title = 'an offer' WHERE tenant_id = 3")
    assert {one.at for one in rows(house).findings} >= {"public.orders"}
    public = tuple(
        PublicRows(at, "title = 'an offer'") for at in ("public.orders", "public.titles")
    )
    told = {one.at for one in survey(entered(house, public=public)).findings}
    assert "public.orders" not in told
    assert "public.titles" not in told


def test_one_tenant_alone_is_an_error(house: Database) -> None:
    house.execute("DELETE FROM lines; DELETE FROM orders; DELETE FROM tenants WHERE id > 1")
    with pytest.raises(ConfigurationError, match="only one was found"):
        rows(house)


def test_tenants_that_differ_in_more_than_their_ids_need_a_word(house: Database) -> None:
    told = entered(house)
    a, b = told.tenants
    other = type(b)(b.name, b.id, b.url, (*b.enter, "SELECT set_config('app.user', 'u7', true)"))
    with pytest.raises(ConfigurationError, match=r"\[fleet\] tenants"):
        survey(Configuration(told.url, tenants=(a, other)))
