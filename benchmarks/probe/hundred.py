"""An API of a hundred operations that costs next to nothing: twenty kinds of things, each walled.

`python -m benchmarks.probe.hundred` probes it in five sizes; with `PORT [KINDS]` it is served on
loopback. Its tenants are the bearers of the tokens `acme`, `globex`, `initech` and `umbrella`.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

from partywall.survey.http.probing import probe
from partywall.survey.http.settings import ApiSettings, Credentials

TENANTS = ("acme", "globex", "initech", "umbrella")
OPERATIONS = 5
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


def measured(kinds: int, tenants: int) -> str:
    """One probe of a fresh server, as a row of a table."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.probe.hundred", str(port), str(kinds)]
    with subprocess.Popen(command) as server:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.1)
        base = f"http://127.0.0.1:{port}"
        people = [Credentials(t, {"Authorization": f"Bearer {t}"}) for t in TENANTS[:tenants]]
        settings = ApiSettings(base=base, openapi=f"{base}/openapi.json", tenants=tuple(people))
        began_s, spent_s = time.perf_counter(), time.process_time()
        report = probe(settings)
        took_s, spent_s = time.perf_counter() - began_s, time.process_time() - spent_s
        server.terminate()
    pairs = len({(each.attacker, each.victim) for each in report.tried})
    return (
        f"| {kinds * OPERATIONS} | {tenants} | {pairs} | {report.requests:,} | {took_s:.1f} s | "
        f"{report.requests / took_s:.0f} | {spent_s:.1f} s | {report.verdict}"
    )


if __name__ == "__main__":
    asked = [int(each) for each in sys.argv[1:]]
    if asked:
        for each in KINDS[: asked[1] if asked[1:] else None]:
            furnish(each)
        uvicorn.run(app, port=asked[0], log_level="warning")
    else:
        for size in ((5, 2), (10, 2), (20, 2), (10, 3), (10, 4)):
            print(measured(*size))
