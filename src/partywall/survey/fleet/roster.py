"""Who the tenants are, and how the application becomes each of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg

from partywall.errors import ConfigurationError
from partywall.survey.addresses import login_of
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.survey.configuration import Configuration, TenantSettings

PLACE = re.compile(r"\{(\w+)\}")
NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lodger:
    """One tenant, and how a session becomes its.

    Attributes:
        id: its value in tenant columns, or what stands for it in its schema's or database's name.
        name: for people; the id where nothing else is known.
        schema: its own, where each tenant has one; else "".
    """

    id: str
    name: str
    login: str
    database: str
    url: str
    enter: tuple[str, ...]
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """How any tenant is entered: texts with ``{id}``, or another column's name, in them."""

    url: str
    enter: tuple[str, ...]
    schema: str = ""

    def lodger(self, values: Mapping[str, str]) -> Lodger:
        """The tenant of which these are the columns; the first one is its id.

        Raises:
            ConfigurationError: its url names no role.
        """
        id_ = next(iter(values.values()))
        known = {"id": id_, **values}
        url = PLACE.sub(lambda m: quote(known.get(m[1], m[0]), safe=""), self.url)
        login, database = login_of(url, "[fleet] url")
        enter = tuple(filled(one, known) for one in self.enter)
        schema = PLACE.sub(lambda m: known.get(m[1], m[0]), self.schema)
        return Lodger(id_, known.get("name", id_), login, database, url, enter, schema)


def filled(statement: str, values: Mapping[str, str]) -> str:
    """A statement with values in its places, quoted as the place asks for.

    Raises:
        ConfigurationError: a place is part of a bare name, and the value is none.
    """

    def put(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value, before = values[match[1]], statement[: match.start()]
        if before.count("'") % 2:
            inside = json.dumps(value)[1:-1] if before.endswith('"') else value
            return inside.replace("'", "''")
        if before.count('"') % 2:
            return value.replace('"', '""')
        if not (NAME.match(before[-1:]) or NAME.match(statement[match.end() :])):
            return literal(value)
        if not NAME.fullmatch(value):
            raise ConfigurationError(
                f"{statement}: {value!r} is no part of a bare name; write the name in double "
                "quotes: [fleet] enter"
            )
        return value

    return PLACE.sub(put, statement)


def template(configuration: Configuration, schemas: tuple[str, ...] = ()) -> Template:
    """What is declared, else what two declared tenants have in common.

    *schemas* are those of the two, where each has one.

    Raises:
        ConfigurationError: they differ in more than their ids.
    """
    told = configuration.fleet
    a, b = configuration.tenants[:2]
    url = told.url or _alike(a, b, a.url, b.url)
    if told.enter:
        enter: tuple[str | None, ...] = told.enter
    else:
        same = len(a.enter + a.prove) == len(b.enter + b.prove)
        pairs = zip(a.enter + a.prove, b.enter + b.prove, strict=False)
        enter = tuple(_alike(a, b, *pair) for pair in pairs) if same else (None,)
    schema = _alike(a, b, *schemas) if schemas else ""
    if url is None or schema is None or None in enter:
        message = (
            f"[tenants.{a.name}] and [tenants.{b.name}] differ in more than their ids, so that "
            "nobody knows how to become any other tenant: say it with [fleet] tenants = "
            '"SELECT id, owner_id FROM tenants", enter = ["SELECT set_config(\'app.user\', '
            '{owner_id}, true)"]'
        )
        raise ConfigurationError(message)
    return Template(url, tuple(filter(None, enter)), schema)


def _alike(a: TenantSettings, b: TenantSettings, one: str, other: str) -> str | None:
    """What two texts have in common but for the ids; None where they differ in more."""
    found, i, j = [], 0, 0
    while i < len(one) or j < len(other):
        if a.id and one.startswith(a.id, i) and other.startswith(b.id, j):
            found.append("{id}")
            i, j = i + len(a.id), j + len(b.id)
        elif one[i : i + 1] == other[j : j + 1]:
            found.append(one[i])
            i, j = i + 1, j + 1
        else:
            return None
    return "".join(found)


def listed(
    connection: psycopg.Connection[Any], query: str, how: Template, where: str
) -> list[Lodger]:
    """The tenants that a query returns, one a row; its first column is the id.

    Raises:
        ConfigurationError: it can't be run, or returns fewer than two.
    """
    try:
        with connection.transaction():
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            rows = cursor.fetchall()
    except psycopg.Error as error:
        message = f"{where} can't be run: {error.diag.message_primary or error}"
        raise ConfigurationError(message) from error
    return lodgers(
        (
            {n: str(v) for n, v in zip(names, row, strict=True) if v is not None}
            for row in rows
            if row and row[0] is not None
        ),
        how,
        where,
    )


def lodgers(values: Iterable[Mapping[str, str]], how: Template, where: str) -> list[Lodger]:
    """Each tenant once, in the order of the ids.

    Raises:
        ConfigurationError: there are fewer than two.
    """
    once = {one.id: one for one in map(how.lodger, values)}
    if len(once) < 2:  # noqa: PLR2004 - nobody to be kept apart from
        told = "none" if not once else "only one"
        raise ConfigurationError(f"{where}: {told} was found; a survey needs two to hold apart")
    return [once[id_] for id_ in sorted(once)]
