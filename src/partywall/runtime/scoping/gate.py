"""The gate before the driver: whatever SQLAlchemy sends passes here, or is not sent."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from partywall.errors import MissingTenant, MissingTenantFilter, TenantMismatch, WallError
from partywall.runtime.entering import refused
from partywall.runtime.lease import KEY, Lease
from partywall.runtime.lending import ANALYSED
from partywall.runtime.scoping.analysis import analyse
from partywall.runtime.scoping.placeholders import Prepared, prepared
from partywall.runtime.scoping.requirement import Requirement, Untied, names_tenant
from partywall.runtime.scoping.sqlite import confine

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from partywall.isolation.scoped_queries import ScopedQueries

KEPT = 2048
"""How many analyses are kept: most applications have fewer statements."""

LONG = 16_384
"""Characters from which on a statement is taken for one of many rows, of which few are kept."""

KEPT_LONG = 32

SAVEPOINT = re.compile(r"(?:SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) sa_savepoint_\d+\Z")
"""What SQLAlchemy sends for `begin_nested`."""


def guard(engine: Engine, model: ScopedQueries) -> None:
    """Have every statement of *engine* shown to stay with its tenant before it is sent.

    All that goes through SQLAlchemy comes here: ORM, Core, text, the driver's own SQL, many rows
    at once. What can't be known from a statement: what triggers, rules, views and cascades do, and
    whether keys and unique constraints span tenants, so that one learns of another's; a foreign
    key that doesn't contain the tenant column takes the key of another tenant's row. The tenant
    column must be compared exactly: no collation that takes two ids for one. A cursor taken from
    the driver's own connection is the driver's, and doesn't come here.

    Raises (when a statement is executed):
        MissingTenantFilter: when it can't be shown to stay with the tenant.
        TenantMismatch: when it names another tenant.
        WallError: on SQLite, for what reaches out of the file.
    """
    setattr(engine.dialect, ANALYSED, True)
    if engine.dialect.name == "sqlite":
        confine(engine)
    required = analyses(model, engine.dialect.paramstyle)

    def before_cursor_execute(
        connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        executemany: bool,  # noqa: FBT001 - SQLAlchemy's
    ) -> None:
        del cursor
        lease = connection.connection.info.get(KEY)
        if not isinstance(lease, Lease):
            raise MissingTenant("a statement without a tenant: use tenancy.session(context)")
        if lease.unscoped_reason:
            return
        if parameters or not unprocessed(context):
            required_of = required(statement)
        else:
            required_of = Requirement(refusal="no_parameters changes how it is read: leave it out")
        rows = parameters if executemany and isinstance(parameters, list) else (parameters,)
        error = objection(required_of, rows, lease.tenant)
        if error is not None:
            refused(lease, error)
            raise error

    event.listen(engine, "before_cursor_execute", before_cursor_execute)


def unprocessed(context: Any) -> bool:
    """Whether the driver is told to leave the statement's placeholders alone."""
    return context is not None and bool(context.execution_options.get("no_parameters"))


def analyses(model: ScopedQueries, paramstyle: str) -> Callable[[str], Requirement]:
    """The analysis of statements, remembered by their text."""
    analysed = partial(requirement, model=model, paramstyle=paramstyle)
    short = lru_cache(maxsize=KEPT)(analysed)
    long = lru_cache(maxsize=KEPT_LONG)(analysed)
    return lambda statement: short(statement) if len(statement) < LONG else long(statement)


def requirement(statement: str, model: ScopedQueries, paramstyle: str) -> Requirement:
    """What *statement* asks of its parameters, by where they stand."""
    if SAVEPOINT.match(statement):
        return Requirement()
    try:
        given: Prepared = prepared(statement, paramstyle)
        found = analyse(given.text, model)
        places = tuple(given.place(int(number)) for number in found.parameters)
    except Untied as untied:
        return Requirement(refusal=str(untied))
    return Requirement(places, found.literals, found.refusal)


def objection(needed: Requirement, rows: Any, tenant: str) -> WallError | None:
    """Why the statement may not be sent with these *rows* of parameters, if it may not."""
    if needed.refusal:
        return MissingTenantFilter(
            f"the statement was not sent, as it can't be shown to stay with the tenant: "
            f"{needed.refusal}"
        )
    if any(not names_tenant(text, tenant) for text in needed.literals):
        return TenantMismatch(OTHER)
    try:
        if all(names_tenant(row[p], tenant) for row in rows for p in needed.parameters):
            return None
    except (LookupError, TypeError):
        return MissingTenantFilter(
            "the statement was not sent: the parameter that ties it to the tenant has no value"
        )
    return TenantMismatch(OTHER)


OTHER = (
    "the statement was not sent, as it names another tenant than the one of its session: "
    "use session.context.tenant_id, or a session of the tenant that is meant"
)
