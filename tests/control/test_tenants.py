from __future__ import annotations

import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from partywall.control import tables, tenants
from partywall.control.access import Access
from partywall.control.database import Database, new_id, now
from partywall.control.tenants import BEFORE, DEEPEST_SETTINGS, LARGEST_SETTINGS
from partywall.errors import InvalidRecord, RecordConflict, TenantExists, UnknownTenant
from tests.control import people
from tests.control.directory import until

if TYPE_CHECKING:
    from collections.abc import Callable

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


def test_a_slug_that_can_not_be(house: Database) -> None:
    with house.begin() as connection:
        for slug in ("", "ab", "Acme", "admin", "adrnin", "12345", "a--b"):
            with pytest.raises(InvalidRecord):
                tenants.free(connection, slug)
            with pytest.raises(InvalidRecord):
                tenants.add(connection, slug=slug, name="Acme")


def test_what_is_free_is_known_before(house: Database) -> None:
    with house.begin() as connection:
        tenants.free(connection, "acme")
        made = people.tenant(connection, "acme")
        for slug in ("acme", "acrne", "ac-me"):
            with pytest.raises(TenantExists, match=slug):
                tenants.free(connection, slug)
        tenants.set_status(connection, made.id, "suspended")
        tenants.set_status(connection, made.id, "deleted")
        tenants.free(connection, "acrne")


def test_what_can_not_be_a_slug_is_nobodys(house: Database) -> None:
    with house.begin() as connection:
        for slug in ("a\x00b", "\ud83d", "ácme", ""):
            assert tenants.by_slug(connection, slug) is None
        assert tenants.by_slug(connection, "acme") is None  # the transaction goes on


def test_a_page_begins_after_what_can_be_last(house: Database) -> None:
    with house.reading() as connection:
        for after in ("a\x00b", "\ud83d", "é"):
            with pytest.raises(InvalidRecord, match="after"):
                tenants.listed(connection, after=after)
        with pytest.raises(InvalidRecord, match="after"):
            tenants.listed(connection, status="deleted", after="acme")


def test_the_deleted_are_listed_by_themselves(house: Database) -> None:
    with house.begin() as connection:
        made = sorted(people.tenant(connection, name).id for name in ("aspen", "birch", "cedar"))
        for each in made:
            tenants.set_status(connection, each, "suspended")
            tenants.set_status(connection, each, "deleted")
        people.tenant(connection, "dogwood")
        first = tenants.listed(connection, status="deleted", limit=2)
        rest = tenants.listed(connection, status="deleted", after=first[-1].id, limit=2)
        assert [[each.id for each in page] for page in (first, rest)] == [made[:2], made[2:]]
        assert [each.slug for each in tenants.listed(connection)] == ["dogwood"]
        assert len(tenants.listed(connection, limit=1)) == 1
        former = select(tables.tenants.c.former_slug).where(tables.tenants.c.id == made[0])
        assert connection.scalar(former) in {"aspen", "birch", "cedar"}


def test_another_is_not_changed_with_it(house: Database) -> None:
    with house.begin() as connection:
        acme, globex = (people.tenant(connection, slug) for slug in ("acme", "globex"))
        tenants.change(connection, acme.id, name="Changed", settings={"seats": 1})
        tenants.set_status(connection, acme.id, "suspended", reason="unpaid")
        assert tenants.get(connection, globex.id) == globex
        back = tenants.set_status(connection, acme.id, "active")
        assert (back.reason, back.name) == ("", "Changed")
        with pytest.raises(InvalidRecord):
            tenants.change(connection, acme.id, name="a\x00b")


def test_a_reason_is_kept_as_far_as_it_can_be(house: Database) -> None:
    with house.begin() as connection:
        made = people.tenant(connection, "acme")
        found = tenants.set_status(connection, made.id, "suspended", reason="\0" + "x" * 2000)
    assert found.reason == "\ufffd" + "x" * 999


def nested(levels: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for _ in range(levels - 1):
        found = {"": found}
    return found


def test_settings_that_can_not_be(house: Database) -> None:
    impossible: list[dict[str, object]] = [
        {"a": "\0"}, {"\0": 1}, {"a": [{"b": ["\0"]}]}, {"a": float("nan")}, {"a": float("inf")},
        {"a": "\ud83d"}, {"\ud83d": 1}, {"a": object()}, {"a": b""}, {"a": {1, 2}},
        {"a": "x" * LARGEST_SETTINGS}, {"a": "é" * (LARGEST_SETTINGS // 2)},
        nested(DEEPEST_SETTINGS + 1), nested(5000),
    ]  # fmt: skip
    with house.begin() as connection:
        made = people.tenant(connection, "acme")
        for settings in impossible:
            with pytest.raises(InvalidRecord, match="settings are JSON"):
                tenants.change(connection, made.id, settings=settings)
            with pytest.raises(InvalidRecord, match="settings are JSON"):
                tenants.add(connection, slug="globex", name="Globex", settings=settings)
        assert tenants.get(connection, made.id) == made


def test_settings_at_their_limits(house: Database) -> None:
    largest = {"a": "x" * (LARGEST_SETTINGS - len('{"a": ""}'))}
    with house.begin() as connection:
        made = people.tenant(connection, "acme")
        for settings in (largest, nested(DEEPEST_SETTINGS), {"é\U0001f600": [1, None, True, 0.5]}):
            assert tenants.change(connection, made.id, settings=settings).settings == settings


def changes(found: Any) -> list[Callable[[], object]]:  # noqa: ANN401 - whatever would change it
    return [
        lambda: found.__setitem__("plan", "free"), lambda: found.__delitem__("plan"),
        lambda: found.__ior__({"plan": 1}), found.clear, lambda: found.pop("plan"), found.popitem,
        lambda: found.setdefault("more", 1), lambda: found.update(plan=1),
        lambda: found["limits"].__setitem__("seats", 9), found["limits"].clear,
        lambda: found["tags"].append(1), lambda: found["tags"].__setitem__(0, 1),
        lambda: found["tags"].__delitem__(0), lambda: found["tags"].__iadd__([1]),
        lambda: found["tags"].__imul__(2), found["tags"].clear,
        lambda: found["tags"].extend([1]), lambda: found["tags"].insert(0, 1),
        found["tags"].pop, lambda: found["tags"].remove("a"), found["tags"].reverse,
        found["tags"].sort, lambda: found["tags"][1].update(b=1),
    ]  # fmt: skip


def test_settings_are_shared_and_nobody_changes_them(house: Database) -> None:
    settings = {"plan": "large", "limits": {"seats": 3}, "tags": ["a", {"b": 2}]}
    with house.begin() as connection:
        made = tenants.add(connection, slug="acme", name="Acme", settings=settings)
    with Access(house) as access:
        access.ready()
        found, again = access.tenant(made.id), access.tenant(made.id)
        assert found
        assert again
        for change in changes(found.settings):
            with pytest.raises(TypeError, match="shared"):
                change()
        assert found.settings == again.settings == settings
        assert json.loads(json.dumps(found.settings)) == settings
        for copied in (copy.deepcopy(found.settings), pickle.loads(pickle.dumps(found.settings))):  # noqa: S301 - its own
            copied["tags"][1]["b"] = 5  # a copy of one's own
            copied["tags"].append("c")
            copied["limits"]["seats"] = 4
            assert copied != settings
        assert again.settings == settings
        with house.begin() as connection:  # and what was read can be written
            assert tenants.change(connection, made.id, settings=found.settings) == found


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_others_hear_of_every_change(house: Database) -> None:
    with house.begin() as connection:
        acme = people.tenant(connection, "acme")
    other = Database(house.url)
    with Access(other, heartbeat_s=60, unknown_s=600) as access:
        assert access.ready()
        assert access.standing(acme.id) == "active"
        assert access.tenant_by_slug("globex") is None
        with house.begin() as connection:
            tenants.set_status(connection, acme.id, "suspended")
        until(lambda: access.standing(acme.id) == "suspended")
        with house.begin() as connection:
            tenants.change(connection, acme.id, name="Renamed")
        until(lambda: (found := access.tenant(acme.id)) and found.name == "Renamed")
        assert access.tenant_by_slug("globex") is None
        with house.begin() as connection:
            tenants.add(connection, slug="globex", name="Globex")
        until(lambda: access.tenant_by_slug("globex"))
    other.close()


def test_the_database_itself_refuses_two_of_one_slug_or_look(house: Database) -> None:
    """Whatever the code above it does: in a transaction that has not seen the other."""
    for column in ("slug", "skeleton"):
        row = {
            "id": new_id(), "slug": new_id(), "skeleton": new_id(), "name": "", "status": "active",
            "settings": {}, "created_at": now(), "changed_at": now(),
        }  # fmt: skip
        with house.begin() as connection:
            connection.execute(tables.tenants.insert(), row)
        twin = {**row, "id": new_id(), "slug": new_id(), "skeleton": new_id(), column: row[column]}
        with pytest.raises(IntegrityError), house.begin() as connection:
            connection.execute(tables.tenants.insert(), twin)
    with pytest.raises(IntegrityError), house.begin() as connection:
        connection.execute(tables.tenants.update().values(status="gone"))
