"""A probe's report for programs keeps to its schema, and the schema leaves nothing open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import jsonschema
import pytest

from partywall.reports.json import schema as audit_schema
from partywall.reports.json import written
from partywall.reports.probe_json import report as document
from partywall.reports.probe_json import schema
from partywall.survey.http.report import HttpReport
from partywall.survey.verdict import EFFECTS, Advice, Excepted, State, Undecided
from tests.reports.probe_values import BOARD, COUNTRIES, FINDING, back, report, tried
from tests.reports.test_json import objects

EVERY = (
    tried("GET /notes/{note_id}", "breached"),
    tried("GET /notes/{note_id}", attacker="globex", victim="acme"),
    tried("GET /notes/{note_id}", "closed", "id-in-query"),
    tried("PUT /log", "undecided", because="422: no such user"),
    tried("PUT /log", "excepted", "id-in-query"),
    tried("PUT /log", "known", "id-in-body"),
)
FULL = replace(
    report(FINDING, back(), every=EVERY),
    undecided=(Undecided("PW400", "control", "write", "PUT /log", "422: no such user"),),
    excepted=(Excepted(FINDING, "agreed", "2027-06-30"), Excepted(FINDING, "for ever")),
    advice=(Advice("PW490", "cache-control", "GET /x", "slow", "private", "https://x.test"),),
    public=(COUNTRIES, replace(COUNTRIES, declared=True)),
    shared=(BOARD,),
    left=("nothing else",),
    killers=("GET /wipe",),
    known=(FINDING,),
    known_undecided=(Undecided("PW400", "control", "write", "PUT /log", "422: no such user"),),
    remarks=("an exception ended",),
)


@pytest.mark.parametrize("found", [report(), FULL])
def test_a_report_follows_the_schema(found: HttpReport) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema(), format_checker=checker).validate(document(found))


def test_a_finding_has_what_programs_go_by_and_no_recipe() -> None:
    finding = json.loads(written(document(FULL)))["findings"][0]
    assert finding == {
        "code": "PW401", "name": "others-id", "layer": "http", "effect": "read",
        "at": "GET /notes/{note_id}", "attacker": "acme", "victim": "globex",
        "witness": [
            {"as": step.actor, "request": step.request, "returned": step.returned}
            for step in FINDING.witness
        ],
        "because": FINDING.because, "fix": FINDING.fix, "url": FINDING.url,
    }  # fmt: skip


def test_the_matrix_has_the_worst_of_all_directions() -> None:
    assert document(FULL)["matrix"] == {
        "GET /notes/{note_id}": {"others-id": "breached", "id-in-query": "closed"},
        "PUT /log": {"others-id": "undecided", "id-in-query": "excepted", "id-in-body": "known"},
    }


def test_coverage_names_what_was_not_attacked_and_why() -> None:
    assert document(FULL)["coverage"] == {
        "operations": 2,
        "attempts": 6,
        "states": dict.fromkeys(get_args(State), 1),
        "not_attacked": [
            {
                "at": "PUT /log", "attacker": "acme", "victim": "globex", "attack": "others-id",
                "mode": "note_id", "because": "422: no such user",
            }
        ],
    }  # fmt: skip


def test_what_is_public_is_apart_and_keeps_the_verdict_open_until_it_is_declared() -> None:
    found = replace(report(), public=(COUNTRIES,))
    assert document(found)["verdict"] == "undecided"
    assert document(found)["findings"] == []
    [one] = document(found)["public"]
    assert (one["at"], one["to"], one["declared"]) == ("GET /countries", "nobody", False)
    assert one["witness"][0]["request"].startswith("curl ")
    declared = replace(report(), public=(replace(COUNTRIES, declared=True),))
    assert document(declared)["verdict"] == "held"


def test_every_object_says_what_else_it_may_hold_and_needs_all_it_names() -> None:
    for part in objects(schema()):
        assert "additionalProperties" in part
        if "properties" in part:
            assert part["required"] == list(part["properties"])


def test_a_key_that_nobody_promised_is_refused() -> None:
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        jsonschema.validate(document(FULL) | {"surprise": 1}, schema())


def test_the_schema_knows_every_effect_and_state() -> None:
    assert schema()["$defs"]["effect"]["enum"] == list(EFFECTS)
    assert set(schema()["$defs"]["state"]["enum"]) == set(get_args(State))


def test_a_step_is_sql_or_a_command_in_the_audit_s_schema_too() -> None:
    items = audit_schema()["$defs"]["finding"]["properties"]["witness"]["items"]
    for step in ({"sql": "SELECT 1"}, {"request": "curl x"}):
        jsonschema.validate({"as": "acme", **step, "returned": "1"}, items)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"as": "a", "sql": "", "request": "", "returned": ""}, items)
