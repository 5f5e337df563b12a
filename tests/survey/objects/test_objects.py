"""Tenants' credentials at a store that asks IAM: sound policies hold, broken ones are found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from partywall.survey.objects.attacks import THROUGH, without
from partywall.survey.objects.surveying import survey
from tests.survey.objects.stores import stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.layers import LayerReport
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


def test_no_secret_is_in_the_report(store: Store) -> None:
    made = store.sound()
    store.allow("acme", "s3:*", "files/*")
    store.enforce()
    told = repr(survey(made, attacks=[ATTACKS["objects-read"]]))
    assert all(one.secret.secret_key not in told for one in made.tenants.values())


def test_one_credential_for_all_is_said(store: Store) -> None:
    made = store.sound()
    store.enforce()
    alike = {n: replace(o, secret=made.tenants["acme"].secret) for n, o in made.tenants.items()}
    report = survey(replace(made, tenants=alike))
    assert "by one credential" in report.left[0]
    assert {one.attack for one in report.tried} == {"open-to-all"}
