"""What each isolation model attaches to its engines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from partywall.isolation.file_per_tenant import FilePerTenant
from partywall.isolation.scoped_queries import ScopedQueries
from partywall.runtime.vetting import vet

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from partywall.isolation.plan import IsolationModel


def guards_of(model: IsolationModel) -> tuple[Callable[[Engine], None], ...]:
    """The functions to call with each new engine; what they need is imported only for them."""
    if isinstance(model, ScopedQueries):
        from partywall.runtime.scoping import guard  # noqa: PLC0415 - imports the parser

        return (partial(guard, model=model),)
    if isinstance(model, FilePerTenant):
        from partywall.runtime.files import secure  # noqa: PLC0415 - only for SQLite

        return (partial(secure, model=model),)
    return (partial(vet, model=model),)
