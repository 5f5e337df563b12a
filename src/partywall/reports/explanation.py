"""The page of a finding: for the terminal, as Markdown, and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from partywall.reports.style import WIDEST
from partywall.reports.text import say, title
from partywall.survey.explaining.pages import ON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from partywall.survey.explaining.pages import Example, Kind, Page

KINDS: dict[Kind, str] = {
    "attack": "Attacks on a database",
    "check": "Checks of a database",
    "advice": "Advice: speed and hygiene, never a breach",
    "attack on an API": "Attacks on an API",
    "comparison": "What is compared beside them",
    "attack on a pool": "Attacks on pooled connections",
    "attack on a cache": "Attacks on a cache",
    "attack on jobs": "Attacks on jobs and workflows",
    "attack on sockets": "Attacks on live connections",
    "attack on objects": "Attacks on stored objects",
    "undecided": "What stays undecided, and is no finding",
}
FURTHER = frozenset(ON.values())
CASES = "tests/probe/corpus/"


def show(page: Page, console: Console) -> None:
    """Write a page for people."""
    level = f" · {page.level}" if page.level else ""
    console.print(Text.assemble((page.name, "bold cyan"), (f"  {page.code}", "bold")))
    say(console, f"{page.kind} · {page.effect}{level}", "dim")
    console.print()
    say(console, page.summary, "bold")
    for paragraph in page.hazard:
        console.print()
        say(console, plain(paragraph))
    title(console, "who is affected")
    say(console, page.affected)
    _examples(console, "it breaches", page.breaches, "red")
    _examples(console, "it holds", page.holds, "green")
    title(console, "the fix")
    say(console, plain(page.fix))
    if any(e.application for e in (*page.breaches, *page.holds)):
        _applications(console, (*page.breaches, *page.holds))
    title(console, "source")
    for source in page.sources:
        console.print(Text(source, "dim"), soft_wrap=True)


def index(pages: Iterable[Page], console: Console) -> None:
    """Write a line for every page."""
    every = tuple(pages)
    there = {page.kind for page in every}
    for kind, heading in KINDS.items():
        if kind not in there:
            continue
        title(console, heading)
        table = Table.grid(padding=(0, 2))
        for page in every:
            if page.kind == kind:
                table.add_row(page.code, Text(page.name, "cyan"), Text(page.summary))
        console.print(table, width=min(console.width, WIDEST))
    console.print()
    say(console, "`partywall explain NAME` shows one.", "dim")


def document(page: Page) -> dict[str, Any]:
    """A page for programs."""
    told = asdict(page)
    for side in ("breaches", "holds"):
        told[side] = [_example(one) for one in getattr(page, side)]
    return told


def markdown(page: Page) -> str:
    """A page of the documentation."""
    level = f" · {page.level}" if page.level else ""
    parts = [
        f"# {page.name}",
        f"{page.code} · {page.kind} · {page.effect}{level}",
        plain(page.summary),
        *map(plain, page.hazard),
        "## Who is affected",
        plain(page.affected),
        *_cases("## A case that breaches", page.kind, page.breaches),
        *_cases("## A case that holds", page.kind, page.holds),
        "## The fix",
        plain(page.fix),
        "## Source",
        "\n".join(f"- {_linked(source)}" for source in page.sources),
        "[All findings](../findings.md)",
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text of a docstring; its code is marked by one backtick."""
    return text.replace("``", "`")


def _examples(console: Console, words: str, examples: tuple[Example, ...], style: str) -> None:
    if not examples:
        return
    title(console, words)
    for example in examples:
        if example.case:
            say(console, f"{_file(example)}{_operation(example)}", "dim")
        elif example.application:
            say(console, f"-- added to {_known(example)}", "dim")
        for line in example.text.splitlines():
            console.print(Text(f"  {line}", style), soft_wrap=True)


def _applications(console: Console, examples: Iterable[Example]) -> None:
    for one in dict.fromkeys(e.application for e in examples):
        if one is None:
            continue
        title(console, f"the application: {one.name}")
        for line in one.script.splitlines():
            console.print(Text(f"  {line}", "dim"), soft_wrap=True)
        if one.enter:
            entered = one.enter.format(tenant="acme", person="ann")
            console.print(Text(f"  -- acme enters: {entered}", "dim"), soft_wrap=True)


def _known(example: Example) -> str:
    return f"the application “{example.application.name}”, below" if example.application else ""


def _example(example: Example) -> dict[str, Any]:
    application = example.application
    return {
        "text": example.text,
        "case": _file(example) or None,
        "application": application.script if application else None,
    }


def _file(example: Example) -> str:
    """Where in the repository a case of an API is."""
    name = example.case.partition(":")[0]
    if not name or name.endswith(".py"):
        return name
    return f"{CASES}{name}.py"


def _operation(example: Example) -> str:
    return f": {operation}" if (operation := example.case.partition(": ")[2]) else ""


def _cases(heading: str, page_kind: Kind, examples: tuple[Example, ...]) -> Iterator[str]:
    if not examples:
        return
    yield heading
    first = examples[0]
    if first.case:
        where = f"[{_file(first)}](../../{_file(first)})"
        asked = f"`{_operation(first)[2:]}` of " if _operation(first) else ""
        yield f"{asked}{where}:"
        yield "\n".join(f"- {line}" for line in first.text.splitlines())
        return
    if first.application:
        anchor = first.application.name.replace(" ", "-")
        name = first.application.name
        yield f"Added to the application [{name}](../findings.md#{anchor}):"
    if first.application is None and page_kind in FURTHER:
        yield "```\n" + "\n".join(e.text for e in examples) + "\n```"
        return
    ended = (e.text if e.text.rstrip().endswith(";") or e.text.startswith("--") else f"{e.text};"
             for e in examples)  # fmt: skip
    yield "```sql\n" + "\n".join(ended) + "\n```"


def _linked(source: str) -> str:
    """A source whose address can be clicked."""
    if source.startswith("https://"):
        address, _, rest = source.partition(" ")
        return f"<{address}> {rest}".rstrip()
    return source
