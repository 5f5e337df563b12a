"""Without a database server: the control plane in a file of SQLite, and each tenant in one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import text

from partywall import AsyncTenantSession, FilePerTenant, Tenancy, TenantSession
from partywall.adapters.fastapi import Header, OnlyMembership, TenantAccess, control_router
from partywall.control.database import new_id
from partywall.control.migrations import migrate
from partywall.control.plane import ControlPlane
from partywall.runtime.housing import provision
from tests.adapters.fastapi.town import PEOPLE, TENANTS, TOKENS, populate, serving

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)"
ADD = text("INSERT INTO notes (id, body) VALUES (:id, :body)")
ONE = text("SELECT body FROM notes WHERE id = :id")
IDS = {person: new_id() for person in PEOPLE}


def headers(person: str, tenant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS.issue(IDS[person], TENANTS[tenant][0], 1)}"}


def application(plane: ControlPlane, tenancy: Tenancy) -> FastAPI:
    access = TenantAccess(tenancy, plane, resolve=[Header(), OnlyMembership()])
    app = FastAPI()
    aio = Annotated[AsyncTenantSession, Depends(access.async_session)]
    plain = Annotated[TenantSession, Depends(access.session)]

    @app.put("/sync/{id}")
    def sync_add(id: int, body: str, session: plain) -> None:  # noqa: A002 - the parameter's name
        session.execute(ADD, {"id": id, "body": body})
        if body == "lost":
            raise HTTPException(409)

    @app.put("/async/{id}")
    async def async_add(id: int, body: str, session: aio) -> None:  # noqa: A002 - as above
        await session.execute(ADD, {"id": id, "body": body})
        if body == "lost":
            raise HTTPException(409)

    @app.get("/sync/{id}")
    def sync_read(id: int, session: plain) -> str | None:  # noqa: A002 - as above
        found: str | None = session.scalar(ONE, {"id": id})
        return found

    @app.get("/async/{id}")
    async def async_read(id: int, session: aio) -> str | None:  # noqa: A002 - as above
        found: str | None = await session.scalar(ONE, {"id": id})
        return found

    app.include_router(control_router(plane, access))
    access.protect(app)
    return app


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("files")
    model = FilePerTenant(folder=str(folder / "tenants"))
    with ControlPlane(f"sqlite:///{folder}/house.db", tokens=TOKENS) as plane:
        migrate(plane.database)
        populate(plane, IDS)
        for slug in ("acme", "globex"):
            provision(model, TENANTS[slug][0], lambda connection: connection.execute(NOTES))
        with (
            Tenancy("sqlite://", model, directory=plane.access) as tenancy,
            serving(application(plane, tenancy)) as client,
        ):
            yield client


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_same_id_in_both_tenants(client: httpx.Client, kind: str) -> None:
    number = 1 if kind == "sync" else 2
    both = {"acme": headers("ann", "acme"), "globex": headers("bob", "globex")}
    for slug, who in both.items():
        assert client.put(f"/{kind}/{number}?body={slug}", headers=who).status_code == 200
        lost = client.put(f"/{kind}/{number + 10}?body=lost", headers=who)
        assert lost.status_code == 409
    for slug, who in both.items():
        assert client.get(f"/{kind}/{number}", headers=who).json() == slug
        assert client.get(f"/{kind}/{number + 10}", headers=who).json() is None
    stranger = both["acme"] | {"X-Tenant": "globex"}
    assert client.get(f"/{kind}/{number}", headers=stranger).status_code == 404


def test_the_control_plane_s_endpoints(client: httpx.Client) -> None:
    ann = headers("ann", "acme")
    made = client.post("/invitations", json={"email": "bob@example.com"}, headers=ann).json()
    bob = headers("bob", "globex")
    seat = client.post("/invitations/accept", json={"token": made["token"]}, headers=bob)
    assert seat.json()["slug"] == "acme"
    told = client.post("/switch-tenant", json={"tenant": "acme"}, headers=bob).json()
    inside = {"Authorization": f"Bearer {told['access_token']}"}
    assert client.get("/tenant", headers=inside).json()["slug"] == "acme"
    assert client.delete(f"/members/{IDS['bob']}", headers=ann).status_code == 204
    assert client.get("/tenant", headers=inside).status_code == 404
    entries = client.get("/log", headers=ann).json()
    assert "member.removed" in {entry["action"] for entry in entries}
