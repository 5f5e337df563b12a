"""partywall's steps of a provisioning, as a workflow takes them."""

from __future__ import annotations

import datetime as dt

from benchmarks.control.contenders.linked import linked
from partywall import SchemaPerTenant
from partywall.control.provisioning.building import Building
from partywall.control.tenants import Tenant

STEPS = {"plain": 2, "surveyed": 4}


class Schemas:
    """A schema for each tenant.

    Args:
        url: of the application.
        owner_url: of the owner.
        tables: how many.
        upto: `plain`: create and migrate, as much as the others do; `surveyed`: also seed, of
            which there is none, and the smoke survey.
        ahead: how many schemas are held ready.
    """

    def __init__(self, url: str, owner_url: str, tables: int, upto: str, ahead: int = 0) -> None:
        self.building = Building(
            SchemaPerTenant(),
            url=url,
            owner_url=owner_url,
            schema=linked(tables),
            ahead=ahead,
        )
        self.upto = STEPS[upto]

    def ready(self) -> None:
        """Fill the stock, which nobody waits for in life."""
        if self.building._ahead is not None:  # noqa: SLF001 - waits for its thread
            self.building._ahead.close()  # noqa: SLF001 - as above
        self.building.replenish()

    def make(self, tenant: str) -> None:
        """Provision a tenant."""
        created = dt.datetime.now(dt.UTC)
        new = Tenant(tenant, "bench", "Bench", "provisioning", "", "", {}, created)
        for step in self.building.provisioning()[: self.upto]:
            step.do(new)

    def close(self) -> None:
        """Close the connections."""
        self.building.close()
