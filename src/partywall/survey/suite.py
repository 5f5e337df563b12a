"""The survey as part of a project's own tests: what the pytest plugin does once it is asked."""

from __future__ import annotations

import json
import os
import re
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.audit import explain, roles
from partywall.survey.configuration import load
from partywall.survey.connecting import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from partywall.catalog.facts import Snapshot
    from partywall.survey.configuration import Configuration

FILES = ("partywall.toml", "pyproject.toml")
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
PLACE_KEYS = ("host", "hostaddr", "port", "dbname")
DRIVER = re.compile(r"^postgres(?:ql)?\+\w+:")
"""How SQLAlchemy names its driver in a URL; libpq knows of none."""


def configured(folder: Path, url: str) -> Configuration:
    """What ``partywall.toml``, or else ``[tool.partywall]``, of *folder* says, for tests.

    Where *url* is given, it is the administrator's, and all logins are taken to its server and its
    database; tenants that have databases of their own keep theirs.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    found = next((folder / name for name in FILES if (folder / name).is_file()), None)
    url = DRIVER.sub("postgresql:", url)
    told = load(found, url=url)
    if not url:
        return told
    names = {_parts(one.url).get("dbname") for one in told.tenants}
    alone = len(names) <= 1
    moved = [replace(one, url=at_place(one.url, url, database=alone)) for one in told.tenants]
    nobody = told.anonymous
    if nobody is not None:
        nobody = replace(nobody, url=at_place(nobody.url, url, database=alone))
    return replace(told, tenants=tuple(moved), anonymous=nobody)


def at_place(url: str, place: str, *, database: bool = True) -> str:
    """The login of *url* at the server of *place*, and with *database* in its database."""
    login, there = _parts(url), _parts(place)
    keys = PLACE_KEYS if database else PLACE_KEYS[:-1]
    whole = {**there, **login} | {key: there.get(key) for key in keys}
    whole["password"] = login.get("password")
    user, password, host, port, name = (
        quote(str(whole.pop(key, None) or ""), safe=",")
        for key in ("user", "password", "host", "port", "dbname")
    )
    secret = f":{password}" if password else ""
    rest = urlencode({key: value for key, value in whole.items() if value is not None})
    colon = f":{port}" if port else ""
    return f"postgresql://{user}{secret}@{host}{colon}/{name}{'?' if rest else ''}{rest}"


def surfaces(configuration: Configuration) -> tuple[str, ...]:
    """The surfaces that the application's logins can reach, from the catalog alone.

    Raises:
        ConfigurationError: the database or a tenant can't be reached as declared.
        TargetError: the server refused to be looked into.
    """
    try:
        _, identities, facts = explain(configuration)
    except psycopg.Error as error:
        raise TargetError(str(error)) from error
    return tuple(_reachable(facts, roles(identities)))


def _reachable(facts: Snapshot, acting: list[str]) -> Iterator[str]:
    for relation in facts.relations.values():
        granted = any(
            role in facts.schemas[relation.schema].usage
            and facts.grants[role].may(one, relation.oid)
            for role in acting
            for one in PRIVILEGES
        )
        if granted and relation.extension is None:
            yield relation.qualified
    for function in facts.functions.values():
        granted = any(function.oid in facts.executable[role] for role in acting)
        if granted and function.extension is None and not function.is_trigger:
            yield function.signature


def once(path: Path, url: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - any JSON
    """What *make* gives, made by one of the processes that share *path* while the others wait.

    They wait for a lock in the database of *url*, which goes with the session of whoever holds it.

    Raises:
        ConfigurationError: the database can't be reached.
    """
    with closing(connect(url)) as connection:
        connection.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [str(path)])
        return first(path, make)


def first(path: Path, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - any JSON
    """What *make* gives, the same in all processes that share *path*: that of the first one."""
    if not path.exists():
        own = path.with_name(f"{path.name}.{os.getpid()}")
        own.write_text(json.dumps(make()), encoding="utf-8")
        with suppress(FileExistsError):
            path.hardlink_to(own)
        own.unlink()
    return json.loads(path.read_text(encoding="utf-8"))


def _parts(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as error:
        message = f"{str(error).strip()}: write a url as postgresql://role@host:port/database"
        raise ConfigurationError(message) from error
