"""The control plane that a command is about, opened and closed again."""

from __future__ import annotations

import getpass
import importlib
import socket
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from partywall.control import audit, tenants, users
from partywall.control.audit import fitted
from partywall.control.database import Database
from partywall.control.migrations import newest, revision
from partywall.control.plane import ControlPlane
from partywall.errors import ConfigurationError, Unavailable, UnknownRecord, UnknownTenant
from partywall.survey.configuration import control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from partywall.cli.where import Where
    from partywall.control.chain import Plain
    from partywall.control.tenants import Tenant
    from partywall.control.users import User


@contextmanager
def house(where: Where) -> Iterator[Database]:
    """The control plane's database, whose tables are those that this partywall knows.

    Raises:
        ConfigurationError: when nothing says where it is, or its tables are others.
        Unavailable: when it is down.
    """
    settings = control(where.config, url=where.control, app=where.app)
    if settings.url:
        database = Database(settings.url)
    elif settings.app:
        database = application(settings.app).database
    else:
        raise ConfigurationError(
            "no control plane: give --control postgresql://…, set PARTYWALL_CONTROL, or write "
            '`[control] url = "postgresql://…"` in partywall.toml'
        )
    with closing_well(database):
        try:
            yield database
        finally:
            database.close()


@contextmanager
def plane(where: Where) -> Iterator[ControlPlane]:
    """The application's control plane, which knows how to make a tenant's place and remove it.

    Raises:
        ConfigurationError: when nothing names it, it can't be imported, or it is another one than
            the url that was given.
        Unavailable: when its database is down.
    """
    settings = control(where.config, url=where.control, app=where.app)
    if not settings.app:
        raise ConfigurationError(
            "to make or remove a tenant the application's own control plane is needed, with its "
            "building and its workflow engine: give --app invoices.main:plane, or write "
            '`[control] app = "invoices.main:plane"` in partywall.toml'
        )
    found = application(settings.app)
    if settings.url and Database(settings.url).url != found.database.url:
        raise ConfigurationError(
            f"{settings.app} has its control plane in another database than the one that was "
            "given: leave the url out, or mend it"
        )
    with closing_well(found.database), found:
        yield found


def application(name: str) -> ControlPlane:
    """The control plane that an application has under *name*, ``module:attribute``.

    Raises:
        ConfigurationError: when there is none.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ConfigurationError(f"{name!r} names no attribute of a module: invoices.main:plane")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise ConfigurationError(
            f"{name} could not be imported: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, ControlPlane):
        raise ConfigurationError(f"{name} is a {type(found).__name__} and no ControlPlane")
    return found


@contextmanager
def closing_well(database: Database) -> Iterator[None]:
    """Look at the tables first, and say it plainly when the database does not go on."""
    try:
        known(database)
        yield
    except OperationalError as error:
        raise Unavailable(
            f"the control plane's database did not go on: {error.orig or error}"
        ) from error


def known(database: Database) -> None:
    """Take a database with the tables of this version; a command makes and changes none.

    Raises:
        ConfigurationError: for another; the message says the mend.
    """
    if database.sqlite and not Path(database.url.database or "").is_file():
        raise ConfigurationError(f"there is no file {database.url.database}")
    with database.reading() as connection:
        found = revision(connection)
    if found is None:
        raise ConfigurationError(
            "there is no control plane in this database: is it the right one? Its tables are made "
            "by `migrate(plane.database)`, which the application calls when it starts"
        )
    if found != newest():
        raise ConfigurationError(
            f"the control plane's tables are at revision {found}, and this partywall works on "
            f"{newest()}: `migrate(plane.database)` brings them there; where they are newer, "
            "install the partywall that migrated them"
        )


def tenant_named(connection: Connection, name: str) -> Tenant:
    """A tenant by its slug or its id.

    Raises:
        UnknownTenant: when there is none.
    """
    tenant_id = identity(name)  # first: a stranger's slug may look like the id of another
    found = tenants.get(connection, tenant_id) if tenant_id else None
    found = found or tenants.by_slug(connection, name)
    if found is None:
        raise UnknownTenant(f"there is no tenant {name}")
    return found


def user_named(connection: Connection, name: str) -> User:
    """A user by their address or their id.

    Raises:
        UnknownRecord: when there is none.
    """
    user_id = identity(name)
    found = users.get(connection, user_id) if user_id else users.by_email(connection, name)
    if found is None:
        raise UnknownRecord(f"there is no user {name}")
    return found


def identity(text: str) -> str:
    """A UUID as the tables have it; "" when *text* is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def noted(
    connection: Connection, tenant_id: str, action: str, subject: str, **detail: Plain
) -> None:
    """Put what was done here into a tenant's log; the last act of a transaction."""
    audit.record(
        connection,
        tenant_id,
        action,
        actor=who(),
        subject=subject,
        source=whence(),
        detail=detail,
    )


def who() -> str:
    """Who sits at this console, for the log: what the system calls them, which they can change."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return fitted(f"console:{name}")


def whence() -> str:
    """Which machine this is, for the log."""
    return fitted(socket.gethostname())
