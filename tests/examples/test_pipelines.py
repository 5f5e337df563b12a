"""The snippets for pipelines: their YAML can be read, and what they call exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml

from partywall.cli import app
from tests.migrations.projects import project

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "ci.md"
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SNIPPETS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
[HOOK] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def texts(value: object) -> Iterator[str]:
    """Every text within a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def commands(value: object) -> list[list[str]]:
    """The words of every line that calls `partywall`; a shell's variables stand for one value."""
    lines = [line for text in texts(value) for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("partywall ")]


def understood(words: list[str]) -> dict[str, Any]:
    """What the command line makes of *words*.

    Raises:
        UsageError: an option is none of the command's.
    """
    group = typer.main.get_command(app)
    with group.make_context("partywall", list(words), resilient_parsing=True) as outer:
        name, *rest = words
        command = group.get_command(outer, name)  # type: ignore[attr-defined] # it is a group
        with command.make_context(name, rest) as inner:
            return dict(inner.params)


IN_FILES = [*commands([yaml.safe_load(s) for s in SNIPPETS]), *commands(ACTION)]


def test_each_kind_of_pipeline_has_its_snippet() -> None:
    assert len(SNIPPETS) == 4
    assert len(IN_FILES) == 3


@pytest.mark.parametrize("words", IN_FILES, ids=" ".join)
def test_what_a_snippet_calls_is_understood(words: list[str]) -> None:
    plain = [word for word in words if word != "${options[@]}"]

    assert understood(plain)["migrations"]


def test_an_option_that_does_not_exist_is_seen() -> None:
    with pytest.raises(Exception, match="No such option: --nothing"):
        understood(["audit", "--nothing"])


def test_what_a_workflow_gives_the_action_is_an_input_of_its() -> None:
    [step] = [
        step for snippet in SNIPPETS
        for job in yaml.safe_load(snippet).get("jobs", {}).values()
        for step in job["steps"] if step.get("uses", "").startswith("partywall/")
    ]  # fmt: skip

    assert step["with"].keys() <= ACTION["inputs"].keys()
    assert understood(["audit", *step["with"]["options"].split()])["attacker"]


def test_the_hook_surveys_the_folder_it_is_given(tmp_path: Path) -> None:
    [hook] = yaml.safe_load(SNIPPETS[-1])["repos"][0]["hooks"]
    assert (hook["id"], HOOK["pass_filenames"]) == (HOOK["id"], False)
    project(tmp_path, "plain", "leaky")
    (tmp_path / "partywall.toml").write_text('[survey]\nattacker = "query"\n', encoding="utf-8")
    program, *words = shlex.split(HOOK["entry"])

    done = subprocess.run(
        [sys.executable, "-m", program, *words, str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 1
    assert "public.notes" in done.stdout


@pytest.mark.parametrize(
    ("file", "concerned"),
    [("supabase/migrations/1_a.sql", True), ("db/migrations/a.sql", True), ("sql/V1__a.sql", True),
     ("backend/alembic/versions/a.py", True), ("shop/migrations/0001_a.py", True),
     ("prisma/migrations/a/migration.sql", True), ("deploy/users.sql", True),
     ("src/views.py", False), ("migrations/README.md", False)],
)  # fmt: skip
def test_the_hook_runs_when_a_migration_changed(file: str, *, concerned: bool) -> None:
    assert bool(re.search(HOOK["files"], file)) is concerned
