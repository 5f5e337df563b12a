"""The tables that every contender makes: each refers to the one before it.

A whole number that counts itself, a text, a moment, a foreign key with its index: the same columns
as Django's migration makes of `with_django_tenants`.
"""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Identity, Integer, MetaData, Table, Text


def linked(tables: int) -> MetaData:
    """So many of them."""
    metadata = MetaData()
    for number in range(tables):
        before = f"things{number - 1}.id" if number else f"things{number}.id"
        Table(
            f"things{number}",
            metadata,
            Column("id", Integer, Identity(), primary_key=True),
            Column("body", Text, nullable=False),
            Column("made_at", DateTime(timezone=True), nullable=False),
            Column("before_id", ForeignKey(before), index=True),
        )
    return metadata
