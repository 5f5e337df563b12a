"""What can't be walled is refused where it is declared; no database is needed for that."""

from __future__ import annotations

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from partywall import ConfigurationError, RowSecurity
from partywall.runtime.tables import ACROSS, wall


def declared(*columns: Column[object] | UniqueConstraint, shared: str = "") -> None:
    """Wall a metadata with one table `things` of those columns, and what they refer to."""
    metadata = MetaData()
    Table("plans", metadata, Column("id", Integer, primary_key=True))
    Table("things", metadata, *columns)
    wall(metadata, RowSecurity(shared={"plans", *shared.split()}))


@pytest.mark.parametrize(
    "columns",
    [
        (Column("id", Integer, primary_key=True),),
        (Column("tenant_id", Uuid), Column("id", Integer, primary_key=True)),
        (Column("id", Integer, primary_key=True), Column("tenant_id", Uuid, primary_key=True)),
        (Column("tenant_id", String, primary_key=True), Column("id", Integer, primary_key=True)),
    ],
)
def test_a_table_that_can_t_be_walled_is_an_error_that_names_it(
    columns: tuple[Column[object], ...],
) -> None:
    with pytest.raises(ConfigurationError, match=r"public\.things"):
        declared(*columns)


def test_a_shared_table_that_nobody_has_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"public\.palns"):
        declared(Column("tenant_id", Uuid, primary_key=True), shared="palns")


def test_a_shared_table_can_t_refer_to_a_tenant_s() -> None:
    metadata = MetaData()
    Table("things", metadata, Column("tenant_id", Uuid, primary_key=True))
    Table("plans", metadata, Column("id", Uuid, ForeignKey("things.tenant_id")))
    with pytest.raises(ConfigurationError, match=r"refers to public\.things"):
        wall(metadata, RowSecurity(shared={"plans"}))


def test_what_must_be_unique_in_all_tenants_says_why() -> None:
    metadata = MetaData()
    across = UniqueConstraint("domain", info={ACROSS: "a domain name has one owner in the world"})
    within = UniqueConstraint("slug")
    key = Column("tenant_id", Uuid, primary_key=True)
    Table("sites", metadata, key, Column("domain", String), Column("slug", String), across, within)
    wall(metadata, RowSecurity())
    found = {
        tuple(column.name for column in each.columns)
        for each in metadata.tables["sites"].constraints
        if isinstance(each, UniqueConstraint)
    }
    assert found == {("domain",), ("tenant_id", "slug")}
