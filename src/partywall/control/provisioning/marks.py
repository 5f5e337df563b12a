"""Marks: how a step that is taken again knows its own work from another's of the same name.

A mark is the comment on a schema, a role or a database. It is written in the transaction that makes
what it stands on, so that nothing of ours is ever without one. What has no mark, or the mark of
another tenant, was made by somebody else: it is never used, changed or dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from partywall.isolation.database_per_tenant import TOMBSTONE

BEGIN = "partywall: "

__all__ = ["TOMBSTONE", "Mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of a place that was made here.

    Attributes:
        tenant: whose it is; "" for one that was made ahead.
        tables: the digest of the tables that were made in it, "" before.
        seed: `begun` before the seed's transaction, `done` after it; "" before both.
        draft: the name under which a database is made, before it gets its own.
    """

    tenant: str
    tables: str = ""
    seed: str = ""
    draft: str = ""

    def __str__(self) -> str:
        """As it is written down: words that hold no space, which no id holds either."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return BEGIN + " ".join(f"{name}={value}" for name, value in values.items() if value)

    @classmethod
    def read(cls, comment: str | None) -> Mark | None:
        """The mark in a comment; None when there is none."""
        if not comment or not comment.startswith(BEGIN) or comment == TOMBSTONE:
            return None
        words = [word.partition("=") for word in comment.removeprefix(BEGIN).split()]
        given = {name: value for name, _, value in words}
        if not given.keys() <= {field.name for field in fields(cls)}:
            return None
        return cls(**{"tenant": "", **given})
