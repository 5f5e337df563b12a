"""Control planes on real databases, and a workflow engine that runs at once in a thread."""

from __future__ import annotations

import threading
import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg

from partywall.control.database import Database
from partywall.control.migrations import migrate
from partywall.control.provisioning.saga import course

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    import pytest

    from partywall.control.provisioning.saga import Act, Acting


@contextmanager
def prepared(kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database, which the tests of a module share: each has names of its own."""
    if kind == "sqlite":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("house")
        yield migrated(f"sqlite:///{folder}/house.db")
        return
    server = request.getfixturevalue("postgres15")
    name = unique("house_").replace("-", "_")
    with psycopg.connect(server.url(), autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield migrated(server.url(name))
        finally:
            control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def migrated(url: str) -> str:
    with closing(Database(url)) as database:
        migrate(database)
    return url


def unique(prefix: str = "tenant-") -> str:
    """A name that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:12]}"


class Threads:
    """Runs each work in a thread, begun by `start`; durable for as long as the process is."""

    name = "threads"

    def __init__(self, *, before: Callable[[Act], None] | None = None) -> None:
        self.before = before
        self._saga: Acting | None = None
        self._threads: list[threading.Thread] = []
        self.started: list[str] = []
        self.errors: list[BaseException] = []

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        del not_before
        self.started.append(work_id)
        thread = threading.Thread(target=self.noted, args=(work_id,))
        self._threads.append(thread)
        thread.start()

    def launch(self, saga: Acting) -> None:
        self._saga = saga

    def close(self) -> None:
        self.wait()

    def wait(self) -> None:
        """Until every work that was started has ended."""
        while self._threads:
            self._threads.pop().join()

    def noted(self, work_id: str) -> None:
        try:
            self.run(work_id)
        except BaseException as error:  # noqa: BLE001 - a test looks at them
            self.errors.append(error)

    def run(self, work_id: str) -> list[str]:
        """Take all acts of a work, here; what they were, with the answers."""
        assert self._saga is not None
        conversation = course()
        act = next(conversation)
        taken = []
        while True:
            if self.before is not None:
                self.before(act)
            answer = self._saga.act(work_id, act.kind, act.step)
            taken.append(f"{act.kind} {act.step}: {' '.join(answer)}")
            try:
                act = conversation.send(answer)
            except StopIteration:
                return taken
