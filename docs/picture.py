"""Draw the pictures in docs/images, each from a real run of what `make demo` shows.

    python docs/picture.py

demo.svg is the matrix of the survey's second chapter, report.png the page of the same (it takes
Chromium), house.svg two companies that sign up with the reference application, and one of them at
the other's doors.
"""

from __future__ import annotations

import io
import re
import runpy
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

sys.path.insert(0, str(Path(__file__).parents[1]))  # started by path, it finds the tests' browser

from partywall.cli.tour import binaries
from partywall.demo import CHAPTERS, DATABASE, built
from partywall.reports import formats, text
from partywall.servers import postgres
from partywall.survey.audit import audit
from tests.reports.browsing import chromium

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

    from partywall.survey.verdict import Report

IMAGES = Path(__file__).parent / "images"
REFERENCE = Path(__file__).parents[1] / "examples" / "invoices" / "demo.py"
WIDTH = 80
PAGE = 1180, 2060
"""How wide the page of a report is drawn, and how much of it."""
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

# Dark, with colours that are told apart on it; the order is that of a terminal's sixteen.
DULL = [
    (0x23, 0x29, 0x33), (0xF0, 0x6C, 0x66), (0x6F, 0xC2, 0x76), (0xE3, 0xB3, 0x41),
    (0x6C, 0xA8, 0xF0), (0xC7, 0x8D, 0xEA), (0x56, 0xC2, 0xC8), (0xD5, 0xDA, 0xE1),
]  # fmt: skip
THEME = TerminalTheme((0x16, 0x1B, 0x22), (0xD5, 0xDA, 0xE1), DULL, DULL)


@cache
def surveyed() -> Report:
    """What the demo's second chapter comes to."""
    with postgres(binaries()) as server, built(CHAPTERS[1], server) as configuration:
        return replace(audit(configuration), target=f"127.0.0.1/{DATABASE}")


def survey() -> str:
    """The matrix of a survey."""
    console, report = recording(), surveyed()
    text.heading(report, console)
    text.grid(report, console)
    return drawn(console, "partywall demo", "demo")


def page(picture: Path) -> None:
    """The page of a survey, from its matrix to the first witness."""
    form = formats.written(formats.Format.HTML, surveyed(), source="partywall.toml")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        file = Path(folder, "report.html")
        file.write_text(str(form), encoding="utf-8")
        width, height = PAGE
        size: ViewportSize = {"width": width, "height": height}
        window = browser.new_page(viewport=size, color_scheme="light")
        window.goto(file.as_uri())
        window.screenshot(path=picture)


def house() -> str:
    """Two companies, and what one of them reaches of the other's."""
    console, demo = recording(), runpy.run_path(str(REFERENCE))
    with postgres(binaries()) as server, demo["running"](server) as client:
        companies = [demo["signed_up"](console, client, slug) for slug in demo["COMPANIES"]]
        console.print()
        demo["tried"](console, client, *companies)
    return drawn(console, "examples/invoices", "house")


def recording() -> Console:
    """A console that keeps what it would show on a terminal with colours."""
    return Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )


def drawn(console: Console, title: str, name: str) -> str:
    """What a console has recorded as SVG; it names no font of another host."""
    form = re.sub(r"@font-face\s*\{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", form)
    return console.export_svg(title=title, theme=THEME, code_format=form, unique_id=name)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for name, draw in {"demo": survey, "house": house}.items():
        svg = re.sub(r"[ \t]+$", "", draw(), flags=re.MULTILINE)
        (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"docs/images/{name}.svg: {len(svg) // 1024} KiB")
    page(IMAGES / "report.png")
    print(f"docs/images/report.png: {(IMAGES / 'report.png').stat().st_size // 1024} KiB")
