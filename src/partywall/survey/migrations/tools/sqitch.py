"""Sqitch: scripts in ``deploy/``, their order in ``sqitch.plan``.

A change that was reworked stands in the plan twice. The script of the earlier instance has in its
name the last tag before the later one: https://sqitch.org/docs/manual/sqitch-rework/
"""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as UnreadableError
from typing import TYPE_CHECKING

from partywall.errors import MigrationError
from partywall.survey.migrations.tool import Script, read, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = "sqitch.plan"
CHANGE = re.compile(r"^(?P<mark>[-+@]?)\s*(?P<name>[^\s\[#@]+)")
DEPLOY = "deploy"


def find(folder: Path) -> Path | None:
    """Where the plan is: here, or around ``deploy``."""
    places = (folder, *([folder.absolute().parent] if folder.absolute().name == DEPLOY else []))
    return next((p for p in places if (p / PLAN).is_file() or (p / "sqitch.conf").is_file()), None)


@tool("Sqitch", find)
def sqitch(folder: Path) -> Iterator[Script]:
    """Every change of the plan; scripts are run as psql would, with their own transactions.

    Raises:
        MigrationError: there is no plan, or a change has no script.
    """
    core = _core(folder)
    top = folder / core.get("top_dir", ".")
    named = core.get("plan_file")
    plan = folder / named if named else next(
        (p for p in (top / PLAN, folder / PLAN) if p.is_file()), top / PLAN
    )  # fmt: skip
    if not plan.is_file():
        raise MigrationError(f"there is no {plan}: sqitch.conf says where the plan is (plan_file)")
    deploy = folder / core["deploy_dir"] if "deploy_dir" in core else top / DEPLOY
    for name in changes(read(plan)):
        file = deploy / f"{name}.sql"
        if not file.is_file():
            raise MigrationError(f"{plan} names {name}, and there is no {file}")
        yield Script(file, read(file), whole=False)


def changes(plan: str) -> Iterator[str]:
    """The names of the scripts that a plan deploys, in its order."""
    lines = [found for line in plan.splitlines() if (found := _entry(line))]
    for position, (mark, name) in enumerate(lines):
        if mark in {"@", "-"}:
            continue
        again = lines.index(("", name), position + 1) if ("", name) in lines[position + 1 :] else 0
        tags = [tag for mark, tag in lines[position:again] if mark == "@"]
        yield f"{name}@{tags[-1]}" if tags else name


def _entry(line: str) -> tuple[str, str] | None:
    line = line.strip()
    if not line or line[0] in "%#":
        return None
    found = CHANGE.match(line)
    return (found["mark"].replace("+", ""), found["name"]) if found else None


def _core(folder: Path) -> dict[str, str]:
    """The section ``[core]`` of sqitch.conf, which is written as git's configuration."""
    parser = ConfigParser(strict=False, interpolation=None)
    try:
        lines = (folder / "sqitch.conf").read_text(encoding="utf-8").splitlines()
        parser.read_string("\n".join(line.strip() for line in lines))
    except FileNotFoundError:
        return {}
    except UnreadableError as error:
        raise MigrationError(f"{folder / 'sqitch.conf'} can't be read: {error}") from error
    return dict(parser["core"]) if "core" in parser else {}
