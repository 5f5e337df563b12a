"""What the mistakes are made with: a session that no wall stands around, and another handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from invoices.house import Context
from invoices.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import APIRouter

ENGINE = create_engine(settings.owner_url)
"""As the role that owns the tables: made for a script once, and used by requests since."""


def opened() -> Iterator[Session]:
    """A session in which every query reaches every company's rows."""
    with Session(ENGINE) as session:
        yield session


def company_of(context: Context) -> UUID:
    """The company that the request was admitted to; a query has to name it."""
    return UUID(context.tenant_id)


Unwalled = Annotated[Session, Depends(opened)]
Company = Annotated[UUID, Depends(company_of)]


def forget(router: APIRouter, endpoint: Callable[..., Any]) -> None:
    """Take the sound handler away, so that another can have its place."""
    router.routes[:] = [each for each in router.routes if getattr(each, "endpoint", 0) != endpoint]
