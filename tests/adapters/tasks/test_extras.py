"""What is not installed is named, with the command that installs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.adapters.tasks.processes import ROOT

CODE = """
import sys
import partywall
assert not {"celery", "procrastinate", "redis"} & set(sys.modules)
sys.modules["NAME"] = None
try:
    import partywall.adapters.NAME
except partywall.errors.ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["celery", "procrastinate"])
def test_a_missing_extra_is_named(name: str) -> None:
    code = "import partywall.errors\n" + CODE.replace("NAME", name)
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert f"pip install 'partywall[{name}]'" in said
