"""Spans of the SDK name the tenant, those of libraries too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from partywall import TenantContext
from partywall.adapters.tracing import TENANT, TenantSpans, stamp, tenant_span
from partywall.errors import MissingTenant

if TYPE_CHECKING:
    from collections.abc import Iterator

ACME, GLOBEX = TenantContext("acme", "ann"), TenantContext("globex")


class Traces:
    """A provider of its own, and what it has exported."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - of TenantSpans
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(TenantSpans(**options))
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("app")
        self.library = self.provider.get_tracer("driver")

    def tenants(self) -> dict[str, Any]:
        return {
            span.name: (span.attributes or {}).get(TENANT)
            for span in self._exporter.get_finished_spans()
        }

    def attributes(self, name: str) -> dict[str, Any]:
        found = {span.name: span for span in self._exporter.get_finished_spans()}
        return dict(found[name].attributes or {})


@pytest.fixture
def traces() -> Iterator[Traces]:
    found = Traces()
    yield found
    found.provider.shutdown()


def test_spans_within_a_tenant_s_are_the_tenant_s(traces: Traces) -> None:
    with traces.library.start_as_current_span("before"):
        pass
    with (
        tenant_span(traces.tracer, "pay", ACME, attributes={"amount": 7}),
        traces.library.start_as_current_span("SELECT"),
    ):
        pass
    with traces.library.start_as_current_span("after"):
        pass
    assert traces.tenants() == {"before": None, "SELECT": "acme", "pay": "acme", "after": None}
    assert traces.attributes("pay") == {"amount": 7, TENANT: "acme"}


def test_tasks_of_two_tenants_at_once_do_not_mix(traces: Traces) -> None:
    async def work(context: TenantContext, mine: asyncio.Event, theirs: asyncio.Event) -> None:
        with tenant_span(traces.tracer, f"work of {context.tenant_id}", context):
            mine.set()
            await theirs.wait()
            with traces.library.start_as_current_span(f"query of {context.tenant_id}"):
                await asyncio.sleep(0)

    async def both() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await asyncio.gather(work(ACME, first, second), work(GLOBEX, second, first))

    asyncio.run(both())
    found = traces.tenants()
    assert len(found) == 4
    assert all(name.endswith(f" of {tenant}") for name, tenant in found.items())


def test_an_attribute_that_a_span_begins_with_says_nothing(traces: Traces) -> None:
    forged = {TENANT: "globex"}
    with (
        tenant_span(traces.tracer, "pay", ACME, attributes=forged),
        traces.library.start_as_current_span("SELECT", attributes=forged),
    ):
        pass
    with traces.library.start_as_current_span("outside", attributes=forged):
        pass
    assert traces.tenants() == {"SELECT": "acme", "pay": "acme", "outside": ""}


def test_a_span_that_began_before_the_tenant_was_known_is_stamped(traces: Traces) -> None:
    with traces.tracer.start_as_current_span("GET /notes"):
        stamp(trace.get_current_span(), ACME)
    assert traces.attributes("GET /notes") == {TENANT: "acme"}


def test_the_user_is_named_where_that_is_asked_for() -> None:
    traces = Traces(with_user=True)
    with (
        tenant_span(traces.tracer, "pay", ACME),
        traces.library.start_as_current_span("SELECT"),
    ):
        pass
    assert traces.attributes("SELECT") == {TENANT: "acme", "user.id": "ann"}
    traces.provider.shutdown()


def test_the_tenant_does_not_leave_the_process_with_a_request(traces: Traces) -> None:
    headers: dict[str, str] = {}
    with tenant_span(traces.tracer, "call", ACME):
        inject(headers)
        assert baggage.get_all() == {}
    assert "traceparent" in headers
    assert "acme" not in str(headers)


@pytest.mark.parametrize("context", [None, "acme"])
def test_nothing_but_a_context_stamps_a_span(traces: Traces, context: Any) -> None:  # noqa: ANN401
    with pytest.raises(MissingTenant), tenant_span(traces.tracer, "pay", context):
        pass
    with traces.library.start_as_current_span("after"):
        pass
    assert traces.tenants() == {"after": None}
