"""A control plane with two tenants, and the command run on it within the test's own process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from partywall.cli import app
from partywall.control import audit, memberships, tenants, users
from partywall.control.database import Database
from partywall.control.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.control.tenants import Tenant
    from partywall.control.users import User

BOTH = ("postgresql", "sqlite")

only_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


@dataclass(frozen=True, slots=True)
class House:
    """A control plane's database with the tenants acme and globex; Ada owns acme, Bob is nobody."""

    database: Database
    acme: Tenant
    globex: Tenant
    ada: User
    bob: User

    @property
    def url(self) -> str:
        return self.database.url.render_as_string(hide_password=False)

    def run(self, *arguments: str, **options: Any) -> Result:  # noqa: ANN401 - the runner's
        return CliRunner().invoke(app, [*arguments, "--control", self.url], **options)

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - a JSON document
        done = self.run(*arguments, "--format", "json")
        assert (done.exit_code, done.stderr) == (0, "")
        return json.loads(done.stdout)

    def actions(self, tenant: Tenant) -> list[str]:
        with self.database.reading() as connection:
            return [entry.action for entry in audit.entries(connection, tenant.id)]


def settled(request: pytest.FixtureRequest, folder: Path) -> Iterator[House]:
    """A house in a database of the kind that the fixture is asked for."""
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'house.db'}"
    else:
        url = request.getfixturevalue("database").url()
    database = Database(url)
    migrate(database)
    with database.begin() as connection:
        acme, globex = (
            tenants.set_status(
                connection, tenants.add(connection, slug=slug, name=slug.title()).id, "active"
            )
            for slug in ("acme", "globex")
        )
        ada, bob = (users.add(connection, f"{name}@example.com") for name in ("ada", "bob"))
        memberships.add(connection, acme.id, ada.id, "owner")
    yield House(database, acme, globex, ada, bob)
    database.close()
