"""Mapped classes and their tenant column."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Column, Table, bindparam
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.util import _deep_annotate
from sqlalchemy.sql.visitors import InternalTraversal

from partywall.errors import ConfigurationError, MissingTenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Mapper

    from partywall.isolation.scoped_queries import ScopedQueries


@lru_cache(maxsize=4096)
def tenant_key(mapper: Mapper[Any], model: ScopedQueries) -> str:
    """The attribute that holds the tenant; "" for a class whose rows are shared.

    What SQLAlchemy writes and loads again goes by the primary key alone: only a key that contains
    the tenant ties it.

    Raises:
        ConfigurationError: when a tenants' table lacks the column, or has it outside of its
            primary key.
    """
    key = ""
    for table in mapper.tables:
        if not isinstance(table, Table) or table.fullname in model.shared:
            continue
        column = table.columns.get(model.column)
        if column is None or not column.primary_key:
            raise ConfigurationError(
                f"{mapper.class_.__name__} maps the tenants' table {table.fullname}, whose primary "
                f"key lacks the tenant: declare {model.column}: Mapped[…] = "
                "mapped_column(primary_key=True) first in it, or name the table in "
                "ScopedQueries(shared={…})"
            )
        key = mapper.get_property_by_column(column).key
    return key


def tenant_column(mapper: Mapper[Any], key: str) -> Column[Any]:
    """The column behind the attribute *key*."""
    column = mapper.attrs[key].columns[0]
    assert isinstance(column, Column)  # noqa: S101 - `tenant_key` found it in a table
    return column


def typed(column: Column[Any], tenant: str) -> Any:
    """The tenant's id as the type of *column* has it.

    Raises:
        MissingTenant: when the id can't be of that type.
    """
    wanted = column.type.python_type
    try:
        return tenant if wanted is str else wanted(tenant)
    except ValueError:
        raise MissingTenant(
            f"{column.table}.{column.name} holds {wanted.__name__}, which the tenant's id is not"
        ) from None


class TenantCriteria(LoaderCriteriaOption):
    """`with_loader_criteria` for every class of a registry at once.

    One option for each class would make SQLAlchemy look at all of them at every execution, to find
    the compiled statement in its cache. This one shows it the parameters alone.
    """

    inherit_cache: bool | None = False
    _traverse_internals: list[tuple[str, InternalTraversal]] = [  # noqa: RUF012 - as SQLAlchemy's
        ("model", InternalTraversal.dp_plain_obj),
        ("mappers", InternalTraversal.dp_plain_obj),
        ("parameters", InternalTraversal.dp_clauseelement_tuple),
    ]

    def __init__(self, mappers: frozenset[Mapper[Any]], model: ScopedQueries, tenant: str) -> None:
        self.mappers, self.model = mappers, model
        self.include_aliases, self.propagate_to_loaders = True, False
        parameters: dict[Any, BindParameter[Any]] = {}
        self._conditions: dict[Mapper[Any], tuple[str, BindParameter[Any]]] = {}
        for mapper in sorted(mappers, key=lambda m: m.class_.__qualname__):
            if key := tenant_key(mapper, model):
                column = tenant_column(mapper, key)
                own = parameters.setdefault(
                    repr(column.type), bindparam(None, typed(column, tenant), type_=column.type)
                )
                self._conditions[mapper] = key, own
        self.parameters = tuple(parameters.values())

    def _all_mappers(self) -> Iterator[Mapper[Any]]:
        return iter(self._conditions)

    def _resolve_where_criteria(self, ext_info: Any) -> Any:
        key, own = self._conditions[ext_info.mapper]
        return _deep_annotate(
            getattr(ext_info.entity, key) == own,  # of the alias, where it is one: in ON, too
            {"for_loader_criteria": self},
            detect_subquery_cols=True,
            ind_cols_on_fromclause=True,
        )


@lru_cache(maxsize=1024)
def criteria(mappers: frozenset[Mapper[Any]], model: ScopedQueries, tenant: str) -> TenantCriteria:
    """The option that restricts each class of *mappers* to the tenant, wherever it is mentioned."""
    return TenantCriteria(mappers, model, tenant)
