"""What `partywall init` does once its command line is understood."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from partywall.cli.ending import HELD, say
from partywall.cli.init import FILE
from partywall.cli.output import write
from partywall.reports import beginning
from partywall.survey.proposal import propose

if TYPE_CHECKING:
    from pathlib import Path


def run(url: str, api: tuple[str, str], file: Path | None, *, as_json: bool) -> int:
    """Detect, write, and say what to do next; return the exit code."""
    found = propose(url) if url else None
    described = beginning.Api(base=api[1], openapi=api[0]) if api[1] else None
    written = beginning.document if as_json else beginning.toml
    write(written(found, described), file)
    if file is not None and not as_json:
        steps = " and ".join(next_steps(url, api[1], file))
        say(f"{file} is written: read it through, then run {steps}")
    if found and found.why:
        say(f"the tenants could not be made out: {found.why}")
    return HELD


def next_steps(url: str, base: str, file: Path) -> list[str]:
    """The commands that read the file."""
    read = "" if file == FILE else f" --config {quote(str(file))}"
    commands = [*(["audit"] if url else []), *(["probe"] if base else [])]
    return [f"`partywall {command}{read}`" for command in commands]
