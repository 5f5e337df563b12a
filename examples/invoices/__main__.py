"""Serve the application, sound or with a deliberate mistake: `python examples/invoices`."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

# The folder of the package, and not the package's own: `invoices` is a module in there.
sys.path[0] = str(Path(__file__).parents[1])

import uvicorn  # noqa: E402 - see above

from invoices.mistakes import MISTAKES  # noqa: E402 - see above


def main() -> None:
    """Read the command line and serve on the loopback interface until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python examples/invoices", description=__doc__)
    parser.add_argument(
        "--break",
        dest="mistakes",
        choices=MISTAKES,
        action="append",
        default=[],
        help="make this mistake; more than once for several",
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--probe", type=Path, metavar="FOLDER", help="make it ready for partywall probe"
    )
    given = parser.parse_args()
    if given.probe:
        import_module("invoices.probe").main(given.probe, given.mistakes)
        return
    if given.mistakes:
        os.environ.setdefault("INVOICES_ISOLATION", "scoped")
        os.environ.setdefault("INVOICES_FOLDER", "invoices-broken")
    for mistake in given.mistakes:
        import_module(f"invoices.mistakes.{mistake.replace('-', '_')}")
    uvicorn.run(import_module("invoices.app").app, port=given.port)


if __name__ == "__main__":
    main()
