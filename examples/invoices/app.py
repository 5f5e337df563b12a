"""The application: `uvicorn --app-dir examples invoices.app:app`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from sqlalchemy.exc import IntegrityError

from partywall.adapters.fastapi import control_router, documented, problem

from . import (
    comments,
    customers,
    debtors,
    export,
    exports,
    files,
    invoices,
    live,
    reports,
    search,
)
from .house import access, building, channels, plane, prepare, tenancy
from .settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response


@asynccontextmanager
async def alive(app: FastAPI) -> AsyncIterator[None]:
    """From the first request to the last."""
    del app
    await asyncio.to_thread(prepare)
    await asyncio.to_thread(plane.launch)
    await asyncio.to_thread(tenancy.workflows.launch)
    async with channels:
        yield
    await tenancy.async_close()
    await asyncio.to_thread(plane.close)
    await asyncio.to_thread(building.close)


app = FastAPI(title="Invoices", lifespan=alive, responses=documented())
for subject in (
    customers,
    invoices,
    debtors,
    comments,
    live,
    files,
    search,
    export,
    exports,
    reports,
):
    app.include_router(subject.router)
app.include_router(control_router(plane, access, sign_ups_an_hour=settings.sign_ups))
access.protect(app)


@app.exception_handler(IntegrityError)
async def conflicting(request: Request, error: IntegrityError) -> Response:
    """A row that stands against others of the company: its id is taken, or it is still needed."""
    del request, error  # which quotes rows
    return problem(409, "this stands against what is there: its id is taken, or it is needed")
