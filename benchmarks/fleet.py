"""Time `partywall audit --all-tenants` as a whole process, and how much memory it takes.

    python -m benchmarks.fleet                                     # 250, 500 and 1,000 tenants
    python -m benchmarks.fleet --tenants 100 --tables 10 --model rows

Each tenant attacks all others: rows behind row security under one login, and a schema with a login
for each tenant. The command runs as a user would start it, against a disposable server of its own;
peak memory is that of the command, the server's is not in it. Making the database is not in the
time. The command must find every pair held, else this fails; so it does above a minute for 1,000
tenants, above 400 MB, or where a tenant of 1,000 takes half as long again as one of 250.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.audit import Cost, measured, servers
from partywall.servers import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable

DATABASE, LOGIN = "fleet", "app"
MOST_S, MOST_MB, STRAIGHT = 60.0, 400, 1.5
SETTINGS = {"max_locks_per_transaction": "1024"}
AT_ONCE = 25


def rows(server: Postgres, tenants: int, tables: int) -> str:
    """Make tables that all tenants share; return how one is entered."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as admin:
        admin.execute(
            "CREATE TABLE tenants (id text PRIMARY KEY); GRANT SELECT ON tenants TO app; "
            "ALTER TABLE tenants ENABLE ROW LEVEL SECURITY; "
            "CREATE POLICY own ON tenants USING (id = (SELECT current_setting('app.tenant'))); "
            f"INSERT INTO tenants SELECT 't' || n FROM generate_series(1, {tenants}) n"
        )
        for number in range(tables):
            admin.execute(
                f"CREATE TABLE t{number} (tenant_id text NOT NULL REFERENCES tenants, id bigint, "
                "title text, PRIMARY KEY (tenant_id, id)); "
                f"INSERT INTO t{number} SELECT id, 1, 'a title' FROM tenants; "
                f"ALTER TABLE t{number} ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t{number} "
                "USING (tenant_id = (SELECT current_setting('app.tenant'))); "
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON t{number} TO app".encode()
            )
    return "SELECT set_config('app.tenant', '{id}', true)"


def schemas(server: Postgres, tenants: int, tables: int) -> str:
    """Make a schema and a login for each tenant; return how one is entered."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as admin:
        for first in range(1, tenants + 1, AT_ONCE):
            admin.execute(
                "; ".join(
                    _schema(f"t{number}", tables)
                    for number in range(first, min(first + AT_ONCE, tenants + 1))
                ).encode()
            )
    return "SET LOCAL search_path = {id}"


def _schema(name: str, tables: int) -> str:
    made = [
        f"CREATE TABLE {name}.t{number} (id bigint PRIMARY KEY, title text)"
        for number in range(tables)
    ]
    granted = f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO app_{name}"
    door = f"CREATE ROLE app_{name} LOGIN; CREATE SCHEMA {name}; GRANT USAGE ON SCHEMA {name}"
    return "; ".join([f"{door} TO app_{name}", *made, granted])


MODELS: dict[str, tuple[Callable[[Postgres, int, int], str], str]] = {
    "rows": (rows, LOGIN),
    "schemas": (schemas, "app_{id}"),
}


def run(server: Postgres, model: str, tenants: int, tables: int) -> tuple[Cost, int]:
    """Make the database, survey it, and return what that took and how many pairs were held."""
    make, login = MODELS[model]
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
        admin.execute(f"CREATE ROLE {LOGIN} LOGIN".encode())
    enter = make(server, tenants, tables)
    told = [f'[database]\nurl = "{server.url(DATABASE)}"']
    for id_ in ("t1", "t2"):
        url = server.url(DATABASE, login.replace("{id}", id_))
        told.append(f'[tenants.{id_}]\nid = "{id_}"\nurl = "{url}"')
        told.append(f'enter = ["{enter.replace("{id}", id_)}"]')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config, report = folder / "partywall.toml", folder / "report.json"
        config.write_text("\n".join(told))
        command = [sys.executable, "-m", "partywall", "audit", "--all-tenants"]
        cost = measured(
            [*command, "--config", str(config), "--output", str(report)], folder, server
        )
        if cost.code:
            sys.exit(f"{model}, {tenants}: exit code {cost.code}\n{(folder / 'said').read_text()}")
        found = json.loads(report.read_text())
    return cost, found["fleet"]["pairs"]


def main() -> int:
    """Measure and print a table; 1 where it takes longer or more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--tenants", type=int, nargs="*", default=[250, 500, 1000])
    parser.add_argument("--tables", type=int, default=50)
    parser.add_argument("--model", choices=list(MODELS), nargs="*", default=list(MODELS))
    asked = parser.parse_args()
    binaries = servers("system")[0]
    table = Table("model", "tenants", "pairs", "seconds", "ms a tenant", "MB", "load")
    within = True
    for model in asked.model:
        each: list[float] = []
        for tenants in asked.tenants:
            with postgres(binaries, SETTINGS) as server:
                cost, pairs = run(server, model, tenants, asked.tables)
            each.append(cost.seconds / tenants)
            within &= cost.megabytes < MOST_MB and (tenants > 1000 or cost.seconds < MOST_S)  # noqa: PLR2004 - what the minute is for
            table.add_row(
                model, f"{tenants:,}", f"{pairs:,}", f"{cost.seconds:.1f}",
                f"{each[-1] * 1000:.1f}", f"{cost.megabytes:.0f}", f"{cost.load:.1f}",
            )  # fmt: skip
        within &= each[-1] < each[0] * STRAIGHT
    Console(width=100).print(table)
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
