"""Measure the runtime against the same work without it, and against others.

    python -m benchmarks.runtime                       # everything, about ten minutes
    python -m benchmarks.runtime units --tenants 1 --rounds 15
    python -m benchmarks.runtime peers crowd --format json

units   begin, one select by key, commit: with partywall and without, for each driver; and as one
        `tenancy.batch`
sealed  the same with sealed contexts and with others
peers   the same with django-tenants, fastapi-tenancy and sqlalchemy-tenants, in an environment of
        their own (installed with pip, the first time)
crowd   1,000 tenants, 16 clients, one pool of 10 connections: throughput and p99
memory  what a backend keeps of 1,000 schemas of 20 tables
analysis  what `ScopedQueries` takes to look at a statement

Every figure comes from one run in which the contenders took turns; see `pairing`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.runtime.analysis import analysis
from benchmarks.runtime.crowd import crowd
from benchmarks.runtime.environment import interpreter
from benchmarks.runtime.memory import memory
from benchmarks.runtime.pairing import Name, compare
from benchmarks.runtime.scene import DATABASE, pin, scene
from benchmarks.runtime.tenants import LOGIN
from partywall.servers import find_binaries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.servers import Binaries

SERVER_CORE = 1
MANY = 1000
WAYS = (("Sync", "psycopg"), ("Async", "psycopg"), ("Async", "asyncpg"), ("Plain", "psycopg"))
MODELS = ("rows", "schemas")
Row = dict[str, Any]


def name(title: str, kind: str, python: str = sys.executable, **options: str) -> Name:
    """A contender."""
    return Name(title, kind, options, python)


def units(binaries: Binaries, asked: argparse.Namespace) -> Iterator[Row]:
    """With partywall and without."""
    with scene(binaries, max(asked.tenants)) as server:
        pin(server, core=SERVER_CORE)
        url = server.url(DATABASE, LOGIN)
        for tenants in asked.tenants:
            for kind, driver in WAYS:
                for model in MODELS:
                    told = {"url": url, "model": model, "driver": driver}
                    names = [name("without", f"bare:{kind}", **told)]
                    names.append(name("partywall", f"walled:{kind}", **told))
                    if kind == "Plain":
                        names.append(name("partywall, batch", "walled:Batch", **told))
                    for one in compare(names, tenants=tenants, rounds=asked.rounds):
                        yield {
                            "of": f"{kind.lower()} {driver}, {model}",
                            "tenants": tenants,
                        } | asdict(one)


def sealed(binaries: Binaries, asked: argparse.Namespace) -> Iterator[Row]:
    """Sealed contexts against those that are not."""
    with scene(binaries, max(asked.tenants)) as server:
        pin(server, core=SERVER_CORE)
        url = server.url(DATABASE, LOGIN)
        for tenants in asked.tenants:
            for kind, driver in WAYS:
                names = [
                    name(title, f"walled:{kind}", url=url, model=model, driver=driver)
                    for title, model in (("not sealed", "rows"), ("sealed", "sealed"))
                ]
                for one in compare(names, tenants=tenants, rounds=asked.rounds):
                    yield {"of": f"{kind.lower()} {driver}", "tenants": tenants} | asdict(one)


def peers(binaries: Binaries, asked: argparse.Namespace) -> Iterator[Row]:
    """With partywall, with others, and without."""
    python = interpreter()
    with scene(binaries, max(asked.tenants)) as server:
        pin(server, core=SERVER_CORE)
        url = server.url(DATABASE, LOGIN)
        for tenants in asked.tenants:
            for (kind, driver, model), others in PEERS.items():
                told = {"url": url, "model": model, "driver": driver}
                pairs = (("without", f"bare:{kind}"), ("partywall", f"walled:{kind}"), *others)
                names = [name(title, made, python, **told) for title, made in pairs]
                for one in compare(names, tenants=tenants, rounds=asked.rounds):
                    yield {"of": f"{kind.lower()} {driver}, {model}", "tenants": tenants} | asdict(
                        one
                    )


PEERS: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = {
    ("Sync", "psycopg", "rows"): (("sqlalchemy-tenants", "with_sqlalchemy_tenants:Sync"),),
    ("Async", "asyncpg", "rows"): (
        ("sqlalchemy-tenants", "with_sqlalchemy_tenants:Async"),
        ("fastapi-tenancy", "with_fastapi_tenancy:Async"),
    ),
    ("Async", "psycopg", "rows"): (("sqlalchemy-tenants", "with_sqlalchemy_tenants:Async"),),
    ("Async", "asyncpg", "schemas"): (("fastapi-tenancy", "with_fastapi_tenancy:Async"),),
    ("Async", "psycopg", "schemas"): (("fastapi-tenancy", "with_fastapi_tenancy:Async"),),
    ("Sync", "psycopg", "schemas"): (
        ("Django without", "with_django_tenants:Django"),
        ("django-tenants", "with_django_tenants:Tenants"),
        ("django-tenants, limited", "with_django_tenants:LimitedTenants"),
    ),
}


def crowds(binaries: Binaries, asked: argparse.Namespace) -> Iterator[Row]:
    """Threads with psycopg, tasks with asyncpg."""
    with scene(binaries, MANY) as server:
        pin(server, core=SERVER_CORE)
        url = server.url(DATABASE, LOGIN)
        for kind, driver in (("Sync", "psycopg"), ("Async", "psycopg"), ("Async", "asyncpg")):
            for model in MODELS:
                told = {"url": url, "model": model, "driver": driver}
                names = [
                    name("without", f"bare:{kind}", **told),
                    name("partywall", f"walled:{kind}", **told),
                ]
                for one in crowd(names, tenants=MANY, rounds=asked.rounds):
                    yield {"of": f"{kind.lower()} {driver}, {model}", "tenants": MANY} | asdict(one)


def memories(binaries: Binaries, asked: argparse.Namespace) -> Iterator[Row]:
    """One pass over all schemas each."""
    del asked
    yield from map(asdict, memory(binaries, MANY))


def looks(binaries: Binaries, asked: argparse.Namespace) -> Iterator[Row]:
    """No server is asked."""
    del binaries, asked
    yield from map(asdict, analysis())


BENCHMARKS: dict[str, Callable[[Binaries, argparse.Namespace], Iterator[Row]]] = {
    "units": units,
    "sealed": sealed,
    "peers": peers,
    "crowd": crowds,
    "memory": memories,
    "analysis": looks,
}


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=[*BENCHMARKS, []], nargs="*")
    parser.add_argument("--tenants", type=int, nargs="*", default=[1, 50])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--server", choices=["system", "embedded"], default="system")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    asked = parser.parse_args()
    wanted = asked.server == "embedded"
    binaries = next(each for each in find_binaries() if (each.source == "embedded") is wanted)
    found: dict[str, list[Row]] = {}
    for what in asked.what or list(BENCHMARKS):
        found[what] = []
        for row in BENCHMARKS[what](binaries, asked):
            print(what, *row.values(), file=sys.stderr)
            found[what].append(row)
    if asked.format == "json":
        print(
            json.dumps({"postgresql": binaries.version, "load": os.getloadavg(), **found}, indent=2)
        )
        return 0
    for what, rows in found.items():
        Console(width=120).print(table(what, rows))
    return 0


def table(what: str, rows: list[Row]) -> Table:
    """The rows of one benchmark."""
    made = Table(*rows[0], title=what)
    for row in rows:
        made.add_row(*(f"{v:,.2f}" if isinstance(v, float) else str(v) for v in row.values()))
    return made


if __name__ == "__main__":
    sys.exit(main())
