"""PW242 undo-walls, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

HELPER = """
CREATE FUNCTION org() RETURNS int LANGUAGE sql STABLE AS $$SELECT current_setting('app.org')::int$$;
DROP POLICY own ON notes;
CREATE POLICY own ON notes USING (org = org());
"""


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize(
    "leak",
    [
        "ALTER TABLE notes OWNER TO app",
        "GRANT keeper TO app",
        "ALTER ROLE app NOINHERIT; GRANT keeper TO app",
    ],
)
def test_an_owner_is_not_bound_by_force(
    database: Database, survey: Survey, leak: str, place: Place
) -> None:
    database.execute(WALLED + leak)
    assert found(survey("undo-walls", place=place)) == {("read", "public.notes")}
    assert quiet(survey("undo-walls", place=place, attacker="query"))
    rows = database.rows("SELECT relrowsecurity FROM pg_class WHERE relname = 'notes'")
    assert rows == [(True,)]


@pytest.mark.parametrize("place", ["copy", "target"])
def test_the_owner_of_a_helper_makes_it_answer_with_another_tenant(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(WALLED + HELPER + "ALTER FUNCTION org() OWNER TO app")
    assert quiet(survey("undo-walls", place=place))
    database.execute("GRANT CREATE ON SCHEMA public TO app")
    assert found(survey("undo-walls", place=place)) == {("read", "public.org()")}


def test_what_another_role_owns_stays(database: Database, survey: Survey) -> None:
    database.execute(WALLED + HELPER + "ALTER FUNCTION org() OWNER TO keeper")
    assert quiet(survey("undo-walls"))
