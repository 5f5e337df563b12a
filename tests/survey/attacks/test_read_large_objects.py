"""PW213 read-large-objects, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.survey.attacks.lab import PLACES, breaches, proved

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "read-large-objects"
SCANS = "ALTER TABLE public.invoices ADD scan oid;"
TWO_LOGINS = (
    "CREATE ROLE lab_acme LOGIN IN ROLE lab_app; CREATE ROLE lab_globex LOGIN IN ROLE lab_app;"
)
ALL_THREE = {("public.invoices", effect) for effect in ("read", "write", "destroy")}


@PLACES
def test_one_login_owns_all_objects_that_it_makes(lab: Lab, place: Place) -> None:
    lab.database.execute(SCANS)

    assert breaches(lab.survey(ATTACK, place=place)) == ALL_THREE


@PLACES
def test_objects_that_were_granted_to_the_login(lab: Lab, place: Place) -> None:
    lab.database.execute(
        f"{SCANS} SELECT lo_from_bytea(4711, 'of globex');"
        "GRANT SELECT ON LARGE OBJECT 4711 TO lab_app;"
        "UPDATE public.invoices SET scan = 4711 WHERE tenant = 202"
    )

    report = lab.survey(ATTACK, place=place)

    rows = {("public.invoices", "read")} if place == "target" else set()
    assert breaches(report) == {("large objects of postgres", "read")} | rows


@PLACES
def test_each_login_keeps_its_own(lab: Lab, place: Place) -> None:
    lab.database.execute(SCANS + TWO_LOGINS)

    report = lab.survey(ATTACK, place=place, logins=("lab_acme", "lab_globex"))

    assert proved(report)
    assert report.attempts == 3


@PLACES
def test_existing_objects_that_each_login_keeps(lab: Lab, place: Place) -> None:
    lab.database.execute(
        f"{SCANS} {TWO_LOGINS} SELECT lo_from_bytea(4711, 'of globex');"
        "ALTER LARGE OBJECT 4711 OWNER TO lab_globex;"
        "UPDATE public.invoices SET scan = 4711 WHERE tenant = 202"
    )

    report = lab.survey(ATTACK, place=place, logins=("lab_acme", "lab_globex"))

    assert proved(report)


def test_an_application_without_large_objects_has_no_such_surface(lab: Lab) -> None:
    assert lab.survey(ATTACK).attempts == 0


def test_a_login_that_stores_no_numbers_makes_no_objects(lab: Lab) -> None:
    lab.database.execute(f"{SCANS} REVOKE INSERT, UPDATE ON public.invoices FROM lab_app")

    assert lab.survey(ATTACK).attempts == 0
