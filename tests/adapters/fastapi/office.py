"""The control plane's endpoints behind a server, with an engine that has all works before it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import FastAPI

from partywall.adapters.fastapi import (
    CustomDomain,
    Header,
    OnlyMembership,
    Subdomain,
    TenantAccess,
    control_router,
)
from partywall.control import users
from partywall.errors import WorkError
from tests.adapters.fastapi.town import BASE, Town, serving

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import httpx

    from partywall.control.provisioning.saga import Acting

PASSWORD = "correct horse battery staple"


@dataclass
class Waiting:
    """A workflow engine that has everything before it."""

    name: str = "dbos"
    works: list[str] = field(default_factory=list)
    broken: bool = False

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        del not_before
        if self.broken:
            raise WorkError("the engine can't be reached at 10.0.0.7")
        self.works.append(work_id)

    def launch(self, saga: Acting) -> None: ...

    def close(self) -> None: ...


@contextmanager
def staffed(town: Town) -> Iterator[httpx.Client]:
    """A client of the endpoints; six companies an hour may be signed up."""
    access = TenantAccess(
        town.tenancy,
        town.plane,
        resolve=[Subdomain(BASE), CustomDomain(own=("127.0.0.1",)), Header(), OnlyMembership()],
    )
    app = FastAPI()
    app.include_router(control_router(town.plane, access, sign_ups_an_hour=6))
    access.protect(app)
    with serving(app) as client:
        yield client


def newcomer(town: Town) -> str:
    """Somebody with a password and no membership, pat; the id."""
    with town.plane.database.begin() as connection:
        return users.add(connection, "pat@example.com", password=PASSWORD, name="Pat").id


def logged(town: Town, tenant: str) -> set[str]:
    """What was done, by a tenant's audit log."""
    return {action for _, action, _ in town.logged(tenant)}


def until(client: httpx.Client, path: str, headers: dict[str, str], status: int) -> httpx.Response:
    """The answer, once it has the status: a change is heard a moment later."""
    end = time.monotonic() + 3
    while (told := client.get(path, headers=headers)).status_code != status:
        assert time.monotonic() < end, told.text
        time.sleep(0.01)
    return told
