"""Crashes after any message that changes something: the process that sent it is no more."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGES = re.compile(r"\b(?:CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|INSERT|DELETE)\b")


class Crash(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@contextmanager
def crashing(at: int) -> Iterator[list[int]]:
    """Crash once the server has answered the change of a number, from 1.

    What is in a transaction is not committed then. Yields a list that holds the number when it
    came to that.
    """
    reached: list[int] = []
    sent = 0
    execute = psycopg.Cursor.execute

    def executing(self: Any, query: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the driver's
        nonlocal sent
        result = execute(self, query, *args, **options)
        text = query.decode() if isinstance(query, bytes) else str(query)
        sent += bool(CHANGES.search(text))
        if sent == at and not reached:
            reached.append(at)
            raise Crash
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", executing)
        with suppress(Crash):
            yield reached
