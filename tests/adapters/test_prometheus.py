"""Metrics as Prometheus reads them: tenants by name up to a number, whatever is asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from partywall import SchemaPerTenant, Tenancy, TenantContext
from partywall.adapters.prometheus import OTHER, WATCHED, Names, PrometheusObserver
from partywall.errors import ConfigurationError, MissingTenant, UnknownTenant
from tests.runtime.houses import ACME, GLOBEX, schema_per_tenant

if TYPE_CHECKING:
    from tests.conftest import Database

TRANSACTIONS, REFUSALS = "partywall_tenant_transactions_total", "partywall_tenant_refusals_total"


class Measured:
    def __init__(self, *, tenants: tuple[str, ...] = (), most: int = 3) -> None:
        self.registry = CollectorRegistry()
        self.observer = PrometheusObserver(self.registry, tenants=tenants, most=most)

    def enter(self, tenant_id: str, times: int = 1) -> None:
        for _ in range(times):
            self.observer.entered(TenantContext(tenant_id), 0.001)

    def series(self, name: str, label: str = "tenant") -> dict[str, float]:
        """The values of a metric, as they are read over HTTP."""
        text = generate_latest(self.registry).decode()
        return {
            sample.labels.get(label, ""): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_sessions_are_counted_and_measured(database: Database) -> None:
    schema_per_tenant(database)
    measured = Measured()
    url = database.url("app")
    with Tenancy(url, SchemaPerTenant(), observer=measured.observer) as tenancy:
        for context in (ACME, ACME, GLOBEX):
            with tenancy.connection(context):
                pass
        with pytest.raises(UnknownTenant), tenancy.connection(TenantContext("nobody")):
            pass
    assert measured.series(TRANSACTIONS) == {ACME.tenant_id: 2, GLOBEX.tenant_id: 1}
    assert measured.series("partywall_enter_seconds_count") == {"": 3}
    assert measured.series("partywall_connection_wait_seconds_count")[""] >= 3
    assert measured.series("partywall_refusals_total", "error") == {"UnknownTenant": 1}
    assert measured.series(REFUSALS) == {OTHER: 1}


def test_the_rest_of_the_tenants_is_one_series() -> None:
    measured = Measured(most=2)
    for tenant_id in ("a", "b", "c", "d"):
        measured.enter(tenant_id)
    assert measured.series(TRANSACTIONS) == {"a": 1, "b": 1, OTHER: 2}


def test_who_is_used_far_more_takes_a_name_over_and_nothing_counts_backwards() -> None:
    measured = Measured(most=1)
    measured.enter("a", 3)
    measured.observer.refused(TenantContext("a"), UnknownTenant("no"))
    measured.enter("b", 6)
    assert measured.series(TRANSACTIONS) == {"a": 3, OTHER: 6}
    measured.enter("b")
    assert measured.series(TRANSACTIONS) == {"b": 1, OTHER: 6}
    assert measured.series(REFUSALS) == {}
    measured.enter("a")
    assert measured.series(TRANSACTIONS) == {"b": 1, OTHER: 7}


def test_who_was_declared_keeps_a_name() -> None:
    measured = Measured(tenants=("acme",), most=0)
    for number in range(50):
        measured.enter(f"t{number}", 5)
    measured.enter("acme")
    assert measured.series(TRANSACTIONS) == {"acme": 1, OTHER: 250}


def test_a_refusal_gives_nobody_a_name() -> None:
    measured = Measured()
    for number in range(50):
        measured.observer.refused(TenantContext(f"t{number}"), UnknownTenant("no"))
    assert measured.series(REFUSALS) == {OTHER: 50}
    measured.observer.refused(None, UnknownTenant("no"))
    measured.observer.entered(None, 0.1)
    assert measured.series("partywall_refusals_total", "error") == {"UnknownTenant": 51}


def test_a_tenant_that_is_called_other_is_among_the_others() -> None:
    measured = Measured(tenants=(OTHER,))
    measured.enter(OTHER, 9)
    measured.enter("a")
    assert measured.series(TRANSACTIONS) == {OTHER: 9, "a": 1}
    assert Names({OTHER}, 1).of(OTHER) == OTHER


@given(st.lists(st.integers(0, 200), max_size=400), st.integers(0, 5))
def test_there_are_never_more_names_than_were_allowed(uses: list[int], most: int) -> None:
    names, shown = Names({"always"}, most), set[str]()
    for each in uses:
        name, left = names.used(f"t{each}")
        shown.discard(left)
        shown.add(name)
        assert len(shown - {OTHER}) <= most
        assert len(names._counts) <= WATCHED * most  # noqa: SLF001 - its memory is the point
    assert names.used("always") == ("always", "")


def test_who_is_used_most_is_found_among_any_number() -> None:
    names = Names(set(), 2)
    for number in range(5000):
        names.used(f"t{number}")
        names.used(f"often{number % 2}")
    assert {names.of("often0"), names.of("often1")} == {"often0", "often1"}


def test_a_thousand_tenants_that_come_once_take_nobody_s_name() -> None:
    names = Names(set(), 1)
    for _ in range(5):
        names.used("regular")
    for number in range(1000):
        assert names.used(f"t{number}") == (OTHER, "")
    assert names.of("regular") == "regular"


def test_threads_lose_no_count_and_leave_no_series_behind() -> None:
    measured = Measured(most=2)

    def work(number: int) -> None:
        for turn in range(300):
            measured.enter(f"t{(turn * number) % 17}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(measured.series(TRANSACTIONS)) <= 3
    assert measured.series("partywall_enter_seconds_count") == {"": 1200}


def test_other_events_are_counted() -> None:
    measured = Measured()
    measured.observer.waited(1.0, timed_out=True)
    measured.observer.opened_to_all("a report", "ann")
    assert measured.series("partywall_connection_timeouts_total") == {"": 1}
    assert measured.series("partywall_every_tenant_total") == {"": 1}
    assert "ann" not in generate_latest(measured.registry).decode()


def test_what_can_not_be_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="most=-1"):
        Measured(most=-1)
    with pytest.raises(MissingTenant):
        Measured(tenants=("",))
