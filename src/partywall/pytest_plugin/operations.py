"""Isolation between tenants in a project's own suite, one test for each operation of its API.

One test function is enough; it becomes as many tests as the API has operations, named
``GET /orders/{id}: other tenant held``::

    def test_isolation(partywall_operation):
        partywall_operation.assert_held()

What is probed is said in ``partywall.toml`` or ``[tool.partywall]``, or by fixtures that the
project overrides: `partywall_app`, `partywall_tenants`, `partywall_settings`. The probe runs once
a session.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from partywall.errors import PartywallError
from partywall.pytest_plugin.collecting import marks, override, probe_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.http.report import HttpReport
    from partywall.survey.http.settings import ApiSettings, Credentials
    from partywall.survey.http.suite import Tenant

OPERATION, APP, SETTINGS = "partywall_operation", "partywall_app", "partywall_settings"


@dataclass(frozen=True, slots=True)
class Probed:
    """One operation, once the probe has run."""

    at: str
    report: HttpReport

    def assert_held(self) -> None:
        """Fail with the breaches and their witnesses, or with the reason why it is undecided."""
        found = import_module("partywall.survey.http.outcomes").outcome(self.report, self.at)
        if found.state != "held":
            pytest.fail(f"{self.at}: {found.state}\n{found.because}", pytrace=False)


@pytest.fixture(scope="session")
def partywall_settings(pytestconfig: pytest.Config) -> ApiSettings:
    """What the configuration says of the API; override it to say it in Python."""
    settings: ApiSettings = probe_suite().configured(pytestconfig.rootpath)
    return settings


@pytest.fixture(scope="session")
def partywall_app() -> object:
    """The ASGI or WSGI application; override it where `[api] app` doesn't name it.

    It is asked for the operations while tests are collected, so that it takes no other fixture,
    unless `[api] openapi` says them.
    """
    return None


@pytest.fixture(scope="session")
def partywall_base(partywall_settings: ApiSettings, partywall_app: object) -> Iterator[str]:
    """The address of the API: `[api] base`, else the application's, served for the session."""
    with probe_suite().based(partywall_settings, partywall_app or partywall_settings.app) as base:
        yield base


@pytest.fixture(scope="session")
def partywall_tenants(partywall_settings: ApiSettings) -> Sequence[Credentials]:
    """The tenants of the configuration; override it to make them: name -> dict with ``headers``.

    It may use `partywall_base` to sign them up.
    """
    return partywall_settings.tenants


@pytest.fixture(scope="session")
def partywall_report(
    partywall_settings: ApiSettings,
    partywall_app: object,
    partywall_base: str,
    partywall_tenants: Mapping[str, Any] | Sequence[Credentials],
) -> HttpReport:
    """The report of the session's one probe."""
    suite = probe_suite()
    report: HttpReport = suite.probed(
        partywall_settings, partywall_app, partywall_base, suite.told(partywall_tenants)
    )
    return report


@pytest.fixture
def partywall_operation(request: pytest.FixtureRequest) -> Probed:
    """One operation of the API; the test that asks for it runs once for each."""
    if request.param.left_out:
        pytest.skip(f"left out: {request.param.left_out}")
    return Probed(request.param.at, request.getfixturevalue("partywall_report"))


@pytest.fixture(scope="session")
def tenants(
    partywall_settings: ApiSettings,
    partywall_base: str,
    partywall_tenants: Mapping[str, Any] | Sequence[Credentials],
) -> Iterator[Mapping[str, Tenant]]:
    """The tenants, signed in: name -> its client and what is its own."""
    suite = probe_suite()
    with suite.signed_in(
        partywall_settings, partywall_base, suite.told(partywall_tenants)
    ) as found:
        yield found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each operation of a function that asks for `partywall_operation`."""
    if OPERATION not in metafunc.fixturenames:
        return
    suite = probe_suite()
    try:
        settings = _overridden(metafunc, SETTINGS) or suite.configured(metafunc.config.rootpath)
        app = None if settings.openapi else _overridden(metafunc, APP)
        places = suite.places(settings, app or settings.app)
    except PartywallError as error:
        raise pytest.Collector.CollectError(str(error)) from error
    kept = marks(metafunc.config)
    metafunc.parametrize(
        OPERATION,
        [pytest.param(one, id=f"{one.at}: other tenant held", marks=kept) for one in places],
        indirect=True,
    )


def _overridden(metafunc: pytest.Metafunc, name: str) -> Any:  # noqa: ANN401 - any application
    """What the project's own fixture gives, asked while tests are collected; None without one."""
    found = override(metafunc, name)
    if found is None:
        return None
    if found.argnames:
        raise pytest.Collector.CollectError(
            f"the fixture {name} takes {', '.join(found.argnames)}, and tests are collected "
            "before fixtures are there: say the operations by [api] openapi, or let it take none"
        )
    made = found.func()
    return next(made) if hasattr(made, "__next__") else made
