"""Tenants' credentials at a store that asks IAM: sound policies hold, broken ones are found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from partywall.survey.attack import Breach, Unclear
from partywall.survey.objects.attacks import THROUGH, without
from partywall.survey.objects.settings import ObjectsLogin, Secret
from partywall.survey.objects.store import Scene, Thing
from partywall.survey.objects.surveying import survey
from partywall.survey.trying import Outcome
from tests.survey.objects.stores import stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.layers import LayerReport
    from partywall.survey.objects.store import Request
    from partywall.survey.trying import Attempt
    from tests.survey.objects.stores import Store

ATTACKS = {one.name: one for one in without(THROUGH)}


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with stored() as running:
        yield running


def surveyed(store: Store, example: str, *names: str, versions: bool = False) -> LayerReport:
    made = store.sound(versions=versions)
    store.execute(example)
    store.enforce()
    chosen = [one for name, one in ATTACKS.items() if not names or name in names]
    return survey(made, attacks=chosen)


@pytest.mark.parametrize("versions", [False, True])
def test_sound_policies_hold_by_proof_and_nothing_is_left(store: Store, *, versions: bool) -> None:
    names = ("objects-read", "objects-removed") if versions else tuple(ATTACKS)
    report = surveyed(store, "everybody: nothing", *names, versions=versions)
    assert report.undecided == ()
    assert report.verdict == "held"
    assert report.controls["failed"] == 0
    assert store.keys() == []


def test_what_the_administrator_may_not_remove_is_told(store: Store) -> None:
    made = store.sound()
    keeper = store.user("keeper")
    for action in ("PutObject", "PutObjectTagging", "GetObject", "AbortMultipartUpload"):
        store.allow("keeper", f"s3:{action}", "*")
    store.enforce()
    report = survey(replace(made, secret=keeper), attacks=[ATTACKS["objects-read"]])
    assert any("planted stays" in one and "DeleteObject" in one for one in report.left)
    assert any("versions" in one for one in report.left)


def test_no_secret_is_in_the_report(store: Store) -> None:
    made = store.sound()
    store.allow("acme", "s3:*", "files/*")
    store.enforce()
    told = repr(survey(made, attacks=[ATTACKS["objects-read"]]))
    assert all(one.secret.secret_key not in told for one in made.tenants.values())


def planned(way: str, attack: str) -> tuple[Thing, Attempt[Request]]:
    acme, globex = (
        Thing(ObjectsLogin(name, Secret(), "files", f"{name}/"), "run", f"canary-of-{name}")
        for name in ("acme", "globex")
    )
    scene = Scene(acme, globex)
    return globex, next(one for one in ATTACKS[attack].plan(scene) if one.way == way)


def test_an_object_that_could_not_be_looked_at_is_not_said_to_be_removed() -> None:
    victim, attempt = planned("put-object", "objects-overwritten")
    there = [Outcome(victim.canary)] * 4
    slow = Outcome(error="An error occurred (SlowDown) when calling the GetObject operation")
    gone = Outcome(error="An error occurred (NoSuchKey) when calling the GetObject operation")
    refused, nothing = Outcome(error="Denied", refused=True), Outcome(error="no copy")
    assert attempt.judge([*there, refused, slow, *there[1:], nothing]) is None
    told = attempt.judge([*there, Outcome("done"), gone, *there[1:], nothing])
    assert isinstance(told, Breach)
    assert told.effect == "destroy"


def test_a_list_in_which_the_object_is_not_tells_nothing() -> None:
    victim, attempt = planned("list-objects-v2", "objects-listed")
    nothing = Outcome(error="no copy")
    empty = attempt.judge([Outcome('{"KeyCount": 0}'), nothing])
    assert isinstance(empty, Unclear)
    assert isinstance(attempt.judge([Outcome(victim.key), nothing]), Breach)


def test_one_credential_for_all_is_said(store: Store) -> None:
    made = store.sound()
    store.enforce()
    alike = {n: replace(o, secret=made.tenants["acme"].secret) for n, o in made.tenants.items()}
    report = survey(replace(made, tenants=alike))
    assert "by one credential" in report.left[0]
    assert {one.attack for one in report.tried} == {"open-to-all"}
