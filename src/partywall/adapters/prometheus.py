"""Metrics of the walls for Prometheus: `Tenancy(observer=PrometheusObserver())`.

Each value of a label is a series that the server keeps: a label that a request can choose fills it
up. So tenants are told by name up to a number that is given, and the rest is one series.
https://prometheus.io/docs/practices/naming/#labels
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from partywall.context import identified
from partywall.errors import ConfigurationError
from partywall.runtime.events import Observer

try:
    from prometheus_client import REGISTRY, Counter, Histogram
except ModuleNotFoundError as error:
    if error.name != "prometheus_client":
        raise
    raise ConfigurationError(
        "partywall.adapters.prometheus needs its client: pip install 'partywall[prometheus]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry

    from partywall.context import TenantContext
    from partywall.errors import PartywallError

OTHER = "other"
"""All tenants that have no series of their own; one that has this id is always among them."""

DURATIONS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)
WATCHED = 8
"""How many tenants are counted for each that may have a name: among them are those most in use."""


class PrometheusObserver(Observer):
    """Counts and measures what the walls do.

    =====================================  =========  ============================================
    `partywall_enter_seconds`              histogram  to begin a transaction in a tenant
    `partywall_connection_wait_seconds`    histogram  until a pool gave a connection
    `partywall_connection_timeouts_total`  counter    connections that did not come in time
    `partywall_refusals_total`             counter    by `error`, the class of the refusal
    `partywall_every_tenant_total`         counter    uses of the one way out
    `partywall_tenant_transactions_total`  counter    by `tenant`
    `partywall_tenant_refusals_total`      counter    by `tenant`
    =====================================  =========  ============================================

    Args:
        registry: where the metrics are; the client's own by default.
        tenants: ids of tenants that always have a name.
        most: how many others have one at the same time, those most in use.

    Raises:
        ConfigurationError: for less than no others.
        MissingTenant: when one of *tenants* can't be an id.
    """

    def __init__(
        self,
        registry: CollectorRegistry = REGISTRY,
        *,
        tenants: Iterable[str] = (),
        most: int = 20,
    ) -> None:
        self._names = Names({identified(each) for each in tenants}, most)
        self._lock = threading.Lock()
        self._enter = Histogram(
            "partywall_enter_seconds",
            "Beginning a transaction in a tenant",
            registry=registry,
            buckets=DURATIONS_S,
        )
        self._wait = Histogram(
            "partywall_connection_wait_seconds",
            "Waiting for a connection of the pool",
            registry=registry,
            buckets=DURATIONS_S,
        )
        self._timeouts = Counter(
            "partywall_connection_timeouts",
            "Connections that did not come in time",
            registry=registry,
        )
        self._refusals = Counter(
            "partywall_refusals",
            "Tenants, statements and objects refused",
            ["error"],
            registry=registry,
        )
        self._everybody = Counter(
            "partywall_every_tenant", "Sessions of every tenant", registry=registry
        )
        self._transactions = Counter(
            "partywall_tenant_transactions",
            "Transactions of tenants",
            ["tenant"],
            registry=registry,
        )
        self._refused = Counter(
            "partywall_tenant_refusals", "Refusals to tenants", ["tenant"], registry=registry
        )

    def entered(self, context: TenantContext | None, duration_s: float) -> None:
        """Measure it, and count it for its tenant."""
        self._enter.observe(duration_s)
        if context is not None:
            self._count(self._transactions, context.tenant_id)

    def refused(self, context: TenantContext | None, error: PartywallError) -> None:
        """Count it by the class of the error, and by its tenant; by nothing of its content."""
        self._refusals.labels(type(error).__name__).inc()
        if context is not None:
            self._count(self._refused, context.tenant_id, used=False)

    def waited(self, duration_s: float, *, timed_out: bool) -> None:
        """Measure a wait that ended well, count one that didn't."""
        if timed_out:
            self._timeouts.inc()
        else:
            self._wait.observe(duration_s)

    def opened_to_all(self, reason: str, by: str) -> None:
        """Count it; reason and name are for the audit log."""
        del reason, by
        self._everybody.inc()

    def _count(self, counter: Counter, tenant_id: str, *, used: bool = True) -> None:
        with self._lock:  # between a name's leaving and the removal of its series nobody counts
            name, left = self._names.used(tenant_id) if used else (self._names.of(tenant_id), "")
            counter.labels(name).inc()
            if left:
                for each in (self._transactions, self._refused):
                    with suppress(KeyError):  # it had none of this kind
                        each.remove(left)


class Names:
    """Which tenants are told by name.

    Uses are counted with bounded memory as "Space-Saving" does: who isn't counted yet takes the
    place, and the count, of the one without a name that was used least. What was taken over is
    remembered, and doesn't count for a name: a thousand tenants that come once get none.
    https://doi.org/10.1007/978-3-540-30570-5_27

    Args:
        always: those that always have a name.
        most: how many others have one.
    """

    def __init__(self, always: set[str], most: int) -> None:
        if most < 0:
            raise ConfigurationError(f"most={most}: say how many tenants are told by name, or 0")
        self._always = always
        self._most = most
        self._counts: dict[str, int] = {}
        self._taken_over: dict[str, int] = {}
        self._named: set[str] = set()

    def of(self, tenant_id: str) -> str:
        """What a tenant is called now."""
        known = tenant_id in self._always or tenant_id in self._named
        return tenant_id if known else OTHER

    def used(self, tenant_id: str) -> tuple[str, str]:
        """What a tenant that was used is called, and who has lost its name to it, or ""."""
        if tenant_id in self._always or tenant_id == OTHER or not self._most:
            return self.of(tenant_id), ""
        self._count(tenant_id)
        if tenant_id in self._named:
            return tenant_id, ""
        if len(self._named) < self._most:
            self._named.add(tenant_id)
            return tenant_id, ""
        least = min(self._named, key=self._surely)
        if self._surely(tenant_id) <= 2 * self._surely(least):  # or two of a kind would take turns
            return OTHER, ""
        self._named.remove(least)
        self._named.add(tenant_id)
        return tenant_id, least

    def _count(self, tenant_id: str) -> None:
        if tenant_id not in self._counts:
            over = 0
            if len(self._counts) >= WATCHED * self._most:
                free = self._counts.keys() - self._named
                least = min(free, key=self._counts.__getitem__)
                over = self._counts.pop(least)
                del self._taken_over[least]
            self._counts[tenant_id] = self._taken_over[tenant_id] = over
        self._counts[tenant_id] += 1

    def _surely(self, tenant_id: str) -> int:
        """How often it was used since it is counted."""
        return self._counts[tenant_id] - self._taken_over[tenant_id]
