"""A database made by a project's own migrations, to be surveyed in its stead.

`migrated` finds the tool, runs its migrations on a disposable server, with what the platform would
provide, and yields a configuration that is surveyed as any other.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import ConfigurationError, MigrationError
from partywall.servers import postgres
from partywall.survey.addresses import login_of
from partywall.survey.configuration import load
from partywall.survey.migrations import ground, logins, programs
from partywall.survey.migrations.finding import found
from partywall.survey.migrations.loading import STUBS, Loading
from partywall.survey.migrations.statements import statements
from partywall.survey.migrations.tool import Address, Script
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.servers import Postgres
    from partywall.survey.configuration import Configuration, TenantSettings
    from partywall.survey.migrations.tool import Tool

__all__ = ["Migrations", "migrated"]

LATER = "postgresql://127.0.0.1"
"""The database's address until there is one."""
SETTINGS = {"wal_level": "logical", "max_prepared_transactions": "10"}
SHOWN = 3
CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 600_000


@dataclass(frozen=True, slots=True)
class Migrations:
    """What is to be migrated, and how.

    Attributes:
        folder: of the migrations, or of the project that they are in.
        tool: the tool's name; "" to find out.
        python: the project's Python, for Alembic and Django; "" to find out.
    """

    folder: Path
    tool: str = ""
    python: str = ""


@contextmanager
def migrated(
    migrations: Migrations, config: Path | None = None, *, attacker: str = ""
) -> Iterator[Configuration]:
    """Yield the configuration of a disposable database that *migrations* have made.

    The tenants are those of *config* (partywall.toml), their logins on the disposable server; the
    secrets it names are not needed. Without tenants there, they are made up as for any database.

    Raises:
        ConfigurationError: the folder, the tool or the configuration can't work.
        MigrationError: a migration can't be read or failed.
        ServerError: no disposable server could be started.
    """
    tool, place = found(migrations.folder, migrations.tool)
    scripts = list(tool.scripts(place)) if tool.scripts else []
    if tool.scripts and not scripts:
        raise ConfigurationError(f"{place} holds no migration of {tool.title}")
    platform = _stub(tool)
    read = [one for script in [*platform, *scripts] for one in statements(script)]
    configuration = load(config, url=LATER, attacker=attacker, secrets=False)
    _one_database(configuration)
    name = ground.SUPERUSER if tool.platform else ground.database_in(read)
    owner = ground.SUPERUSER if tool.platform else ground.owner_in(read)
    wanted = list(ground.extensions_in(read)) if tool.scripts else ["pgcrypto", "uuid-ossp"]
    with ExitStack() as stack:
        server = stack.enter_context(postgres(ground.most_able(wanted), SETTINGS))
        admin = stack.enter_context(_connected(server.url()))
        _prepare(admin, name, owner)
        loading = Loading(stack.enter_context(_connected(server.url(name, owner))))
        if platform:
            loading.run(platform[0])
            loading.note(f"the roles, schemas and functions of {tool.title} are stand-ins")
            loading.connection = stack.enter_context(_connected(server.url(name, owner)))
        if tool.program:
            address = Address("127.0.0.1", server.port, owner, name)
            python = programs.python_of(place, migrations.python)
            command = tool.program(place, python, address)
            programs.migrate(command, tool.title, loading.make_role)
        others = sorted(file for pattern in tool.others for file in place.glob(pattern))
        _run(loading, scripts, _left_out(others))
        if owner != ground.SUPERUSER:
            admin.execute(f"ALTER ROLE {identifier(owner)} NOSUPERUSER".encode())
        loading.connection.close()
        tenants = _turned(configuration, server, name)
        wanted_logins = list(dict.fromkeys(login_of(t.url, t.name)[0] for t in tenants))
        with _connected(server.url(name)) as inside:
            logins.provide(inside, owner, wanted_logins, loading.note)
        configuration = replace(configuration, url=server.url(name))
        yield _described(configuration, tenants, tool, migrations.folder, scripts, loading)


def _prepare(admin: psycopg.Connection[Any], name: str, owner: str) -> None:
    """Make the owner, a superuser as long as the migrations run, and its database."""
    if owner != ground.SUPERUSER:
        admin.execute(f"CREATE ROLE {identifier(owner)} SUPERUSER LOGIN".encode())
    if name != "postgres":
        statement = f"CREATE DATABASE {identifier(name)} OWNER {identifier(owner)}"
        admin.execute(statement.encode())


def _run(loading: Loading, scripts: Sequence[Script], left_out: str) -> None:
    """Run all scripts; what was left out may be why one failed."""
    if left_out:
        loading.note(left_out)
    for script in scripts:
        try:
            loading.run(script)
        except MigrationError as error:
            raise MigrationError(f"{error}; {left_out}" if left_out else str(error)) from error


def _left_out(files: Sequence[Path]) -> str:
    """What is to be said of migrations that are no SQL."""
    if not files:
        return ""
    shown = ", ".join(file.name for file in files[:SHOWN]) + (" …" if files[SHOWN:] else "")
    return f"migrations that are no SQL are left out ({len(files)}): {shown}"


def _stub(tool: Tool) -> list[Script]:
    """What the tool's platform provides, to be run before anything of the project."""
    if not tool.platform:
        return []
    file = STUBS / f"{tool.platform}.sql"
    return [Script(Path(file.name), file.read_text(encoding="utf-8"), whole=False)]


def _turned(
    configuration: Configuration, server: Postgres, name: str
) -> tuple[TenantSettings, ...]:
    """The declared tenants and the anonymous one, their addresses turned to the server."""
    declared = [*configuration.tenants, *filter(None, [configuration.anonymous])]
    return tuple(
        replace(one, url=server.url(name, str(conninfo_to_dict(one.url)["user"])))
        for one in declared
    )


def _one_database(configuration: Configuration) -> None:
    """Check that what is declared can stand in one database.

    Raises:
        ConfigurationError: the tenants have a database each, and the migrations make one.
    """
    declared = [*configuration.tenants, *filter(None, [configuration.anonymous])]
    databases = {login_of(tenant.url, f"[tenants.{tenant.name}] url")[1] for tenant in declared}
    if len(databases) > 1:
        raise ConfigurationError(
            f"the tenants have a database each ({', '.join(sorted(databases))}), and a folder of "
            "migrations makes one: migrate the databases yourself, and survey them (--url)"
        )


def _described(
    configuration: Configuration,
    tenants: Sequence[TenantSettings],
    tool: Tool,
    folder: Path,
    scripts: Sequence[Script],
    loading: Loading,
) -> Configuration:
    """The configuration with its tenants turned, and what the report says of its origin."""
    number = f", {len(scripts)} script{'s' if len(scripts) > 1 else ''}" if scripts else ""
    anonymous = tenants[-1] if configuration.anonymous else None
    return replace(
        configuration,
        tenants=tuple(tenants[: len(configuration.tenants)]),
        anonymous=anonymous,
        title=f"{folder} ({tool.title}{number})",
        notes=tuple(loading.notes),
    )


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="partywall",
        options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c client_min_messages=error",
    )  # fmt: skip
