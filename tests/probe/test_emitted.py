"""What a probe found becomes tests: each fails while its breach is there, and passes without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from partywall.reports.probe_tests import emitted, untested
from partywall.survey.http.hiding import variable
from partywall.survey.http.loading import load
from partywall.survey.http.probing import probe
from tests.probe.corpus.case import Case, Entry, entries
from tests.probe.serving import serving
from tests.probe.test_corpus import configured

if TYPE_CHECKING:
    from pathlib import Path

FOUND = {one.name: one for one in entries()}
TESTED = [
    "list_unfiltered",  # nothing in the request is the victim's: what shows there has to be made
    "known_by_name",  # an id that the client chooses
    "export_all",
    "graphql_node",
    "graphql_mutation",
    "existence_told",
]


def ran(case: Case, text: str, folder: Path) -> str:
    """The last line of pytest's, of an emitted file run against a fresh case."""
    (folder / "test_breaches.py").write_text(text)
    with serving(case.app) as port:
        environment = {"PATH": os.environ["PATH"], "PARTYWALL_BASE": f"http://127.0.0.1:{port}"}
        for tenant, told in case.tenants.items():
            for name, value in {**told.get("headers", {}), **told.get("own", {})}.items():
                environment[variable(tenant, name)] = str(value)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:partywall"],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    return done.stdout.splitlines()[-1]


def written(entry: Entry, folder: Path) -> tuple[str, int, int]:
    """The emitted file, how many breaches it has, and for how many there is no test."""
    case = entry.case()
    with serving(case.app) as port:
        found = probe(load(configured(case, port, folder), seed=5)).findings
    return emitted(found, "here"), len(found), untested(found)


@pytest.mark.parametrize("name", TESTED)
def test_each_fails_while_its_breach_is_there(name: str, tmp_path: Path) -> None:
    entry = FOUND[f"faults/{name}"]
    text, number, without = written(entry, tmp_path)
    assert number
    assert not without
    assert re.match(rf"{number} failed in", ran(entry.case(), text, tmp_path))


def test_what_does_not_show_from_nothing_is_no_test(tmp_path: Path) -> None:
    """To read what was removed, it has to be removed first: no step of the recipe says so."""
    text, number, without = written(FOUND["faults/deleted_still_readable"], tmp_path)
    assert number == without == 1
    assert "def test_" not in text
    assert "# Without a test" in text
