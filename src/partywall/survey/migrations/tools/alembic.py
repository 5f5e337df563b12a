"""Alembic: ``upgrade heads`` by the project's own Python.

However env.py finds its address, every connection that SQLAlchemy opens is turned to the
disposable database by the event that SQLAlchemy has for it, so that nothing else can be reached:
https://docs.sqlalchemy.org/en/20/core/events.html#sqlalchemy.events.DialectEvents.do_connect
"""

from __future__ import annotations

from pathlib import Path

from partywall.survey.migrations.programs import connection_variables
from partywall.survey.migrations.tool import Address, Command, program

TURNED = '''\
"""Started by partywall: Alembic, or Flask with it, on a disposable database and no other."""
import json, os, runpy, sys

from sqlalchemy import event
from sqlalchemy.engine import Engine

place = json.loads(os.environ["PARTYWALL_PLACE"])


@event.listens_for(Engine, "do_connect")
def turned(dialect, record, arguments, options):
    if dialect.name != "postgresql":
        raise SystemExit(
            f"it connects to {dialect.name}: set the variable that env.py reads its address from "
            "to a postgresql:// URL (DATABASE_URL is set already)"
        )
    arguments.clear()
    for name in ("dsn", "conninfo", "ssl", "sslmode", "service", "passfile"):
        options.pop(name, None)
    options.update({k: v for k, v in place.items() if k != "database"})
    options["dbname" if dialect.driver.startswith("psycopg") else "database"] = place["database"]


sys.path.insert(0, os.getcwd())
sys.argv[0] = sys.argv[1]
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
'''


def find(folder: Path) -> Path | None:
    """Where alembic.ini is, or what `flask db init` made."""
    if (folder / "alembic.ini").is_file() or _flask(folder):
        return folder
    return None


@program("Alembic", find)
def alembic(folder: Path, python: str, address: Address) -> Command:
    """Upgrade to every head."""
    how = ("flask", "db", "upgrade", "heads") if _flask(folder) else ("alembic", "upgrade", "heads")
    place = (
        f'{{"host": "{address.host}", "port": {address.port}, "user": "{address.user}", '
        f'"password": "unused", "database": "{address.database}"}}'
    )
    return Command(
        (python, "{files}/turned.py", *how), folder,
        environment={"PARTYWALL_PLACE": place, "PGSSLMODE": "disable"},
        stated=connection_variables(address), files={"turned.py": TURNED},
    )  # fmt: skip


def _flask(folder: Path) -> bool:
    """Whether the migrations are Flask-Migrate's, whose env.py asks the application."""
    env = folder / "migrations" / "env.py"
    return not (folder / "alembic.ini").is_file() and env.is_file() and (
        "current_app" in env.read_text(encoding="utf-8", errors="replace")
    )  # fmt: skip
