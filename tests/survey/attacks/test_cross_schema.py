"""PW250 cross-schema, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import ONE_LOGIN, TWO_LOGINS, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

LOGINS = ("app_one", "app_two")
PATH = "SET search_path = {id}, public"
IDS = ("one", "two")
DRAWS = """
CREATE SEQUENCE two.numbers; ALTER TABLE two.orders ALTER id SET DEFAULT nextval('two.numbers');
ALTER TABLE one.orders ALTER id SET DEFAULT nextval('two.numbers');
GRANT USAGE ON SEQUENCE two.numbers TO app_one, app_two;
"""
LOGS = """
CREATE TABLE two.log (line text NOT NULL);
CREATE FUNCTION two.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = two, pg_temp AS $$ BEGIN INSERT INTO log VALUES (NEW.memo); RETURN NEW; END $$;
CREATE TRIGGER note AFTER INSERT ON one.orders FOR EACH ROW EXECUTE FUNCTION two.note();
"""
POINTS = "ALTER TABLE one.orders ADD FOREIGN KEY (id) REFERENCES two.orders;"
READS = """
CREATE FUNCTION one.memos() RETURNS SETOF text LANGUAGE sql STABLE SET search_path = {}
  AS $$ SELECT memo FROM orders $$;
"""
WRITES = """
CREATE FUNCTION one.place(p_memo text) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = {} AS $$ INSERT INTO orders VALUES (77, p_memo) $$;
"""


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize(
    ("leak", "effect", "at"),
    [
        (DRAWS, "detect", "two.numbers"),
        (LOGS, "write", "one.orders"),
        (POINTS, "detect", "one.orders (id)"),
        (WRITES.format("two"), "write", "one.place(p_memo text)"),
    ],
    ids=["sequence", "trigger", "foreign key", "function"],
)
def test_what_still_points_into_the_schema_of_another(
    database: Database, survey: Survey, leak: str, effect: str, at: str, place: Place
) -> None:
    database.execute(TWO_LOGINS + leak)
    report = survey("cross-schema", logins=LOGINS, ids=IDS, enter=PATH, place=place)
    assert found(report) == {(effect, at)}


@pytest.mark.parametrize("place", ["copy", "target"])
def test_a_function_with_the_path_of_another(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(ONE_LOGIN + READS.format("two"))
    options = {"attacker": "query", "ids": IDS, "enter": PATH, "place": place}
    report = survey("cross-schema", **options)  # type: ignore[arg-type]
    assert found(report) == {("read", "one.memos()")}
    database.execute(report.findings[0].fix)
    assert quiet(survey("cross-schema", **options))  # type: ignore[arg-type]


def test_schemas_that_keep_to_themselves(database: Database, survey: Survey) -> None:
    own = (DRAWS + LOGS).replace("two.", "one.").replace("= two", "= one")
    database.execute(TWO_LOGINS + own + READS.format("one") + WRITES.format("one"))
    assert quiet(survey("cross-schema", logins=LOGINS, ids=IDS, enter=PATH))
