"""What holds for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import partywall

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"

NAME = re.compile(r"[A-Za-z0-9._-]+(?:\[[a-z,]+\])?")
REGISTRY_HOST = re.compile(r"(?:pypi|pythonhosted|npmjs|deb\.debian)\.(?:org|com)")
LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


@cache
def files() -> list[Path]:
    """What git tracks, or would track; in a copy without git, all but hidden files."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(git, capture_output=True, text=True, check=False)
    if listing.returncode:
        found = (p.relative_to(ROOT) for p in ROOT.rglob("*"))
        names = [str(p) for p in found if not any(part.startswith(".") for part in p.parts)]
    else:
        names = listing.stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def texts() -> dict[str, str]:
    """The content of each text file, by its path in the repository."""
    contents = {}
    for path in files():
        try:
            contents[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return contents


def project() -> dict[str, Any]:
    """The parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements() -> list[str]:
    """Every package that pyproject.toml asks for, in any part."""
    facts = project()
    extras = facts["project"]["optional-dependencies"].values()
    asked = [facts["build-system"]["requires"], facts["project"]["dependencies"], *extras]
    return sorted({name[0] for part in asked for line in part if (name := NAME.match(line))})


def pinned() -> set[str]:
    """The names of the packages in the lock, as registries write them."""
    return set(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", requirements())
def test_each_dependency_has_its_reason_and_its_pin(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "dependencies.md").read_text()
    assert name.partition("[")[0] in pinned()


def test_the_page_of_dependencies_names_no_other() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text().partition("## From the system")[0]
    assert sorted(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)) == requirements()


def test_the_lock_names_no_host_and_no_machine_s_path() -> None:
    lines = LOCK.read_text().splitlines()
    assert not [
        line for line in lines if "://" in line or re.search(r"(^|\s)(--\w+-url|-f|/)", line)
    ]


def test_every_pin_of_the_lock_has_a_hash() -> None:
    entries = re.split(r"^(?=[a-z0-9-]+==)", LOCK.read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert not [entry for entry in entries if "--hash=sha256:" not in entry]


def test_no_file_names_a_registry_s_host() -> None:
    assert not [name for name, text in texts().items() if REGISTRY_HOST.search(text)]


def test_nothing_is_put_off_in_a_comment() -> None:
    assert not [name for name, text in texts().items() if LATER.search(text)]


def test_the_package_is_typed_and_says_its_version() -> None:
    assert (ROOT / "src" / "partywall" / "py.typed").is_file()
    assert partywall.__version__ == project()["project"]["version"]


def test_a_registry_s_lock_is_not_tracked() -> None:
    assert "uv.lock" in (ROOT / ".gitignore").read_text().splitlines()
    assert ROOT / "uv.lock" not in files()
