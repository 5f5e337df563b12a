"""Tenants, people and their memberships, in a real control plane, and a server in front of it."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from sqlalchemy import insert

from partywall import Tenancy
from partywall.control import api_keys
from partywall.control.database import new_id, now
from partywall.control.migrations import migrate
from partywall.control.plane import ControlPlane
from partywall.control.tables import domains, memberships, tenants, users
from partywall.control.tokens import SigningKey, Tokens
from tests.runtime.houses import ACME, GLOBEX, row_security

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from tests.conftest import Database

BASE = "example.com"
KEYS = [SigningKey.generate("first")]
TOKENS = Tokens(KEYS, issuer="https://example.com", audience="test")

TENANTS = {
    "acme": (ACME.tenant_id, "active"),
    "globex": (GLOBEX.tenant_id, "active"),
    "sleepy": ("00000000-0000-0000-0000-00000000000c", "suspended"),
    "fresh": ("00000000-0000-0000-0000-00000000000d", "provisioning"),
    "broken": ("00000000-0000-0000-0000-00000000000e", "failed"),
}
PEOPLE = {
    "ann": {"acme": "owner"},
    "al": {"acme": "member"},
    "bob": {"globex": "owner"},
    "both": {"acme": "admin", "globex": "member"},
    "sue": {"sleepy": "owner", "fresh": "owner", "broken": "owner"},
    "nobody": {},
}
DOMAINS = {"billing.acme.test": "acme", "globex.test": "globex", "unproven.test": ""}


@dataclass(frozen=True)
class Town:
    """A control plane with `TENANTS` and `PEOPLE`, and their data with the walls of row security.

    `ids` are the users' by their names, `secret` is an API key of ann's in acme.
    """

    database: Database
    plane: ControlPlane
    tenancy: Tenancy
    ids: dict[str, str]
    secret: str

    def token(self, person: str, tenant: str = "", version: int = 1) -> str:
        """A token of *person* for *tenant*; for none, and no more than an identity, without."""
        if not tenant:
            return TOKENS.issue(self.ids[person], "", 0)
        return TOKENS.issue(self.ids[person], TENANTS[tenant][0], version)

    def bearer(self, person: str, tenant: str = "", version: int = 1) -> dict[str, str]:
        """Its header."""
        return {"Authorization": f"Bearer {self.token(person, tenant, version)}"}

    def logged(self, tenant: str) -> list[tuple[str, str, dict[str, object]]]:
        """Who did what in a tenant's audit log."""
        return [
            (str(actor), action, detail)
            for actor, action, detail in self.database.rows(
                "SELECT actor, action, detail FROM partywall.audit_log WHERE tenant_id = "
                f"'{TENANTS[tenant][0]}' ORDER BY number"
            )
        ]


@contextmanager
def settled(database: Database) -> Iterator[Town]:
    """A town in an empty database."""
    model = row_security(database)
    ids = {person: new_id() for person in PEOPLE}
    with ControlPlane(database.url(), tokens=TOKENS) as plane:
        migrate(plane.database)
        secret = populate(plane, ids)
        assert plane.access.ready()
        with Tenancy(database.url("app"), model, directory=plane.access) as tenancy:
            yield Town(database, plane, tenancy, ids, secret)


def populate(plane: ControlPlane, ids: dict[str, str]) -> str:
    """Write the rows; the secret of an API key of ann's in acme."""
    at: dict[str, object] = {"created_at": now()}
    with plane.database.begin() as connection:
        for slug, (tenant_id, status) in TENANTS.items():
            named = {"id": tenant_id, "slug": slug, "skeleton": slug, "name": slug.title()}
            row = at | named | {"status": status, "settings": {}, "changed_at": now()}
            connection.execute(insert(tenants), row)
        for person, user_id in ids.items():
            email = f"{person}@example.com"
            row = at | {"id": user_id, "email": email, "email_key": email}
            connection.execute(insert(users), row)
            for slug, role in PEOPLE[person].items():
                of = {"tenant_id": TENANTS[slug][0], "user_id": user_id}
                connection.execute(insert(memberships), at | of | {"role": role, "version": 1})
        for name, slug in DOMAINS.items():
            verified = {"tenant_id": TENANTS[slug or "globex"][0], "challenge": "x"}
            row = at | verified | {"name": name, "verified_at": now() if slug else None}
            connection.execute(insert(domains), row)
        acme, may = TENANTS["acme"][0], ["notes:read"]
        return api_keys.create(connection, acme, ids["ann"], "ci", permissions=may)[1]


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of *app*, which a server of its own serves, in a thread of this process."""
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)

    def run() -> None:
        with suppress(SystemExit):  # how it says that it could not start
            server.run()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.002)
        assert server.started
        port = server.servers[0].sockets[0].getsockname()[1]
        # A server closes the connection on which an application has failed.
        limits = httpx.Limits(max_keepalive_connections=0)
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, timeout=10, limits=limits) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def started(app: FastAPI) -> None:
    """Start *app* as a server does, and stop it again; raises what stops the start."""

    async def lifespan() -> None:
        said = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> dict[str, str]:
            return said.pop(0)

        async def send(message: dict[str, str]) -> None:
            assert message["type"].startswith("lifespan.")

        await app({"type": "lifespan", "state": {}}, receive, send)  # type: ignore[arg-type]  # less

    asyncio.run(lifespan())


def asked(app: FastAPI, path: str, *, fails: bool = False, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
    """The answer of *app*, without a server and without a start; raises what it raises.

    Args:
        app: the application.
        path: of a GET.
        fails: take its 500 for an answer.
        options: of the request.
    """

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=not fails)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, **options)

    return asyncio.run(get())
