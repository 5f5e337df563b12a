"""Ids as the control plane writes them; what looks otherwise belongs to nobody."""

from __future__ import annotations

import re

SHAPE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def possible(*ids: str) -> bool:
    """Whether all of these can be ids.

    Ask before a database is asked: PostgreSQL would refuse any other text with an error that ends
    the transaction, and would take an id in capital letters for the same.
    """
    return all(SHAPE.match(each) for each in ids)
