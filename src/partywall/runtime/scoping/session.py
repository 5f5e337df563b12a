"""A session that adds the tenant to what the ORM sends; the gate then sees that it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import CompoundSelect, event, inspect
from sqlalchemy.sql.selectable import SelectStatementGrouping

from partywall.isolation.scoped_queries import ScopedQueries
from partywall.runtime.scoping.mapped import criteria, tenant_column, tenant_key, typed
from partywall.runtime.session import TenantSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Mapper, ORMExecuteState, Session


class ScopedSession(TenantSession):
    """A session of one tenant in tables that all share, kept apart by its statements alone.

    ORM selects, joins, lazy and eager loads, aliases, CTEs, unions, bulk updates and deletes are
    restricted to the tenant; new objects get its id, and so do the rows of an ORM-enabled
    `insert()`. All else is sent only where it ties itself to the tenant: see `guard`. That goes for
    association tables (`secondary=`) too, which do so when their foreign keys contain the tenant,
    and for joined loads from a shared class to tenants' rows: load those with `selectinload`.

    Raises:
        ConfigurationError: for a mapped tenants' table whose primary key lacks the tenant.
        TenantMismatch: for objects and rows of another tenant, also when flushed.
        MissingTenantFilter: for statements that can't be shown to stay with the tenant.
    """

    @property
    def model(self) -> ScopedQueries:
        """What the tenancy declares."""
        assert isinstance(self.lease.model, ScopedQueries)  # noqa: S101 - so `Tenancy` chose this
        return self.lease.model

    def bulk_insert_mappings(
        self, mapper: Any, mappings: Iterable[dict[str, Any]], *args: Any, **options: Any
    ) -> None:
        """As SQLAlchemy's; rows without a tenant get the session's."""
        rows = self._with_tenant(inspect(mapper).mapper, mappings)
        super().bulk_insert_mappings(mapper, rows, *args, **options)

    def bulk_update_mappings(self, mapper: Any, mappings: Iterable[dict[str, Any]]) -> None:
        """As SQLAlchemy's; rows without a tenant are the session's."""
        super().bulk_update_mappings(mapper, self._with_tenant(inspect(mapper).mapper, mappings))

    def _with_tenant(
        self, mapper: Mapper[Any], rows: Iterable[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Rows by attribute, each with the session's tenant where it names none."""
        key = tenant_key(mapper, self.model) if self.lease.tenant else ""
        if not key:
            return [dict(row) for row in rows]
        own = typed(tenant_column(mapper, key), self.lease.tenant)
        return [{key: own, **row} for row in rows]


def scope(state: ORMExecuteState) -> None:
    """Restrict an ORM statement to the tenant before it is compiled."""
    session = state.session
    assert isinstance(session, ScopedSession)  # noqa: S101 - listened to nothing else
    mapper = state.bind_mapper or mapper_of(state.statement)
    if not session.lease.tenant or mapper is None:
        return
    if state.is_insert or isinstance(state.parameters, list):
        fill(state, session, mapper)
    elif not state.is_from_statement:  # whose text stands as it is
        option = criteria(mapper.registry.mappers, session.model, session.lease.tenant)
        state.statement = state.statement.options(option)


def mapper_of(statement: Any) -> Mapper[Any] | None:
    """A class that a union selects; of a union SQLAlchemy doesn't say it."""
    if isinstance(statement, SelectStatementGrouping):
        return mapper_of(statement.element)
    if isinstance(statement, CompoundSelect):
        return next(filter(None, map(mapper_of, statement.selects)), None)
    for described in getattr(statement, "column_descriptions", ()):
        found = inspect(described.get("entity"), raiseerr=False)
        if found is not None:
            mapper: Mapper[Any] = found.mapper
            return mapper
    return None


def fill(state: ORMExecuteState, session: ScopedSession, mapper: Mapper[Any]) -> None:
    """Give the tenant to the rows of an ORM-enabled INSERT, or UPDATE by primary key."""
    given = state.parameters
    if isinstance(given, dict):
        state.parameters = session._with_tenant(mapper, [given])[0]  # noqa: SLF001 - its own module
    elif isinstance(given, list):
        state.parameters = session._with_tenant(mapper, given)  # noqa: SLF001 - its own module


def before_flush(session: Session, context: object, objects: object) -> None:
    """Give new objects the tenant; refuse those that name, or were moved to, another."""
    del context, objects
    assert isinstance(session, ScopedSession)  # noqa: S101 - listened to nothing else
    tenant = session.lease.tenant
    if not tenant:
        return
    for instance in (*session.new, *session.dirty):
        mapper = inspect(instance).mapper
        key = tenant_key(mapper, session.model)
        if not key:
            continue
        own = typed(tenant_column(mapper, key), tenant)
        if instance in session.new and getattr(instance, key) is None:
            setattr(instance, key, own)
        elif inspect(instance).dict.get(key, own) != own:
            raise session.mismatch(f"this {type(instance).__name__}")


event.listen(ScopedSession, "do_orm_execute", scope)
event.listen(ScopedSession, "before_flush", before_flush)
