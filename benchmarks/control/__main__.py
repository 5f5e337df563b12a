"""Measure the control plane.

    python -m benchmarks.control                       # everything, about seven minutes
    python -m benchmarks.control resolve --rounds 31 --format json

resolve       what a request pays for tenant and membership, from memory, and for its token
signups       sign-ups a second, and how long until the last tenant is let in
thousand      as many tenants, one after the other: time and memory of the first and the last
provisioning  a tenant's schema of 20 and of 50 tables, against fastapi-tenancy and django-tenants
              (in an environment of their own, installed with pip the first time)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.control.provisioning import provisioning
from benchmarks.control.resolve import resolve
from benchmarks.control.signups import signups
from benchmarks.control.thousand import thousand
from benchmarks.runtime.__main__ import table
from partywall.servers import find_binaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.servers import Binaries

Row = dict[str, Any]


def resolving(binaries: Binaries, asked: argparse.Namespace) -> list[Row]:
    """Requests with and without."""
    return [asdict(each) for each in resolve(binaries, asked.rounds)]


def signing_up(binaries: Binaries, asked: argparse.Namespace) -> list[Row]:
    """In four houses."""
    return [asdict(each) for each in signups(binaries, asked.signups)]


def many(binaries: Binaries, asked: argparse.Namespace) -> list[Row]:
    """One after the other."""
    return [asdict(each) for each in thousand(binaries, asked.tenants)]


def building(binaries: Binaries, asked: argparse.Namespace) -> list[Row]:
    """Everybody's schemas."""
    return [asdict(each) for each in provisioning(binaries, asked.rounds, (20, 50))]


BENCHMARKS: dict[str, Callable[[Binaries, argparse.Namespace], list[Row]]] = {
    "resolve": resolving,
    "signups": signing_up,
    "thousand": many,
    "provisioning": building,
}


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=[*BENCHMARKS, []], nargs="*")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--signups", type=int, default=300, help="in each house")
    parser.add_argument("--tenants", type=int, default=1000, help="of `thousand`")
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
