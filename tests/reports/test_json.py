"""The report for programs keeps to its schema, and the schema leaves nothing open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from partywall.reports.json import report as document
from partywall.reports.json import schema, written
from partywall.survey.verdict import EFFECTS, Advice, Excepted, Report, Undecided
from tests.reports.values import FINDING, report

FULL = replace(
    report(FINDING),
    undecided=(Undecided("PW222", "move-row", "write", "public.log", "why"),),
    excepted=(Excepted(FINDING, "agreed", "2027-06-30"), Excepted(FINDING, "for ever")),
    advice=(Advice("PW301", "init-plan", "public.t", "slow", "SELECT", "https://x.test"),),
    left=("nothing else",),
    known=(FINDING,),
    known_undecided=(Undecided("PW222", "move-row", "write", "public.log", "why"),),
    remarks=("an exception ended",),
    cells={
        ("public.log", "write"): "undecided",
        ("public.log", "read"): "known",
        ("public.a", "detect"): "held",
    },
)


@pytest.mark.parametrize("found", [report(), FULL, replace(FULL, model=None, identities={})])
def test_a_report_follows_the_schema(found: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema(), format_checker=checker).validate(document(found))


def test_a_finding_has_what_the_design_promises() -> None:
    [finding] = json.loads(written(document(FULL)))["findings"]
    assert finding == {
        "code": "PW201", "name": "read-rows", "layer": "sql", "effect": "read",
        "at": "public.invoices", "attacker": "acme", "victim": "globex",
        "witness": [
            {"as": "acme", "sql": FINDING.witness[0].sql, "returned": FINDING.witness[0].returned}
        ],
        "because": FINDING.because, "fix": FINDING.fix, "url": FINDING.url, "repair": [],
    }  # fmt: skip


def test_the_matrix_is_in_one_order_whatever_was_tried_first() -> None:
    assert list(document(FULL)["matrix"].items()) == [
        ("public.a", {"detect": "held"}), ("public.log", {"read": "known", "write": "undecided"}),
    ]  # fmt: skip
    assert list(document(FULL)["matrix"]["public.log"]) == ["read", "write"]


def test_surfaces_are_counted_by_layer_and_by_their_worst() -> None:
    found = replace(
        report(),
        cells={
            ("a.t", "read"): "held", ("a.t", "write"): "breached", ("a.u", "read"): "closed",
            ("a.v", "read"): "undecided", ("role x", "escalate"): "held",
        },
        layers={"role x": "catalog"},
    )  # fmt: skip
    nothing = {"breached": 0, "undecided": 0, "excepted": 0, "held": 0, "closed": 0, "known": 0}
    assert document(found)["coverage"] == {
        "catalog": nothing | {"attacked": 1, "held": 1},
        "sql": nothing | {"attacked": 3, "breached": 1, "undecided": 1, "closed": 1},
    }


def test_versions_are_written_as_people_know_them() -> None:
    assert document(report())["versions"]["postgresql"] == "15.20"


def objects(part: object) -> Iterator[dict[str, Any]]:
    """Every schema of an object within *part*."""
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield part
        for inner in part.values():
            yield from objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from objects(inner)


def test_every_object_says_what_else_it_may_hold_and_needs_all_it_names() -> None:
    for part in objects(schema()):
        assert "additionalProperties" in part
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])


def test_a_key_that_nobody_promised_is_refused() -> None:
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        jsonschema.validate(document(FULL) | {"surprise": 1}, schema())


def test_the_schema_knows_every_effect() -> None:
    assert schema()["$defs"]["effect"]["enum"] == list(EFFECTS)
