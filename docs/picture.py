"""Draw docs/images/demo.svg: the matrix of the demo's second chapter, from a real run.

python docs/picture.py
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from partywall.cli.tour import binaries
from partywall.demo import CHAPTERS, DATABASE, built
from partywall.reports import text
from partywall.servers import postgres
from partywall.survey.audit import audit

PICTURE = Path(__file__).parent / "images" / "demo.svg"
WIDTH = 80
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

# Dark, with colours that are told apart on it; the order is that of a terminal's sixteen.
DULL = [
    (0x23, 0x29, 0x33), (0xF0, 0x6C, 0x66), (0x6F, 0xC2, 0x76), (0xE3, 0xB3, 0x41),
    (0x6C, 0xA8, 0xF0), (0xC7, 0x8D, 0xEA), (0x56, 0xC2, 0xC8), (0xD5, 0xDA, 0xE1),
]  # fmt: skip
THEME = TerminalTheme((0x16, 0x1B, 0x22), (0xD5, 0xDA, 0xE1), DULL, DULL)


def drawn() -> str:
    """The picture as SVG; it names no font of another host."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    with postgres(binaries()) as server, built(CHAPTERS[1], server) as configuration:
        report = replace(audit(configuration), target=f"127.0.0.1/{DATABASE}")
    text.heading(report, console)
    text.grid(report, console)
    form = re.sub(r"@font-face\s*\{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", form)
    return console.export_svg(
        title="partywall demo", theme=THEME, code_format=form, unique_id="demo"
    )


if __name__ == "__main__":
    svg = drawn()
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")
    print(f"{PICTURE.relative_to(Path.cwd())}: {len(svg) // 1024} KiB")
