"""Isolation between tenants in a project's test database, one test for each of its surfaces.

One test function is enough; it becomes as many tests as the application's logins reach tables,
views and functions, named ``public.orders``, and one for ``all else``::

    def test_isolation(partywall_audit):
        partywall_audit.assert_held()

Where the database is made by fixtures, nobody knows its tables while tests are collected: then
there is one test for ``all``, with a subtest for each surface.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from partywall.errors import PartywallError
from partywall.pytest_plugin.collecting import marks, override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from partywall.reports.outcomes import Outcome
    from partywall.survey.acting import Tenants
    from partywall.survey.attack import Place
    from partywall.survey.configuration import Configuration

AUDIT, URL, CONFIGURATION = "partywall_audit", "partywall_database_url", "partywall_configuration"
FAILED = ("breached", "undecided")
UNTRIED = "{}: the survey's attacker doesn't go as far as this ([survey] attacker)"

SURFACES = pytest.StashKey[tuple[str, ...]]()


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Some surfaces, once the survey has run.

    Attributes:
        subtests: pytest's own, where there may be many surfaces and pytest has them.
    """

    outcomes: tuple[Outcome, ...]
    subtests: Any = None

    def assert_held(self) -> None:
        """Fail with the breaches, their witnesses and fixes, or with what is undecided and why.

        What the configuration accepts is skipped, with the reason.
        """
        if not self.subtests:
            _end(*self.outcomes)
            return
        for one in self.outcomes:
            with self.subtests.test(one.at):
                _end(one)


@pytest.fixture(scope="session")
def partywall_database_url() -> str:
    """An administrator's url of the test database; "" for the one that the configuration says.

    Override it where fixtures make the database, and let it take them: the survey runs after them.
    The tenants' logins are taken to the same server and database. A driver's name in the url
    (``postgresql+psycopg://``) does no harm.
    """
    return ""


@pytest.fixture(scope="session")
def partywall_configuration(
    pytestconfig: pytest.Config, partywall_database_url: str
) -> Configuration:
    """What the configuration says of database and tenants; override it to say it in Python."""
    with _plainly():
        found: Configuration = _suite().configured(pytestconfig.rootpath, partywall_database_url)
    return found


@pytest.fixture(scope="session")
def partywall_place() -> Place:
    """Where attacks run: on a disposable "copy"; override it with "target" for the database."""
    return "copy"


@pytest.fixture(scope="session")
def partywall_outcomes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    partywall_configuration: Configuration,
    partywall_place: Place,
) -> Mapping[str, Outcome]:
    """Surface -> how the one survey of the session ended there, whatever worker it ran in."""

    def surveyed() -> list[dict[str, str]]:
        report = import_module("partywall.survey.audit").audit(
            partywall_configuration, place=partywall_place
        )
        return [asdict(one) for one in import_module("partywall.reports.outcomes").outcomes(report)]

    with _plainly():
        if hasattr(request.config, "workerinput"):
            told = repr((partywall_configuration, partywall_place))
            name = f"partywall-{sha256(told.encode()).hexdigest()[:16]}.json"
            shared = tmp_path_factory.getbasetemp().parent / name
            found = _suite().once(shared, partywall_configuration.url, surveyed)
        else:
            found = surveyed()
    make = import_module("partywall.reports.outcomes").Outcome
    return {one["at"]: make(**one) for one in found}


@pytest.fixture
def partywall_audit(
    request: pytest.FixtureRequest, partywall_outcomes: Mapping[str, Outcome]
) -> Surveyed:
    """One surface of the database; the test that asks for it runs once for each."""
    at, named = request.param
    if at:
        if at not in partywall_outcomes:
            pytest.skip(f"{at} is there no more")
        if partywall_outcomes[at].state == "untried":
            pytest.skip(UNTRIED.format(at))
        return Surveyed((partywall_outcomes[at],))
    rest = tuple(
        one
        for name, one in partywall_outcomes.items()
        if name not in named and one.state != "untried"
    )
    parts = request.config.pluginmanager.hasplugin("subtests")
    return Surveyed(rest, request.getfixturevalue("subtests") if parts else None)


@pytest.fixture
def as_tenant(partywall_configuration: Configuration) -> Iterator[Tenants]:
    """``as_tenant("acme")``: that tenant in the test database; all it does is undone in the end.

    ``as_tenant("acme", connection)`` works within the transaction of a psycopg connection of a
    superuser's, and sees the rows that stand there uncommitted.
    """
    acting = import_module("partywall.survey.acting")
    with ExitStack() as stack:
        with _plainly():
            found = stack.enter_context(acting.tenants(partywall_configuration))
        yield found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each surface of a function that asks for `partywall_audit`."""
    if AUDIT not in metafunc.fixturenames:
        return
    made_later = any(override(metafunc, name) for name in (URL, CONFIGURATION))
    named = () if made_later else _surfaces(metafunc.config)
    kept, rest = marks(metafunc.config), "all else" if named else "all"
    metafunc.parametrize(
        AUDIT,
        [pytest.param((at, named), id=at or rest, marks=kept) for at in (*named, "")],
        indirect=True,
    )


def _surfaces(config: pytest.Config) -> tuple[str, ...]:
    """The surfaces of the database as it stands; () without one that can be looked into.

    All workers of pytest-xdist go by what the first of them sees, since they must collect the same.
    """
    if SURFACES not in config.stash:
        found: Any
        if hasattr(config, "workerinput"):
            folder: Path = config._tmp_path_factory.getbasetemp().parent  # type: ignore[attr-defined]  # noqa: SLF001 - no fixture is there while tests are collected
            found = _suite().first(folder / "partywall-surfaces.json", lambda: _seen(config))
        else:
            found = _seen(config)
        config.stash[SURFACES] = tuple(found)
    return config.stash[SURFACES]


def _seen(config: pytest.Config) -> list[str]:
    suite = _suite()
    try:
        return list(suite.surfaces(suite.configured(config.rootpath, "")))
    except PartywallError:
        return []  # the test itself will say it


def _end(*outcomes: Outcome) -> None:
    """End the test, or the subtest, as the survey did."""
    if failed := [one.because for one in outcomes if one.state in FAILED]:
        pytest.fail("\n\n".join(failed), pytrace=False)
    if accepted := [one.because for one in outcomes if one.state == "excepted"]:
        pytest.skip("\n".join(accepted))


@contextmanager
def _plainly() -> Iterator[None]:
    """Fail with an error's one line instead of its traceback."""
    try:
        yield
    except PartywallError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _suite() -> Any:  # noqa: ANN401 - a module that is imported only where it is used
    return import_module("partywall.survey.suite")
