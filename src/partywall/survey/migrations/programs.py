"""Run the program of a migration tool, Alembic or Django, on a disposable database."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError, MigrationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.survey.migrations.tool import Address, Command

LIMIT_S = 900
LINES = 8
NOISE = ("(Background on", "[", "^", "LINE", "For further information", "DETAIL")
VALUES = re.compile(r"\s*\[type=.*$|, input_value=.*$")
"""What pydantic says of the values that it was given: secrets may be among them."""
PLACE = re.compile(r'^  File "(?P<file>/[^"]+)", line (?P<line>\d+)', re.MULTILINE)
NO_ROLE = re.compile(r'role "(?P<name>[^"]+)" does not exist')
OF_SERVER = re.compile(r"(sqlalchemy\.exc|psycopg\w*|asyncpg|django\.db\.utils)\b")
VENVS = (".venv/bin/python", "venv/bin/python", "env/bin/python", ".env/bin/python")


def python_of(folder: Path, chosen: str) -> str:
    """The Python of a project: the *chosen* one, its virtual environment's, or this one.

    Raises:
        ConfigurationError: there is none where it was said to be.
    """
    if chosen:
        path = Path(chosen).expanduser()
        if not path.is_file() or not os.access(path, os.X_OK):
            raise ConfigurationError(f"--python: {chosen} is no program that can be run")
        return str(path.absolute())  # not resolved: a link tells Python its environment
    for place in (folder, *folder.absolute().parents[:2]):
        for name in VENVS:
            if (place / name).is_file():
                return str((place / name).absolute())
    return sys.executable


def connection_variables(address: Address) -> dict[str, str]:
    """The variables by which projects are commonly told their database, one value for all."""
    parts = {
        "HOST": address.host, "SERVER": address.host, "PORT": str(address.port),
        "USER": address.user, "USERNAME": address.user, "PASSWORD": "unused",
        "NAME": address.database, "DB": address.database, "DATABASE": address.database,
    }  # fmt: skip
    named = {f"{p}_{n}": v for p in ("DB", "POSTGRES", "DATABASE") for n, v in parts.items()}
    urls = dict.fromkeys(("DATABASE_URL", "DB_URL", "POSTGRES_URL"), address.url)
    own = {
        "PGHOST": address.host, "PGPORT": str(address.port), "PGUSER": address.user,
        "PGDATABASE": address.database, "PGPASSWORD": "unused",
    }  # fmt: skip
    return named | urls | own


def migrate(command: Command, title: str, make_role: Callable[[str], None]) -> None:
    """Run *command* to its end, again after each role that it lacks was made.

    Raises:
        MigrationError: it failed; the message has its last words and how to mend it.
    """
    made: set[str] = set()
    while said := run(command, title):
        role = NO_ROLE.search(last_words(said))
        if role is None or role["name"] in made:
            raise MigrationError(_failed(title, command, said))
        made.add(role["name"])
        make_role(role["name"])


def run(command: Command, title: str) -> str:
    """Run *command* once; return "" or, where it failed, what it said.

    Raises:
        MigrationError: it could not be started, or did not end.
    """
    with tempfile.TemporaryDirectory(prefix="partywall-") as files:
        for name, text in command.files.items():
            Path(files, name).write_text(text, encoding="utf-8")
        environment = {**command.stated, **os.environ, **command.environment}
        path = [files, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(path)
        words = [word.replace("{files}", files) for word in command.words]
        try:
            done = subprocess.run(
                words, cwd=command.folder, env=environment, capture_output=True, text=True,
                errors="replace", stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise MigrationError(f"{title} did not end within {LIMIT_S} s") from error
        except OSError as error:
            raise MigrationError(f"{title} could not be started: {error}") from error
    return (done.stderr or done.stdout or "it said nothing") if done.returncode else ""


def last_words(said: str) -> str:
    """The error that a Python program ended with, without its traceback and without values."""
    lines = said.strip().splitlines()
    places = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[places[-1] + 1 :] if places else lines[-1:]
    start = next((number for number, line in enumerate(after) if not line.startswith(" ")), 0)
    end = next((n for n, line in enumerate(after) if line.startswith("[SQL")), len(after))
    words = [VALUES.sub("", line).strip() for line in after[start:end]]
    kept = [line for line in words if line and not line.startswith(NOISE)]
    return " ".join(kept[:LINES]) or "it said nothing"


def _failed(title: str, command: Command, said: str) -> str:
    """What a program that failed said last, where, and what may mend it."""
    last = last_words(said)
    own = [one for one in PLACE.finditer(said) if Path(one["file"]).is_relative_to(command.folder)]
    own = [one for one in own if "site-packages" not in one["file"]]
    where = ""
    if own:
        file = Path(own[-1]["file"]).relative_to(command.folder)
        where = f" ({file}, line {own[-1]['line']})"
    mend = "; set what it asks for in the environment, or mend what it says"
    if "No module named" in last:
        mend = f"; it ran with {command.words[0]}: name the project's own Python with --python"
    elif OF_SERVER.match(last):
        mend = ""
    return f"{title} in {command.folder} stopped: {last}{where}{mend}"
