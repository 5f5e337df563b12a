"""What `partywall log` does."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.cli.ending import BREACHED, HELD, say
from partywall.cli.house.opening import house, identity, tenant_named
from partywall.cli.house.pages import put_json, put_table, shown
from partywall.cli.output import write
from partywall.control import audit, chain, tenants
from partywall.errors import ConfigurationError, UnknownTenant
from partywall.reports.style import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from sqlalchemy import Connection

    from partywall.cli.where import Where

NOBODY = "-"
"""The log of what concerns no tenant, on the command line."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One log that was checked."""

    tenant_id: str
    slug: str
    entries: int
    broken_at: int | None
    because: str
    head: str


def show(where: Where, name: str, *, after: int | None, limit: int) -> int:
    """Print entries."""
    with house(where) as database, database.reading() as connection:
        tenant_id = whose(connection, name)
        if after is None:
            after = max(audit.head(connection, tenant_id).number - limit, 0)
        found = audit.entries(connection, tenant_id, after=after, limit=limit)
    if where.json:
        put_json({"entries": [chain.document(entry) for entry in found]})
        return HELD
    put_table(
        ("number", "at", "actor", "action", "subject", "source", "detail"),
        [(e.number, e.at, e.actor, e.action, e.subject, e.source, said(e)) for e in found],
        "no entries",
    )
    return HELD


def said(entry: audit.Entry) -> str:
    """A detail in a line."""
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in entry.detail.items()
    )


def export(where: Where, name: str, output: Path | None) -> int:
    """Write the lines of a log; what to keep apart from them goes to standard error."""
    with house(where) as database, database.reading() as connection:
        tenant_id = whose(connection, name)
        lines = audit.exported(connection, tenant_id)
        if output is None:
            last = written(lines, sys.stdout)
            sys.stdout.flush()
        else:
            try:
                with output.open("w", encoding="utf-8", newline="\n") as file:
                    last = written(lines, file)
            except OSError as error:
                raise ConfigurationError(f"the export can't be written: {error}") from error
    entry = json.loads(last) if last else {}
    head = chain.Head(entry["number"], bytes.fromhex(entry["hash"])) if entry else chain.EMPTY
    say(f"{number(head.number, 'entry', 'entries')}; head {head}")
    return HELD


def written(lines: Iterator[str], file: TextIO) -> str:
    """Write the lines; the last of them."""
    last = ""
    for last in lines:
        file.write(f"{last}\n")
    return last


def verify(where: Where, name: str, head: str) -> int:
    """Check one log, or all of them."""
    kept = chain.Head.parsed(head) if head else None
    with house(where) as database, database.reading() as connection:
        of = [whose(connection, name)] if name else audit.logs(connection)
        found = [
            checked(
                audit.verify(connection, tenant_id, head=kept),
                tenant_id,
                called(connection, tenant_id),
            )
            for tenant_id in of
        ]
    return judged(where, found)


def verify_file(where: Where, file: Path, head: str) -> int:
    """Check an export."""
    kept = chain.Head.parsed(head) if head else None
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            verification = chain.verify_export(lines, head=kept)
    except OSError as error:
        raise ConfigurationError(f"the export can't be read: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is no export: it is not UTF-8") from error
    return judged(where, [checked(verification, "", str(file))])


def checked(found: audit.Verification, tenant_id: str, slug: str) -> Checked:
    """What was found of a log."""
    return Checked(tenant_id, slug, found.entries, found.broken_at, found.because, str(found.head))


def judged(where: Where, found: list[Checked]) -> int:
    """Print what was found; the exit code."""
    broken = [one for one in found if one.broken_at is not None]
    if where.json:
        put_json({"verdict": "broken" if broken else "held", "logs": found})
    else:
        write("".join(f"{line(one)}\n" for one in found) or "no logs\n", None)
    return BREACHED if broken else HELD


def line(one: Checked) -> str:
    """What was found of one log, for people."""
    name = shown(one.slug or one.tenant_id)
    if one.broken_at is None:
        return f"✓ {name}: {number(one.entries, 'entry', 'entries')} held; head {one.head}"
    return f"✗ {name}: broken at entry {one.broken_at}: {one.because}; head before it {one.head}"


def whose(connection: Connection, name: str) -> str:
    """The tenant's id that a log is kept under; also of a tenant that is no more.

    Raises:
        UnknownTenant: when nobody is called so, and no log is.
    """
    if name == NOBODY:
        return ""
    try:
        return tenant_named(connection, name).id
    except UnknownTenant:
        tenant_id = identity(name)
        if tenant_id and audit.head(connection, tenant_id).number:
            return tenant_id
        raise


def called(connection: Connection, tenant_id: str) -> str:
    """What people call the log of a tenant."""
    if not tenant_id:
        return NOBODY
    found = tenants.get(connection, tenant_id) if identity(tenant_id) else None
    return found.slug if found else tenant_id
