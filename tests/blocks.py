"""The blocks of code of a page, to be run as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """What stands between the fences of *language* on a page of docs/, in order."""
    fence = rf"^```{language}\n(.*?)^```$"
    return re.findall(fence, (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(page: str) -> None:
    """Run the page's Python as one program, at whose end its `tenancy` is closed."""
    code = compile("\n".join(blocks(page, "python")), str(DOCS / page), "exec", dont_inherit=True)
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(code, names)  # noqa: S102 - a page of ours
    finally:
        if "tenancy" in names:
            names["tenancy"].close()
