"""PW234 set-sequence, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import proved, said
from tests.survey.attacks.verdicts import by_whom, mend

if TYPE_CHECKING:
    from tests.survey.attacks.lab import Lab

ATTACK = "set-sequence"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
FOUND = {("acme", "public.tasks_id_seq", "disrupt")}

ONE_EACH = (
    "CREATE ROLE lab_one LOGIN; CREATE ROLE lab_two LOGIN;"
    "CREATE SEQUENCE public.of_101 OWNED BY public.tasks.id;"
    "CREATE SEQUENCE public.of_202 OWNED BY public.tasks.id;"
    "GRANT USAGE, UPDATE ON SEQUENCE public.of_101 TO lab_one;"
    "GRANT USAGE, UPDATE ON SEQUENCE public.of_202 TO lab_two;"
    "GRANT SELECT, INSERT ON public.tasks TO lab_one, lab_two;"
    "ALTER TABLE public.tasks ALTER id SET DEFAULT "
    "nextval(('public.of_' || current_setting('lab.tenant'))::regclass)"
)
"""A sequence for each tenant, and a login for each."""


def tasks(lab: Lab, column: str) -> Lab:
    """A table of numbered tasks behind a wall."""
    lab.database.execute(
        f"CREATE TABLE public.tasks (tenant int NOT NULL, id {column}, title text NOT NULL, "
        "PRIMARY KEY (tenant, id));"
        "ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON public.tasks "
        "USING (tenant = current_setting('lab.tenant', true)::int);"
        "GRANT SELECT, INSERT ON public.tasks TO lab_app"
    )
    return lab


def test_all_rights_to_a_sequence_until_they_are_revoked(lab: Lab) -> None:
    tasks(lab, "serial").database.execute("GRANT ALL ON SEQUENCE public.tasks_id_seq TO lab_app")

    report = lab.survey(ATTACK)

    assert by_whom(report) == FOUND
    assert "globex: INSERT INTO public.tasks (tenant, title) VALUES" in said(report)
    assert "-> ERROR 2200H" in said(report)
    mend(lab, report)
    assert lab.survey(ATTACK).attempts == 0


def test_on_the_target_the_server_is_only_asked(lab: Lab) -> None:
    tasks(lab, "serial").database.execute("GRANT ALL ON SEQUENCE public.tasks_id_seq TO lab_app")

    report = lab.survey(ATTACK, place="target")

    assert by_whom(report) == FOUND
    assert said(report) == (
        "acme: SELECT has_sequence_privilege('public.tasks_id_seq', 'UPDATE') -> t"
    )
    assert not lab.database.rows("SELECT FROM public.tasks_id_seq WHERE last_value > 1000000")
    mend(lab, report)
    assert lab.survey(ATTACK, place="target").attempts == 0


def test_a_sequence_for_each_tenant(lab: Lab) -> None:
    tasks(lab, "int").database.execute(ONE_EACH)

    report = lab.survey(ATTACK, logins=("lab_one", "lab_two"))

    assert proved(report)
    assert report.cells == {("public.of_101", "disrupt"): "held"}
