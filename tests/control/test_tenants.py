from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from partywall.control import tenants
from partywall.control.database import new_id
from partywall.control.tenants import BEFORE
from partywall.errors import InvalidRecord, RecordConflict, TenantExists, UnknownTenant
from tests.control import people

if TYPE_CHECKING:
    from partywall.control.database import Database
    from partywall.runtime.directory import Standing


def test_a_new_tenant_is_being_provisioned(house: Database) -> None:
    with house.begin() as connection:
        made = tenants.add(connection, slug="acme", name=" Acme ", settings={"seats": 3})
    assert (made.slug, made.name, made.status, made.settings) == (
        "acme", "Acme", "provisioning", {"seats": 3},
    )  # fmt: skip
    with house.reading() as connection:
        assert tenants.get(connection, made.id) == made
        assert tenants.by_slug(connection, "acme") == made
        assert tenants.get(connection, new_id()) is None
        assert tenants.by_slug(connection, "globex") is None


@pytest.mark.parametrize("slug", ["acme", "acrne", "ac-me"])
def test_a_slug_that_is_taken_or_looks_like_it(house: Database, slug: str) -> None:
    with house.begin() as connection:
        tenants.add(connection, slug="acme", name="Acme")
    with house.begin() as connection:
        with pytest.raises(TenantExists):
            tenants.add(connection, slug=slug, name="Other")
        # The transaction goes on.
        assert tenants.add(connection, slug="globex", name="Globex").slug == "globex"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\nb"])
def test_a_name_that_can_not_be(house: Database, name: str) -> None:
    with house.begin() as connection, pytest.raises(InvalidRecord):
        tenants.add(connection, slug="acme", name=name)


def test_of_many_at_once_one_gets_the_slug(house: Database) -> None:
    def attempt(number: int) -> str:
        try:
            with house.begin() as connection:
                return tenants.add(connection, slug="acme", name=f"Acme {number}").id
        except TenantExists:
            return ""

    with ThreadPoolExecutor(8) as threads:
        made = [each for each in threads.map(attempt, range(24)) if each]
    assert len(made) == 1


@pytest.mark.parametrize("status", BEFORE)
@pytest.mark.parametrize("before", BEFORE)
def test_only_what_may_follow_follows(house: Database, before: Standing, status: Standing) -> None:
    ways: dict[Standing, tuple[Standing, ...]] = {
        "provisioning": (), "active": ("active",), "suspended": ("active", "suspended"),
        "failed": ("failed",), "deleted": ("failed", "deleted"),
    }  # fmt: skip
    with house.begin() as connection:
        made = tenants.add(connection, slug="acme", name="Acme")
        for step in ways[before]:
            tenants.set_status(connection, made.id, step)
        if before in BEFORE[status]:
            assert tenants.set_status(connection, made.id, status, reason="so").status == status
        else:
            with pytest.raises(RecordConflict, match=before):
                tenants.set_status(connection, made.id, status)


def test_a_deleted_tenant_gives_its_slug_free_and_no_more(house: Database) -> None:
    with house.begin() as connection:
        first = people.tenant(connection, "acme")
        tenants.set_status(connection, first.id, "suspended")
        gone = tenants.set_status(connection, first.id, "deleted")
        again = tenants.add(connection, slug="acme", name="Another")
        assert again.id != first.id
        assert (gone.slug, gone.status) == ("", "deleted")
        found = tenants.by_slug(connection, "acme")
        assert found is not None
        assert found.id == again.id
        with pytest.raises(UnknownTenant):
            tenants.change(connection, first.id, name="Ghost")


def test_nobody_is_nobody(house: Database) -> None:
    with house.begin() as connection:
        with pytest.raises(UnknownTenant):
            tenants.set_status(connection, new_id(), "active")
        with pytest.raises(UnknownTenant):
            tenants.change(connection, new_id(), name="Nobody")


def test_they_are_listed_in_pages(house: Database) -> None:
    with house.begin() as connection:
        for name in ("cedar", "birch", "aspen"):
            people.tenant(connection, name)
        tenants.add(connection, slug="dogwood", name="Dogwood")
        first = tenants.listed(connection, limit=2)
        rest = tenants.listed(connection, after=first[-1].slug)
        assert [each.slug for each in first + rest] == ["aspen", "birch", "cedar", "dogwood"]
        waiting = tenants.listed(connection, status="provisioning")
        assert [each.slug for each in waiting] == ["dogwood"]


def test_what_may_be_changed(house: Database) -> None:
    with house.begin() as connection:
        made = people.tenant(connection, "acme")
        changed = tenants.change(connection, made.id, name="Acme Ltd", settings={"seats": 5})
        assert (changed.name, changed.settings, changed.slug) == ("Acme Ltd", {"seats": 5}, "acme")
