"""PW232 cross-reference, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "cross-reference"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
AT = "public.lines.invoice"
MINE = "tenant = current_setting('lab.tenant', true)::int"
SINGLE = "REFERENCES public.invoices (id)"
EXISTENCE, PINNING = ("acme", AT, "detect"), ("acme", AT, "disrupt")


def lines(lab: Lab, key: str, grants: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Lines of invoices; *key* is what follows the column's type, or a constraint after a comma."""
    lab.database.execute(
        "ALTER TABLE public.invoices ADD UNIQUE (id);"
        "CREATE TABLE public.lines "
        f"(tenant int NOT NULL, id uuid PRIMARY KEY, invoice bigint {key});"
        "ALTER TABLE public.lines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY own ON public.lines USING ({MINE});"
        f"GRANT {grants} ON public.lines TO lab_app"
    )


@PLACES
def test_a_reference_tells_that_a_row_exists_and_pins_it(lab: Lab, place: Place) -> None:
    lines(lab, SINGLE)

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {EXISTENCE, PINNING}
    assert "-> ERROR 23503" in said(report)


@PLACES
def test_a_key_that_carries_the_tenant(lab: Lab, place: Place) -> None:
    lines(lab, ", FOREIGN KEY (tenant, invoice) REFERENCES public.invoices (tenant, id)")

    assert lab.survey(ATTACK, place=place).attempts == 0


def test_a_policy_that_looks_at_what_a_row_points_at(lab: Lab) -> None:
    lines(lab, SINGLE)
    lab.database.execute(
        f"ALTER POLICY own ON public.lines USING ({MINE}) WITH CHECK ({MINE} AND "
        "EXISTS (SELECT FROM public.invoices i WHERE i.id = invoice))"
    )

    report = lab.survey(ATTACK)

    assert proved(report)
    assert report.cells == {
        (AT, "detect"): "held", (AT, "disrupt"): "held", (AT, "destroy"): "held",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "effect"),
    [("ON DELETE CASCADE", "destroy"), ("ON DELETE SET NULL", "write"),
     ("ON UPDATE CASCADE", "write")],
)  # fmt: skip
def test_an_action_that_reaches_into_another_tenants_table(
    lab: Lab, action: str, effect: str
) -> None:
    lines(lab, f"{SINGLE} {action}")
    if "UPDATE" in action:
        lab.database.execute("REVOKE DELETE ON public.invoices FROM lab_app")

    assert by_whom(lab.survey(ATTACK)) == {EXISTENCE, ("acme", AT, effect)}


def test_who_may_not_delete_what_is_pointed_at_cannot_be_kept_from_it(lab: Lab) -> None:
    lines(lab, SINGLE)
    lab.database.execute("REVOKE DELETE ON public.invoices FROM lab_app")

    assert by_whom(lab.survey(ATTACK)) == {EXISTENCE}


def test_no_permission_to_insert_leaves_nothing_to_try(lab: Lab) -> None:
    lines(lab, SINGLE, "SELECT")

    assert lab.survey(ATTACK).attempts == 0
