"""Where migrations are run: a server that has what they ask for, a database of the right name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pglast import ast

from partywall.servers import find_binaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from partywall.servers import Binaries
    from partywall.survey.migrations.statements import Statement

DATABASE = "app"
OWNER = "migrations"
SUPERUSER = "postgres"
CONTROLS = ("share/extension", "share/postgresql/extension")
DEBIAN = Path("/usr/share/postgresql")


def most_able(wanted: Iterable[str]) -> Binaries | None:
    """The installation with the most of the *wanted* extensions, the newest of equals."""
    names = set(wanted)
    return max(
        find_binaries(), key=lambda b: (len(names & set(extensions(b))), b.version), default=None
    )


def extensions(binaries: Binaries) -> Iterator[str]:
    """Names of the extensions that an installation has."""
    around = binaries.folder.parent
    for place in (*(around / c for c in CONTROLS), DEBIAN / str(binaries.version[0]) / "extension"):
        if place.is_dir() and (binaries.source == "debian" or place.is_relative_to(around)):
            yield from (control.stem for control in place.glob("*.control"))


def extensions_in(statements: Iterable[Statement]) -> Iterator[str]:
    """Names of the extensions that *statements* create."""
    for one in statements:
        if one.says("create") and isinstance(one.node, ast.CreateExtensionStmt):
            yield str(one.node.extname)


def database_in(statements: Iterable[Statement]) -> str:
    """What the migrations call the database that they run in, where they name it at all."""
    for one in statements:
        node = one.node if one.says("grant", "revoke", "alter", "comment") else None
        if isinstance(node, ast.GrantStmt) and node.objtype.name == "OBJECT_DATABASE":
            return str(node.objects[0].sval)
        if isinstance(node, ast.AlterDatabaseSetStmt | ast.AlterDatabaseStmt):
            return str(node.dbname)
    return DATABASE


def owner_in(statements: Iterable[Statement]) -> str:
    """Who runs the migrations: `postgres` where they give that role's default privileges."""
    for one in statements:
        if one.says("alter") and isinstance(one.node, ast.AlterDefaultPrivilegesStmt):
            options = {option.defname: option.arg for option in one.node.options or ()}
            if any(role.rolename == SUPERUSER for role in options.get("roles") or ()):
                return SUPERUSER
    return OWNER
