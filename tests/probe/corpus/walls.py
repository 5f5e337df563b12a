"""Who calls, and what is theirs: the sound parts of every case."""

from __future__ import annotations

import random
import time
import uuid
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.probe.corpus.case import Tenants

Row: TypeAlias = dict[str, Any]
Client: TypeAlias = httpx.Client

PATIENCE_S = 30.0

KEYS = {
    "acme": "key-7f31c9",
    "globex": "key-c02e55",
    "initech": "key-19ab04",
    "umbrella": "key-e8d7f0",
    "north": "key-5501aa",
    "south": "key-b3c6d2",
}
OUTSIDER = "key-000bad"
"""A valid token of somebody who is a member of nothing."""


class DeniedError(Exception):
    """An answer that isn't a success; each framework's module makes a response of it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def tenant_of(token: str | None) -> str:
    """Whose token it is, with or without `Bearer`; 401 where it is nobody's."""
    bare = (token or "").removeprefix("Bearer ")
    for tenant, key in KEYS.items():
        if key == bare:
            return tenant
    raise DeniedError(401, "log in first")


def bearers(*tenants: str, **own: tuple[object, ...]) -> Tenants:
    """Tenants by their tokens; *own* has a value for each, in the same order."""
    return {
        tenant: {
            "headers": {"Authorization": f"Bearer {KEYS[tenant]}"},
            **({"own": {name: values[at] for name, values in own.items()}} if own else {}),
        }
        for at, tenant in enumerate(tenants)
    }


def uuids(seed: int = 5) -> Iterator[str]:
    """Random ones, the same in every run, and none that a probe's own numbers come upon."""
    source = random.Random(f"shelf {seed}")  # noqa: S311 - no secrets, but runs that are alike
    while True:
        yield str(uuid.UUID(int=source.getrandbits(128), version=4))


def prefixed(prefix: str, seed: int = 5) -> Iterator[str]:
    """Ids such as `proj_8f3…`."""
    for one in uuids(seed):
        yield f"{prefix}_{one.replace('-', '')[:12]}"


class Shelf:
    """The rows of all tenants under their ids, and whose each is."""

    def __init__(self, ids: Iterator[Any]) -> None:
        self._ids = ids
        self.rows: dict[Any, Row] = {}
        self.owners: dict[Any, str] = {}

    def add(self, tenant: str, /, **fields: Any) -> Row:  # noqa: ANN401 - any JSON
        """A new row of *tenant*; its id is the next one unless it is among *fields*."""
        row = {"id": fields.pop("id", None) or next(self._ids), **fields}
        self.rows[row["id"]], self.owners[row["id"]] = row, tenant
        return row

    def of(self, tenant: str, **where: Any) -> list[Row]:  # noqa: ANN401 - any JSON
        """Its rows, oldest first, that have these values."""
        return [
            row
            for key, row in self.rows.items()
            if self.owners[key] == tenant and where.items() <= row.items()
        ]

    def all(self, **where: Any) -> list[Row]:  # noqa: ANN401 - any JSON
        """Everybody's rows that have these values."""
        return [row for row in self.rows.values() if where.items() <= row.items()]

    def own(self, tenant: str, key: object) -> Row:
        """The row of that id if it is the tenant's; 404 otherwise, whosever it is."""
        if self.owners.get(key) != tenant:
            raise DeniedError(404, "not found")
        return self.rows[key]

    def any(self, key: object) -> Row:
        """The row of that id, whosever it is."""
        if key not in self.rows:
            raise DeniedError(404, "not found")
        return self.rows[key]

    def drop(self, key: object) -> None:
        """Forget a row, whosever it is."""
        self.rows.pop(key, None)
        self.owners.pop(key, None)


def later(happened: Callable[[], bool]) -> None:
    """Wait for what the application does after its answer."""
    end = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def got(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    """What a successful answer holds."""
    assert response.is_success, f"{response.status_code}: {response.text}"
    return response.json() if response.content else None
