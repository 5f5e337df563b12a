"""How the examples on the pages of attacks on an object store are run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from partywall.survey.explaining.docstrings import parts
from partywall.survey.objects.attacks import THROUGH, without
from partywall.survey.objects.surveying import survey
from tests.survey.objects.stores import stored
from tests.survey.objects.test_links import report

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from partywall.survey.explaining.pages import Example
    from partywall.survey.trying import Attack
    from tests.conftest import Database


def of_objects(example: Example, database: Database, folder: Path) -> Collection[str]:
    """Policies of a store that asks IAM; or what an application's links are signed by."""
    del database, folder
    first, _, _ = example.text.partition("\n")
    if first.startswith("signed"):
        return {one.name for one in report(first).findings}
    return asked(example.text)


@cache
def asked(policies: str) -> Collection[str]:
    """What gets through where policies are these: many pages show the same."""
    with stored() as store:
        made = store.sound()
        store.execute(policies)
        store.enforce()
        return {one.name for one in survey(made, attacks=showing(policies)).findings}


def showing(policies: str) -> Sequence[Attack[Any, Any]]:
    """The attacks on whose pages that stands."""
    every = without(THROUGH)
    return [one for one in every if policies in parts(one.doc)[2].values()]
