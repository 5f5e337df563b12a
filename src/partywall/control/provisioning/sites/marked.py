"""Places that carry a mark (`partywall.control.provisioning.marks`): schemas and databases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.control.provisioning.marks import TOMBSTONE, Mark
from partywall.errors import DeletedTenant, TenantExists, WorkError

if TYPE_CHECKING:
    from partywall.control.provisioning.sites.site import Design, Facts
    from partywall.control.tenants import Tenant


class MarkedSite(ABC):
    """The states of a marked place: made, with tables, being seeded, seeded."""

    kind: str
    """What a place is, for messages."""

    def __init__(self, design: Design) -> None:
        self.design = design

    @abstractmethod
    def comment(self, tenant: Tenant) -> str | None:
        """The comment on what has the place's name; "" for none, None where nothing has it."""

    @abstractmethod
    def make(self, tenant: Tenant) -> Mark:
        """Make the place and its mark in one step; it may come with tables."""

    @abstractmethod
    def furnish(self, tenant: Tenant, mark: Mark) -> None:
        """Make the tables and write the mark, in one transaction."""

    @abstractmethod
    def note(self, tenant: Tenant, mark: Mark) -> None:
        """Write the mark."""

    @abstractmethod
    def demolish(self, tenant: Tenant) -> None:
        """Take back all of it."""

    def standing(self, tenant: Tenant) -> Mark | None:
        """The mark of the tenant's place; None where there is no place.

        Raises:
            TenantExists: when it was made by somebody else.
            DeletedTenant: when its name was another tenant's.
        """
        comment = self.comment(tenant)
        if comment is None:
            return None
        if comment == TOMBSTONE:
            raise DeletedTenant("a tenant of this id was deleted: give the new one another id")
        mark = Mark.read(comment)
        if mark is None or mark.tenant != tenant.id:
            what = self.kind.upper()
            raise TenantExists(
                f"a {self.kind} of this tenant's name is there already, and was not made here; "
                f"where it is the tenant's own: COMMENT ON {what} … IS '{Mark(tenant.id)}'"
            )
        return mark

    def create(self, tenant: Tenant) -> Facts:
        """Make the tenant's place."""
        mark = self.standing(tenant) or self.make(tenant)
        return {"with_tables": bool(mark.tables)}

    def migrate(self, tenant: Tenant) -> Facts:
        """Make the tables; in a new place where others, of another version, are there already."""
        mark = self.standing(tenant)
        digest = self.design.blueprint.digest
        if mark is None:
            raise WorkError(f"the tenant's {self.kind} is not there any more")
        if mark.tables != digest:
            mark = self.renewed(tenant) if mark.tables else mark
            if mark.tables != digest:
                self.furnish(tenant, replace(mark, tables=digest))
        return {"tables": digest}

    def seed(self, tenant: Tenant) -> Facts:
        """Fill the tables once: a seed of which nobody knows whether it committed starts anew."""
        if self.design.seed is None:
            return {"seeded": False}
        mark = self.standing(tenant)
        if mark is None:
            raise WorkError(f"the tenant's {self.kind} is not there any more")
        if mark.seed == "done":
            return {"seeded": True}
        if mark.seed == "begun":
            self.renewed(tenant)
            self.migrate(tenant)
        begun = replace(mark, tables=self.design.blueprint.digest, seed="begun")
        self.note(tenant, begun)
        self.design.sow(tenant)
        self.note(tenant, replace(begun, seed="done"))
        return {"seeded": True}

    def renewed(self, tenant: Tenant) -> Mark:
        """The place made anew, which nobody has used yet."""
        self.demolish(tenant)
        return self.make(tenant)

    def clear(self, tenant: Tenant) -> None:
        """Nothing: the rows go with their place."""
        del tenant

    def own(self, tenant: Tenant) -> bool:
        """Whether a place is there that was made for the tenant; False where it is gone.

        Raises:
            TenantExists: when what stands there was made by somebody else.
        """
        try:
            return self.standing(tenant) is not None
        except DeletedTenant:
            return False
