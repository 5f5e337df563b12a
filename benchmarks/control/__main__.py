"""Measure the control plane.

    python -m benchmarks.control resolve               # about a minute
    python -m benchmarks.control resolve --rounds 31 --format json

resolve  what a request pays for tenant and membership, from memory, and for its token
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.control.resolve import resolve
from benchmarks.runtime.__main__ import table
from partywall.servers import find_binaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.servers import Binaries

Row = dict[str, Any]


def resolving(binaries: Binaries, asked: argparse.Namespace) -> list[Row]:
    """Requests with and without."""
    return [asdict(each) for each in resolve(binaries, asked.rounds)]


BENCHMARKS: dict[str, Callable[[Binaries, argparse.Namespace], list[Row]]] = {"resolve": resolving}


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=[*BENCHMARKS, []], nargs="*")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--server", choices=["system", "embedded"], default="system")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    asked = parser.parse_args()
    wanted = asked.server == "embedded"
    binaries = next(each for each in find_binaries() if (each.source == "embedded") is wanted)
    found = {what: BENCHMARKS[what](binaries, asked) for what in asked.what or list(BENCHMARKS)}
    if asked.format == "json":
        print(
            json.dumps({"postgresql": binaries.version, "load": os.getloadavg(), **found}, indent=2)
        )
        return 0
    for what, rows in found.items():
        Console(width=120).print(table(what, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
