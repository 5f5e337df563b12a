"""Every truth of the corpus, executed: a leak leaks, a sound case withstands its steps."""

from pathlib import Path

import pytest

from tests.corpus.truth import (
    Case,
    Outcome,
    Server,
    complaint,
    find_cases,
    loaded,
    place,
    read_case,
    roles_created,
    unproved,
)

HERE = Path(__file__).parent
CASES = find_cases(HERE / "given") + find_cases(HERE / "own")
KINDS = {"read", "write", "destroy", "oracle", "metadata", "dos", "latent"}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_case
def test_truth_is_what_happens(case: Case, postgres15: Server) -> None:
    with loaded(case, postgres15):
        assert unproved(case, postgres15) == []


@every_case
def test_truth_is_complete(case: Case) -> None:
    truth = case.truth
    shape = set(read_case(HERE / "given" / "003-app-role-superuser").truth)
    assert set(truth) - {"public"} == shape
    assert truth["id"] == case.name
    assert truth["attacker"] in {"none", "query", "sql"}
    assert truth["kind"] in KINDS | {"none"}
    assert truth["kind"] in KINDS or not truth["leak"]
    assert set(truth["login"]) == {"A", "B", "none"}
    assert len(truth["tenants"]) == 2
    assert case.steps
    assert case.scripts["labcase"].startswith(f"-- {truth['readme']}\n-- leak: {truth['leak']};")
    assert {d["name"]: d["sql"] for d in truth["databases"]} == {
        name: script for name, script in case.scripts.items() if name != "labcase"
    }


def test_names_are_unique() -> None:
    numbers = [case.name.partition("-")[0] for case in CASES]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        ({"ok": True}, Outcome(rowcount=1)),
        ({"error": "42501"}, Outcome(sqlstate="42501")),
        ({"contains": "B-1"}, Outcome(rows=[(1, b"B-1")])),
        ({"not_contains": "B-1"}, Outcome(rows=[("A-1",)])),
        ({"scalar": 3}, Outcome(rows=[(3,)])),
        ({"rowcount": 0}, Outcome(rowcount=0)),
        ({"save": "v"}, Outcome(rows=[(1,)])),
        ({"differs": "v"}, Outcome(rows=[(2,)])),
        ({"notify": "B-1"}, Outcome(notifications=["new B-1"])),
        ({"connect_error": True}, Outcome(refused=True)),
    ],
)
def test_expectation_is_met(expect: dict[str, object], outcome: Outcome) -> None:
    assert complaint(expect, outcome, {"v": 1}) is None


@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        ({"ok": True}, Outcome(sqlstate="42501")),
        ({"error": "42501"}, Outcome()),
        ({"error": "42501"}, Outcome(sqlstate="23505")),
        ({"contains": "B-1"}, Outcome(rows=[("A-1",)])),
        ({"not_contains": "B-1"}, Outcome(rows=[("B-1",)])),
        ({"not_contains": "B-1"}, Outcome(sqlstate="42501")),
        ({"scalar": 3}, Outcome(rows=[])),
        ({"rowcount": 0}, Outcome(rowcount=1)),
        ({"save": "v"}, Outcome()),
        ({"differs": "v"}, Outcome(rows=[(1,)])),
        ({"differs": "unsaved"}, Outcome(rows=[(1,)])),
        ({"notify": "B-1"}, Outcome()),
        ({"connect_error": True}, Outcome()),
        ({"ok": True}, Outcome(refused=True)),
    ],
)
def test_expectation_is_missed(expect: dict[str, object], outcome: Outcome) -> None:
    assert complaint(expect, outcome, {"v": 1})


def test_roles_created_are_found_wherever_a_line_starts() -> None:
    script = 'CREATE ROLE a LOGIN;\n  create user "b";\n-- CREATE ROLE c\nGRANT a TO b;'
    assert roles_created(script) == ["a", "b"]


def test_identity_may_name_another_database() -> None:
    case = read_case(HERE / "given" / "123-sound-db-per-tenant")
    assert place(case, "B") == ("labcase_b", "tenant_b", [])
    assert place(case, "A@labcase_b") == ("labcase_b", "tenant_a", [])
