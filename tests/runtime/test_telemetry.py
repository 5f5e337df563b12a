"""The metrics, as OpenTelemetry's SDK would export them from real sessions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    NumberDataPoint,
)
from sqlalchemy import text

from partywall import SchemaPerTenant, Tenancy, TenantContext
from partywall.errors import MissingTenant, PoolTimeout, UnknownTenant
from partywall.runtime.telemetry import OpenTelemetryObserver, Recent
from tests.runtime.houses import ACME, BOTH, GLOBEX, schema_per_tenant

if TYPE_CHECKING:
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


class Measured:
    """An observer, its own clock, and what a reader finds of it."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._reader = InMemoryMetricReader()
        meter = MeterProvider([self._reader], shutdown_on_exit=False).get_meter("tests")
        self.observer = OpenTelemetryObserver(meter, clock=lambda: self.now_s)

    def points(self) -> dict[str, list[HistogramDataPoint | NumberDataPoint]]:
        """Every data point, by its metric."""
        data = self._reader.get_metrics_data()
        found: dict[str, list[HistogramDataPoint | NumberDataPoint]] = {}
        for resource in data.resource_metrics if data else ():
            for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                assert not isinstance(metric.data, Histogram) or metric.unit == "s"
                found[metric.name] = [
                    point
                    for point in metric.data.data_points
                    if isinstance(point, HistogramDataPoint | NumberDataPoint)
                ]
        return found

    def value(self, name: str) -> float:
        """The value of a metric that has one series; how many values, of a histogram."""
        [point] = self.points()[name]
        return point.count if isinstance(point, HistogramDataPoint) else point.value


@ON_15
def test_sessions_are_measured(database: Database) -> None:
    measured = Measured()
    model, url = schema_per_tenant(database), database.url("app")
    with Tenancy(url, model, observer=measured.observer) as tenancy:
        for context in (ACME, GLOBEX, ACME):
            with tenancy.session(context) as session:
                session.execute(text("SELECT 1"))
        assert measured.value("partywall.enter.duration") == 3
        assert measured.value("partywall.connection.wait") == 3
        assert measured.value("partywall.tenants.active") == 2
        [entered] = measured.points()["partywall.enter.duration"]
        assert isinstance(entered, HistogramDataPoint)
        assert 0 < entered.sum < 5
        assert entered.explicit_bounds[0] == 0.0001  # the SDK's own would put all into one


@ON_15
def test_async_sessions_are_measured(database: Database) -> None:
    measured = Measured()

    async def main(model: SchemaPerTenant) -> None:
        async with Tenancy(database.url("app"), model, observer=measured.observer) as tenancy:
            for context in BOTH:
                async with tenancy.async_session(context) as session:
                    await session.execute(text("SELECT 1"))

    asyncio.run(main(schema_per_tenant(database)))
    assert measured.value("partywall.enter.duration") == 2
    assert measured.value("partywall.tenants.active") == 2


@ON_15
def test_a_refusal_is_counted_by_its_class_alone(database: Database) -> None:
    measured = Measured()
    stranger = TenantContext("stranger")
    model, url = schema_per_tenant(database), database.url("app")
    with (
        Tenancy(url, model, observer=measured.observer) as tenancy,
        pytest.raises(UnknownTenant),
        tenancy.session(stranger) as session,
    ):
        session.execute(text("SELECT 1"))
    [refusals] = measured.points()["partywall.refusals"]
    assert refusals.attributes == {"error.type": "UnknownTenant"}


@ON_15
def test_a_wait_in_vain_is_a_time_out(database: Database) -> None:
    measured = Measured()
    model, url, observer = schema_per_tenant(database), database.url("app"), measured.observer
    with (
        Tenancy(url, model, connections=1, timeout_s=0.01, observer=observer) as tenancy,
        tenancy.plain(ACME),
        pytest.raises(PoolTimeout),
        tenancy.plain(GLOBEX),
    ):
        pass
    assert measured.value("partywall.connection.timeouts") == 1
    assert measured.value("partywall.connection.wait") == 1


def test_no_tenant_is_in_any_label() -> None:
    measured = Measured()
    observer = measured.observer
    observer.entered(ACME, 0.1)
    observer.entered(None, 0.1)
    observer.refused(ACME, MissingTenant(ACME.tenant_id))
    observer.waited(0.1, timed_out=True)
    observer.waited(0.1, timed_out=False)
    observer.opened_to_all("a repair", "somebody")
    points = measured.points()
    assert len(points) == 6
    assert "000a" not in str(points)
    assert "somebody" not in str(points)


def test_a_tenant_is_active_for_a_minute() -> None:
    measured = Measured()
    measured.observer.entered(ACME, 0.1)
    measured.now_s = 30
    measured.observer.entered(GLOBEX, 0.1)
    measured.now_s = 59
    assert measured.value("partywall.tenants.active") == 2
    measured.now_s = 61
    assert measured.value("partywall.tenants.active") == 1
    measured.now_s = 91
    assert measured.value("partywall.tenants.active") == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5))), st.integers(1, 4))
def test_the_latest_names_are_counted_and_no_more(visits: list[tuple[str, int]], most: int) -> None:
    recent, now, last = Recent(10, most), 0, dict[str, int]()
    for name, later in visits:
        now += later
        recent.add(name, now)
        last[name] = now
    assert recent.count(now) == min(most, sum(now - at < 10 for at in last.values()))
