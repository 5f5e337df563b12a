"""Survey generated schemas: no sound one may be accused, every broken wall must be named.

    python -m benchmarks.schemas                         # 200 sound schemas, then 200 mutations
    python -m benchmarks.schemas --results found.jsonl   # goes on where it was stopped
    python -m benchmarks.schemas --seed 17               # both of one seed again
    python -m benchmarks.schemas --format json

Seeds take turns on the system's PostgreSQL and on the wheel's. Every run also asserts that no
database, role, slot or session is left behind. The exit code is 1 when one was wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.schemas.growing import SMALLEST, grow
from benchmarks.schemas.judging import Judged, judge
from benchmarks.schemas.mutations import CATALOGUE, mutate
from partywall.servers import Postgres, find_binaries, postgres

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOUND = MUTATED = 200
SETTINGS = {"wal_level": "logical"}
SPREAD = 12
"""A wall is broken in a schema of 10 to 21 tables: what the others are makes no difference."""
WHOLE = 5
"""Every so many seeds the ways to be a tenant begin anew: then comes the other server."""


@dataclass(frozen=True, slots=True)
class Run:
    """One survey of one generated schema.

    Attributes:
        mutation: of what kind; "" for a sound schema.
        faults: what was wrong with the verdict, or was left behind.
    """

    seed: int
    mutation: str
    way: str
    attacker: str
    server: str
    tables: int
    attempts: int
    seconds: float
    faults: tuple[str, ...]


def run(server: Postgres, seed: int, *, broken: bool) -> Run:
    """Grow the schema of *seed*, break one wall of it if asked to, survey it, judge the report."""
    schema = grow(seed, SMALLEST + seed % SPREAD if broken else None)
    flaw = mutate(schema, seed) if broken else None
    try:
        judged = judge(server, schema, flaw)
    except Exception as error:  # noqa: BLE001 - a survey that crashes is a result, and the worst
        last = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"crashed: {type(error).__name__}: {error} ({last.name}:{last.lineno})"
        judged = Judged((fault,), 0.0, 0, len(schema.tables))
    return Run(
        seed,
        flaw.name if flaw else "",
        schema.way,
        flaw.attacker if flaw else schema.attacker,
        ".".join(map(str, server.version)),
        judged.tables,
        judged.attempts,
        round(judged.seconds, 2),
        judged.faults,
    )


def runs(wanted: Iterable[tuple[int, bool]]) -> Iterator[Run]:
    """Survey what is wanted, one after the other, on the two servers in turn."""
    with ExitStack() as stack:
        newest = {b.source == "embedded": b for b in find_binaries()}
        servers = [stack.enter_context(postgres(b, SETTINGS)) for b in newest.values()]
        for seed, broken in wanted:
            yield run(servers[seed // WHOLE % len(servers)], seed, broken=broken)


def known(results: Path | None) -> dict[tuple[int, bool], Run]:
    """What an earlier run that was stopped has found already."""
    if results is None or not results.is_file():
        return {}
    found = [json.loads(line) for line in results.read_text().splitlines()]
    told = [Run(**{**one, "faults": tuple(one["faults"])}) for one in found]
    return {(one.seed, bool(one.mutation)): one for one in told}


def show(done: list[Run], console: Console) -> None:
    """Print a table of kinds, and every fault."""
    table = Table("what", "surveys", "right", "median tables", "s")
    for name in ["", *CATALOGUE]:
        some = [one for one in done if one.mutation == name]
        if some:
            right = sum(not one.faults for one in some)
            tables = sorted(one.tables for one in some)[len(some) // 2]
            seconds = sum(one.seconds for one in some)
            table.add_row(
                name or "sound", str(len(some)), str(right), str(tables), f"{seconds:.0f}"
            )
    console.print(table)
    ways = Counter(one.way for one in done)
    console.print(", ".join(f"{way} {count}" for way, count in sorted(ways.items())))
    for one in done:
        for fault in one.faults:
            console.print(f"seed {one.seed} ({one.way}, {one.server}): {fault}", markup=False)


def main() -> int:
    """Survey, print, and say by the exit code whether all was right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--sound", type=int, default=SOUND, help="so many sound schemas")
    parser.add_argument("--mutations", type=int, default=MUTATED, help="so many broken ones")
    parser.add_argument("--seed", type=int, help="this one only, sound and broken")
    parser.add_argument("--results", type=Path, help="keep results there, and go on from them")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    asked = parser.parse_args()
    wanted = [(seed, False) for seed in range(asked.sound)]
    wanted += [(seed, True) for seed in range(asked.mutations)]
    if asked.seed is not None:
        wanted = [(asked.seed, False), (asked.seed, True)]
    before = known(asked.results)
    done = [before[one] for one in wanted if one in before]
    columns = [TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("surveys", total=len(wanted), completed=len(done))
        for one in runs(w for w in wanted if w not in before):
            done.append(one)
            progress.advance(bar)
            if asked.results:
                with asked.results.open("a") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    if asked.format == "json":
        print(json.dumps([asdict(one) for one in done], indent=2))
    else:
        show(done, Console(width=120))
    return 1 if any(one.faults for one in done) else 0


if __name__ == "__main__":
    sys.exit(main())
