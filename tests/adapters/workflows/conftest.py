"""Every engine in turn, each with an application that is launched."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.adapters.workflows.application import Application
from tests.control.planes import unique
from tests.control.temporal import temporal_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.workflows.application import Engine

ENGINES = ("dbos on postgresql", "dbos on sqlite", "temporal")
FAIR = ("matching.enableFairness=true", "matching.useNewMatcher=true")


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal server that serves tenants in turns."""
    with temporal_server(tmp_path_factory.mktemp("temporal"), *FAIR) as address:
        yield address


@contextmanager
def engine_of(kind: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine that has nothing yet."""
    if kind == "temporal":
        yield ["temporal", request.getfixturevalue("temporal"), unique("queue-")]
        return
    if kind == "dbos on sqlite":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("dbos")
        yield ["dbos", f"sqlite:///{folder}/dbos.db"]
        return
    server = request.getfixturevalue("postgres15")
    name = unique("works_").replace("-", "_")
    with psycopg.connect(server.url(), autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield ["dbos", server.url(name)]
        finally:
            control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module", params=ENGINES)
def launched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """An application that runs its workflows, which the tests of a module share."""
    with engine_of(request.param, request) as of:
        made = Application(of, tmp_path_factory.mktemp("application"))
        with made.tenancy:
            made.workflows.launch()
            yield made


@pytest.fixture
def application(launched: Application) -> Iterator[Application]:
    """The same, with nothing noted and everybody let in."""
    yield launched
    launched.standings.known.clear()
    launched.standings.asked.clear()
    launched.noted.clear()


@pytest.fixture(params=ENGINES)
def own_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine of the test's own."""
    with engine_of(request.param, request) as of:
        yield of
