"""With a tenant go its files: a step of its removal, and only of its removal."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from partywall import FilePerTenant, TenantContext
from partywall.adapters.files import Folder, Removed, TenantFiles
from partywall.adapters.files.names import place_of
from partywall.control import audit
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.building import Building
from partywall.control.registration import NewUser
from partywall.errors import ConfigurationError, WorkError
from tests.control.lodgings import deleted, own_tables, tenant
from tests.control.planes import Threads, migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from partywall.adapters.files import Store
    from partywall.control.tenants import Tenant

Removing = dict[str, "Callable[[Tenant], Mapping[str, object] | None]"]


def building(folder: Path, removing: Removing) -> Building:
    walls = FilePerTenant(folder=str(folder / "tenants"))
    return Building(walls, url="sqlite://", schema=own_tables(), removing=removing)


@pytest.fixture
def plane(tmp_path: Path, store: Store) -> Iterator[ControlPlane]:
    url = migrated(f"sqlite:///{tmp_path}/house.db")
    made = building(tmp_path, {"files": TenantFiles(store).erase})
    with ControlPlane(url, building=made, works=Threads()) as plane:
        plane.launch()
        yield plane
    made.close()


def registered(plane: ControlPlane, slug: str) -> str:
    made = plane.register(slug=slug, name=slug, owner=NewUser(f"ann@{slug}.example.com"))
    plane.works.wait()  # type: ignore[union-attr]  # Threads
    return made.tenant.id


def test_a_removal_removes_the_tenant_s_files_and_says_so(
    plane: ControlPlane, store: Store
) -> None:
    files = TenantFiles(store, directory=plane.access)
    acme, globex = registered(plane, "acme"), registered(plane, "globex")
    for each in (acme, globex):
        files.put(TenantContext(each), "a/b", b"12345")
    plane.remove(acme, grace=dt.timedelta())
    plane.works.wait()  # type: ignore[union-attr]  # Threads
    work = plane.work(acme)
    assert work is not None
    assert work.state == "done"
    assert work.certificate is not None
    said = dict(work.certificate["files"])  # type: ignore[call-overload]  # of a step
    assert (said["files"], said["bytes"]) == (1, 5)
    with plane.database.reading() as connection:
        entries = audit.entries(connection, acme)
    assert [entry.action for entry in entries][-2:] == ["tenant.erased_elsewhere", "tenant.removed"]
    assert entries[-2].detail["removed"] == "files 1, bytes 5"
    assert entries[-2].detail["step"] == "files"
    assert list(store.entries(place_of(acme), "")) == []
    assert files.read(TenantContext(globex), "a/b") == b"12345"


def test_only_a_tenant_in_removal_is_emptied(store: Store, tmp_path: Path) -> None:
    files = TenantFiles(store)
    acme = tenant()
    files.put(TenantContext(acme.id), "a", b"x")
    [step] = [s for s in building(tmp_path, {"files": files.erase}).removal() if s.name == "files"]
    for status in ("active", "suspended", "failed", "provisioning"):
        standing = replace(acme, status=status)
        for remove in (step.do, files.erase):
            with pytest.raises(WorkError, match=status):
                remove(standing)
    assert files.read(TenantContext(acme.id), "a") == b"x"
    assert step.do(deleted(acme)) == {"files": 1, "bytes": 1}
    assert step.do(deleted(acme)) == {"files": 0, "bytes": 0}


def test_a_step_of_the_application_s_own_runs_in_a_removal_alone_and_returns_what_it_likes(
    tmp_path: Path,
) -> None:
    found: Removing = {"mail": lambda _: None, "search": lambda t: {"index": object, "of": t.slug}}
    steps = {step.name: step for step in building(tmp_path, found).removal()}
    assert list(steps) == ["close", "mail", "search", "count", "erase"]
    assert steps["mail"].do(deleted(tenant())) == {}
    with pytest.raises(WorkError, match="nothing of it is removed"):
        steps["mail"].do(tenant())
    assert set(map(type, steps["search"].do(deleted(tenant())).values())) == {str}


@pytest.mark.parametrize("name", ["", "erase", "close", "certify", "records", "Files", "a b"])
def test_a_step_has_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="can't be a step"):
        building(tmp_path, {name: lambda _: None})


def test_what_an_erased_folder_keeps_is_an_empty_file(folder: Folder) -> None:
    acme = deleted(tenant())
    assert TenantFiles(folder).erase(acme) == {"files": 0, "bytes": 0}
    assert [path.stat().st_size for path in folder.path.iterdir()] == [0]
    assert folder.empty(place_of(acme.id)) == Removed()
