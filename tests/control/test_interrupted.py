"""kill -9 and pauses inside of steps that make and remove real places, between two messages."""

from __future__ import annotations

import datetime as dt
import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from partywall.control import tenants
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.acting import Saga
from partywall.control.registration import NewUser
from tests.control import interrupting
from tests.control.crashing import waited
from tests.control.house import Held
from tests.control.interrupting import no_canary, own
from tests.control.lodgings import lodging, tenant
from tests.control.planes import migrated, unique
from tests.control.test_building import traces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkServerProcess
    from typing import TypeAlias

    from partywall.control.provisioning.building import Building
    from partywall.control.works import Work
    from tests.conftest import Database
    from tests.control.lodgings import Lodging

    Begun: TypeAlias = tuple[str, str]

AT_ONCE = dt.timedelta()
PATIENCE_S = 20
TRIES = 5

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


class Home:
    """A lodging with a control plane whose works run when a test runs them."""

    def __init__(self, url: str, lodging: Lodging) -> None:
        self.url, self.lodging = url, lodging
        self.works = Held()
        self.plane = ControlPlane(url, building=lodging.building, works=self.works)
        self.work_with(lodging.building)

    def work_with(self, building: Building) -> None:
        """Take acts with another building from now on."""
        self.works.launch(Saga(self.plane.database, building, pauses_s=()))

    def remake(self, **options: object) -> Callable[..., Building]:
        """What makes the building in another process."""
        remake = self.lodging.remake
        return partial(remake if self.lodging.shared else partial(own, remake), **options)

    def register(self) -> tuple[str, str]:
        slug = unique()
        owner = NewUser(f"ann@{slug}.example.com")
        registered = self.plane.register(slug=slug, name="Acme", owner=owner)
        return registered.tenant.id, registered.work_id

    def status(self, tenant_id: str) -> str:
        with self.plane.database.reading() as connection:
            found = tenants.get(connection, tenant_id)
        assert found is not None
        return found.status

    def work(self, tenant_id: str) -> Work:
        found = self.plane.work(tenant_id)
        assert found is not None
        return found

    def left(self, tenant_id: str) -> list[str]:
        return traces(self.lodging, tenant(id=tenant_id))


@pytest.fixture
def home(kind: str, tmp_path: Path, database: Database) -> Iterator[Home]:
    with lodging(kind, tmp_path, database) as found:
        home = Home(migrated(database.url()), found)
        with home.plane:
            yield home


def killed(home: Home, remake: Callable[..., Building], begin: Callable[[], Begun]) -> list[Begun]:
    """Kill a process at each change of a work of its own; the works."""
    tenant_id, work_id = begin()
    counting = interrupting.begun(home.url, remake, work_id, 0, signal.SIGKILL)
    changes = ended(counting)
    assert changes > 2, home.work(tenant_id)
    works: list[Begun] = []
    left = list(range(1, changes + 1))
    for _ in range(TRIES):
        begun = [begin() for _ in left]
        works += begun
        dying = [
            (at, interrupting.begun(home.url, remake, work_id, at, signal.SIGKILL))
            for at, (_, work_id) in zip(left, begun, strict=True)
        ]
        codes = {at: ended(process) for at, process in dying}
        # One change fewer, where the folder that two files share was there already.
        assert set(codes.values()) <= {-signal.SIGKILL, changes - 1}
        left = [at for at, code in codes.items() if code != -signal.SIGKILL]
        if not left:
            return works
    pytest.fail(f"nobody was killed at {left}")


@pytest.mark.parametrize("kind", ["rows", "roles", "files"])
def test_a_provisioning_killed_inside_any_step_is_completed(home: Home) -> None:
    for tenant_id, work_id in killed(home, home.remake(), home.register):
        home.works.run(work_id)
        assert home.status(tenant_id) == "active", home.work(tenant_id).reason
        assert home.lodging.names(tenant(id=tenant_id)) == ["first"]


@pytest.mark.parametrize("kind", ["rows", "databases"])
def test_a_failing_provisioning_killed_inside_any_step_leaves_nothing(home: Home) -> None:
    remake = home.remake(canary=no_canary)
    works = killed(home, remake, home.register)
    home.work_with(home.lodging.another(canary=no_canary))
    for tenant_id, work_id in works:
        home.works.run(work_id)
        found = (home.status(tenant_id), home.work(tenant_id).reason)
        assert found == ("failed", "smoke: AssertionError")
    assert [home.left(tenant_id) for tenant_id, _ in works] == [[]] * len(works)


@pytest.mark.parametrize("kind", ["roles", "databases", "files"])
def test_a_removal_killed_inside_any_step_is_completed(home: Home) -> None:
    def leaving() -> Begun:
        tenant_id, work_id = home.register()
        home.works.run(work_id)
        return tenant_id, home.plane.remove(tenant_id, grace=AT_ONCE)

    works = killed(home, home.remake(), leaving)
    for tenant_id, work_id in works:
        home.works.run(work_id)
        work = home.work(tenant_id)
        assert (home.status(tenant_id), work.state, work.reason) == ("deleted", "done", "")
        assert work.certificate is not None
        assert work.certificate["count"]["rows"] == 1  # type: ignore[index]  # of a step
        assert work.certificate["erase"]["left"] == 0  # type: ignore[index]  # of a step


HALVES = ["do create", "do seed", "undo seed", "undo create"]

PAUSED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename IN ('app', 'keeper') OR application_name = 'partywall control'
"""


@pytest.mark.parametrize("kind", ["rows", "roles", "databases"])
def test_who_stood_still_while_others_went_on_undoes_nothing_of_theirs(
    home: Home, database: Database
) -> None:
    """It stood before it took back what meanwhile was retried, and let people in."""
    remake = home.remake(canary=no_canary)
    works = [home.register() for _ in HALVES]
    paused = [
        interrupting.begun(home.url, remake, work_id, half, signal.SIGSTOP)
        for half, (_, work_id) in zip(HALVES, works, strict=True)
    ]
    try:
        waited(lambda: all(map(stands_still, paused)))
        database.execute(PAUSED)  # as a server does with those it hears nothing of
        for tenant_id, work_id in works:
            home.work_with(home.lodging.another(canary=no_canary))
            home.works.run(work_id)
            assert home.status(tenant_id) == "failed"
            home.work_with(home.lodging.building)
            home.works.run(home.plane.retry(tenant_id))
            assert home.status(tenant_id) == "active"
    finally:
        for process in paused:
            os.kill(process.pid or 0, signal.SIGCONT)
        for process in paused:
            ended(process)
    assert {process.exitcode for process in paused} == {1}  # it was told, and raised
    for tenant_id, _ in works:
        assert home.status(tenant_id) == "active", home.work(tenant_id).reason
        assert home.lodging.names(tenant(id=tenant_id)) == ["first"]


def ended(process: ForkServerProcess) -> int:
    """Wait for its end; its exit code."""
    process.join(PATIENCE_S)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def stands_still(process: ForkServerProcess) -> bool:
    state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"
