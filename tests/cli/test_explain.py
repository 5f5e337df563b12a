"""`partywall explain` as a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.harbour import partywall, without_extras

if TYPE_CHECKING:
    from pathlib import Path


def test_a_page_in_the_terminal_takes_no_extra(tmp_path: Path) -> None:
    done = partywall("explain", "PW245", folder=tmp_path, **without_extras(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("truncate-rows  PW245\n")
    for part in ("who is affected", "it breaches", "it holds", "the fix", "source"):
        assert f"\n{part}\n" in done.stdout
    assert "  GRANT TRUNCATE ON shop.invoices TO app;\n" in done.stdout


def test_a_page_for_programs(tmp_path: Path) -> None:
    done = partywall("explain", "others-id", "--format", "json", folder=tmp_path)
    page = json.loads(done.stdout)
    assert (page["code"], page["kind"]) == ("PW301", "attack on an API")
    assert page["breaches"][0]["case"] == "tests/probe/corpus/faults/read_by_id.py"


def test_without_a_name_all_are_listed(tmp_path: Path) -> None:
    done = partywall("explain", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PW201  read-rows" in done.stdout
    assert "PW301  others-id" in done.stdout
    assert len(json.loads(partywall("explain", "--format", "json", folder=tmp_path).stdout)) > 70


def test_a_wrong_name_is_2_and_says_what_may_be_meant(tmp_path: Path) -> None:
    done = partywall("explain", "read-row", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean read-rows" in done.stderr
