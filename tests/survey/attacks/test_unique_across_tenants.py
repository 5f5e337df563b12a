"""PW231 unique-across-tenants, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "unique-across-tenants"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"
LED = f"CREATE UNIQUE INDEX led ON {TABLE} (tenant, number)"


@PLACES
def test_a_unique_column_until_the_tenant_leads_it(lab: Lab, place: Place) -> None:
    lab.database.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT once UNIQUE (number)")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {("acme", f"{TABLE}.number", "detect")}
    taken, free = report.findings[0].witness
    assert taken.returned.startswith("ERROR 23505")
    assert free.returned == "1 row"
    [repair] = report.findings[0].repair
    assert repair.startswith(f'ALTER TABLE {TABLE} DROP CONSTRAINT "once", ADD CONSTRAINT "once"')
    lab.database.execute(repair)
    assert lab.survey(ATTACK, place=place).attempts == 0


@pytest.mark.parametrize(
    ("leak", "at"),
    [
        (f"CREATE UNIQUE INDEX once ON {TABLE} (number)", "public.invoices.number"),
        (f"CREATE UNIQUE INDEX once ON {TABLE} (lower(number))", "public.invoices.number"),
        (f"ALTER TABLE {TABLE} ADD EXCLUDE (number WITH =)", "public.invoices.number"),
        (
            f"ALTER TABLE {TABLE} DROP CONSTRAINT invoices_pkey, ADD PRIMARY KEY (id)",
            "public.invoices.id",
        ),
        (
            f"CREATE UNIQUE INDEX once ON {TABLE} (number, note)",
            "public.invoices (number, note)",
        ),
        (
            f"CREATE UNIQUE INDEX once ON {TABLE} (number) WHERE quantity > 0",
            "public.invoices.number",
        ),
    ],
    ids=["index", "expression", "exclusion", "primary key", "pair", "partial"],
)
def test_what_sees_the_rows_of_all(lab: Lab, leak: str, at: str) -> None:
    lab.database.execute(leak)

    assert by_whom(lab.survey(ATTACK)) == {("acme", at, "detect")}


def test_a_login_that_may_only_update(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE UNIQUE INDEX once ON {TABLE} (number); REVOKE INSERT ON {TABLE} FROM lab_app"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == {("acme", f"{TABLE}.number", "detect")}
    assert said(report).startswith(f"acme: UPDATE {TABLE} SET number = ")


def test_a_random_key_tells_nothing(lab: Lab) -> None:
    lab.database.execute(f"ALTER TABLE {TABLE} ADD code uuid UNIQUE DEFAULT gen_random_uuid()")

    assert lab.survey(ATTACK).attempts == 0


def test_keys_that_the_tenant_leads(lab: Lab) -> None:
    lab.database.execute(
        f"{LED}; CREATE UNIQUE INDEX lower_led ON {TABLE} (tenant, lower(note));"
        "CREATE EXTENSION btree_gist;"
        f"ALTER TABLE {TABLE} ADD EXCLUDE USING gist (tenant WITH =, quantity WITH =)"
    )

    assert lab.survey(ATTACK).attempts == 0


@pytest.mark.parametrize("refusal", ["INSERT", "INSERT, UPDATE"])
def test_nothing_to_write_nothing_to_collide_with(lab: Lab, refusal: str) -> None:
    lab.database.execute(
        f"CREATE UNIQUE INDEX once ON {TABLE} (number); REVOKE {refusal} ON {TABLE} FROM lab_app"
    )

    assert lab.survey(ATTACK).attempts == (refusal == "INSERT")


def test_a_collision_that_a_trigger_prevents(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE UNIQUE INDEX once ON {TABLE} (number);"
        "CREATE FUNCTION public.mark() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.number := NEW.tenant || ':' || NEW.number; RETURN NEW; END $$;"
        f"CREATE TRIGGER mark BEFORE INSERT OR UPDATE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION public.mark()"
    )

    report = lab.survey(ATTACK)

    assert proved(report)
    assert report.attempts == 1
