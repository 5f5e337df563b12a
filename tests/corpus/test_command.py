"""A few cases through the command line: the exit code and the JSON tell the truth."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from partywall.reports.json import schema
from tests.corpus.surveyed import EFFECTS, EXIT_CODES, changed, fingerprint, toml
from tests.corpus.truth import Server, loaded, read_case

GIVEN = Path(__file__).parent / "given"
RUNS = (
    ("042-view-superuser-owner", "copy"),  # a read
    ("054-fk-cascade-cross-tenant", "target"),  # B's rows destroyed
    ("063-references-privilege", "copy"),  # by any SQL of the login
    ("072-notify-broadcast", "copy"),  # sessions that commit
    ("102-sound-saas-composite-keys", "target"),
    ("123-sound-db-per-tenant", "copy"),
)


def command(file: Path, *options: str) -> tuple[int, Mapping[str, Any]]:
    """The exit code and the JSON of `partywall audit`."""
    words = [sys.executable, "-m", "partywall", "audit", "--config", str(file), *options]
    done = subprocess.run(
        [*words, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={name: value for name, value in os.environ.items() if "PARTYWALL" not in name},
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(("name", "place"), RUNS)
def test_exit_code_and_json_tell_the_truth(
    name: str, place: str, postgres15: Server, tmp_path: Path
) -> None:
    case = read_case(GIVEN / name)
    file = tmp_path / "partywall.toml"
    wanted = "breached" if case.truth["leak"] else "held"
    with loaded(case, postgres15):
        file.write_text(toml(case, postgres15))
        before = fingerprint(case, postgres15)
        code, report = command(file, *(["--on", place] if place != "copy" else []))
        assert changed(before, fingerprint(case, postgres15)) == []
    assert (code, report["verdict"]) == (EXIT_CODES[wanted], wanted)
    assert report["place"] == place
    assert list(Draft202012Validator(schema()).iter_errors(report)) == []
    effects = {finding["effect"] for finding in report["findings"]}
    assert effects & EFFECTS[case.truth["kind"]] if case.truth["leak"] else not effects
