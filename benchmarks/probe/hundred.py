"""An API of a hundred operations that costs next to nothing: twenty kinds of things, each walled.

`python -m benchmarks.probe.hundred PORT [KINDS]` serves it on loopback, with fewer kinds if told
so; its tenants are the bearers of the tokens `acme`, `globex`, `initech` and `umbrella`.
"""

from __future__ import annotations

import sys
import uuid
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

TENANTS = frozenset({"acme", "globex", "initech", "umbrella"})
KINDS = (
    "account", "album", "asset", "board", "booking", "card", "claim", "contract", "device", "event",
    "folder", "invoice", "lesson", "message", "order", "patient", "project", "recipe", "report",
    "ticket",
)  # fmt: skip


class Thing(BaseModel):
    """What can be said of a thing."""

    title: str
    notes: str = ""
    amount: int = 0


def tenant(authorization: Annotated[str, Header()] = "") -> str:
    """Whose token it is; 401 for nobody's."""
    name = authorization.removeprefix("Bearer ")
    if name not in TENANTS:
        raise HTTPException(401)
    return name


Tenant = Annotated[str, Depends(tenant)]
app = FastAPI(title="A hundred operations")


Rows = dict[tuple[str, str], dict[str, Any]]


def furnish(kind: str) -> None:
    """Five operations on one kind of thing, each only on the caller's own."""
    rows: Rows = {}
    item = f"/{kind}s/{{id_}}"

    def own(caller: str, id_: str) -> dict[str, Any]:
        if (caller, id_) not in rows:
            raise HTTPException(404)
        return rows[caller, id_]

    @app.post(f"/{kind}s", status_code=201)
    async def create(new: Thing, caller: Tenant) -> dict[str, Any]:
        id_ = str(uuid.uuid4())
        rows[caller, id_] = {"id": id_, **new.model_dump()}
        return rows[caller, id_]

    @app.get(f"/{kind}s")
    async def every(caller: Tenant) -> list[dict[str, Any]]:
        return [row for (owner, _), row in rows.items() if owner == caller]

    @app.get(item)
    async def read(id_: str, caller: Tenant) -> dict[str, Any]:
        return own(caller, id_)

    @app.put(item)
    async def update(id_: str, new: Thing, caller: Tenant) -> dict[str, Any]:
        own(caller, id_).update(new.model_dump())
        return own(caller, id_)

    @app.delete(item, status_code=204)
    async def delete(id_: str, caller: Tenant) -> None:
        own(caller, id_)
        del rows[caller, id_]


if __name__ == "__main__":
    port, *fewer = map(int, sys.argv[1:])
    for each in KINDS[: fewer[0] if fewer else None]:
        furnish(each)
    uvicorn.run(app, port=port, log_level="warning")
