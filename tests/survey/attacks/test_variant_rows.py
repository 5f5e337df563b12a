"""PW203 variant-rows, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.configuration import PublicRows
from tests.survey.attacks.lab import PLACES, proved
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "variant-rows"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"
MINE = "tenant = current_setting('lab.tenant', true)::int"


@pytest.fixture
def stated(lab: Lab) -> Lab:
    """Invoices that have a state, a flag and a date."""
    lab.database.execute(
        f"ALTER TABLE {TABLE} ADD state text NOT NULL DEFAULT 'open', "
        "ADD shared boolean NOT NULL DEFAULT false, ADD closed_on date"
    )
    return lab


@pytest.mark.parametrize(
    ("leaky", "sound", "told"),
    [
        (
            f"{MINE} AND state = 'open' OR state = 'archived'",
            f"{MINE} AND (state = 'open' OR state = 'archived')",
            "state = archived",
        ),
        (f"{MINE} OR shared", f"{MINE} AND (shared OR NOT shared)", "shared = t"),
        (
            f"{MINE} OR (closed_on > '2000-01-01') IS NULL",
            f"{MINE} AND (closed_on > '2000-01-01') IS NOT FALSE",
            "closed_on = None",
        ),
    ],
    ids=["constant", "flag", "null"],
)
@PLACES
def test_alternatives_without_brackets(
    stated: Lab, place: Place, leaky: str, sound: str, told: str
) -> None:
    stated.database.execute(f"ALTER POLICY own ON {TABLE} USING ({leaky})")

    report = stated.survey(ATTACK, place=place)

    assert by_whom(report) == {("acme", TABLE, "read")}
    assert any(told in finding.because for finding in report.findings)
    stated.database.execute(f"ALTER POLICY own ON {TABLE} USING ({sound})")
    assert proved(stated.survey(ATTACK, place=place))


def test_rows_that_all_may_read_and_one_may_change(stated: Lab) -> None:
    stated.database.execute(f"ALTER POLICY own ON {TABLE} USING ({MINE} OR state = 'published')")
    public = (PublicRows(TABLE, "state = 'published'"),)

    assert by_whom(stated.survey(ATTACK, public=public)) == {("acme", TABLE, "write")}

    stated.database.execute(
        f"ALTER POLICY own ON {TABLE} USING ({MINE});"
        f"CREATE POLICY published ON {TABLE} FOR SELECT USING (state = 'published')"
    )
    assert proved(stated.survey(ATTACK, public=public))


def test_states_no_policy_speaks_of_are_not_tried(stated: Lab) -> None:
    assert stated.survey(ATTACK).attempts == 0
