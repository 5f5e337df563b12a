"""The page about encryption does what it says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.blocks import blocks, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE = "how-to/encryption.md"


def test_encryption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    made, _ = blocks(PAGE, "sh")
    subprocess.run(["sh", "-ec", made], check=True, capture_output=True)  # noqa: S607 - the page's
    run(PAGE)
    [shown] = blocks(PAGE, "text")
    assert capsys.readouterr().out == shown
