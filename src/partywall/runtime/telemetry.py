"""Metrics of the walls for OpenTelemetry: `Tenancy(observer=OpenTelemetryObserver())`.

Needs the extra `partywall[telemetry]`: the API alone; where the metrics go is the application's.
No metric is labelled with a tenant: a thousand tenants would be a thousand series, and their ids
would leave for wherever metrics go.
https://opentelemetry.io/docs/specs/otel/metrics/api/
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from partywall.runtime.events import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from partywall.context import TenantContext
    from partywall.errors import PartywallError

WINDOW_S = 60.0
MOST = 100_000
"""How many tenants are counted at most: what is kept of each is its id and a time."""

DURATIONS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)
"""Bounds of the histograms' buckets; the SDK's own are made for milliseconds."""


class OpenTelemetryObserver(Observer):
    """Counts and measures what the walls do.

    ====================================  =========  =============================================
    `partywall.enter.duration`            histogram  s, to begin a transaction in a tenant
    `partywall.connection.wait`           histogram  s, until a pool gave a connection
    `partywall.connection.timeouts`       counter    connections that did not come in time
    `partywall.refusals`                  counter    by `error.type`, the class of the refusal
    `partywall.every_tenant.sessions`     counter    uses of the one way out
    `partywall.tenants.active`            gauge      tenants entered within the last minute
    ====================================  =========  =============================================

    Args:
        meter: by default that of the global provider.
        clock: monotonic seconds.
    """

    def __init__(
        self, meter: Meter | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        meter = meter or get_meter("partywall")
        self._clock = clock
        self._entered = Recent(WINDOW_S, MOST)
        self._enter = meter.create_histogram(
            "partywall.enter.duration",
            unit="s",
            description="Beginning a transaction in a tenant",
            explicit_bucket_boundaries_advisory=DURATIONS_S,
        )
        self._wait = meter.create_histogram(
            "partywall.connection.wait",
            unit="s",
            description="Waiting for a connection of the pool",
            explicit_bucket_boundaries_advisory=DURATIONS_S,
        )
        self._timeouts = meter.create_counter(
            "partywall.connection.timeouts", description="Connections that did not come in time"
        )
        self._refusals = meter.create_counter(
            "partywall.refusals", description="Tenants, statements and objects refused"
        )
        self._everybody = meter.create_counter(
            "partywall.every_tenant.sessions", description="Sessions of every tenant"
        )
        meter.create_observable_gauge(
            "partywall.tenants.active",
            [self._active],
            description="Tenants entered within the last minute",
        )

    def entered(self, context: TenantContext | None, duration_s: float) -> None:
        """Measure it, and count its tenant as active."""
        self._enter.record(duration_s)
        if context is not None:
            self._entered.add(context.tenant_id, self._clock())

    def refused(self, context: TenantContext | None, error: PartywallError) -> None:
        """Count it by the class of the error, and by nothing of its content."""
        del context
        self._refusals.add(1, {"error.type": type(error).__name__})

    def waited(self, duration_s: float, *, timed_out: bool) -> None:
        """Measure a wait that ended well, count one that didn't."""
        if timed_out:
            self._timeouts.add(1)
        else:
            self._wait.record(duration_s)

    def opened_to_all(self, reason: str, by: str) -> None:
        """Count it; reason and name are for the audit log."""
        del reason, by
        self._everybody.add(1)

    def _active(self, options: CallbackOptions) -> Iterable[Observation]:
        del options
        yield Observation(self._entered.count(self._clock()))


class Recent:
    """How many distinct names were seen within the last seconds.

    Args:
        window_s: how long a name counts.
        most: names that are kept; beyond that the one not seen for longest is let go.
    """

    def __init__(self, window_s: float, most: int) -> None:
        self._window_s = window_s
        self._most = most
        self._seen: dict[str, float] = {}  # in the order in which they were last seen
        self._lock = threading.Lock()

    def add(self, name: str, now_s: float) -> None:
        """Note that *name* was seen."""
        with self._lock:
            self._seen.pop(name, None)
            self._seen[name] = now_s
            if len(self._seen) > self._most:
                del self._seen[next(iter(self._seen))]

    def count(self, now_s: float) -> int:
        """How many were seen since *window_s* before *now_s*."""
        with self._lock:
            while self._seen:
                oldest = next(iter(self._seen))
                if self._seen[oldest] > now_s - self._window_s:
                    break
                del self._seen[oldest]
            return len(self._seen)
