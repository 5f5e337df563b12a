"""The tenant on spans of OpenTelemetry: `TenantSpans`, and `tenant_span` to open one.

OpenTelemetry itself passes on what is current by a variable of the context; spans that libraries
open (a driver, a client) can be reached by no other way. So the tenant travels with OpenTelemetry's
own context, within the process: it is not put into baggage, which leaves it with every request.

Needs the extra `partywall[telemetry]` and the SDK, which the application chooses.
https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from partywall.context import TenantContext, required
from partywall.errors import ConfigurationError

try:
    from opentelemetry import context as otel
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "opentelemetry":
        raise
    raise ConfigurationError(
        "partywall.adapters.tracing needs OpenTelemetry: pip install 'partywall[telemetry]' "
        "opentelemetry-sdk"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import Span

TENANT, USER = "tenant.id", "user.id"
"""The attributes; of the user https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/"""

NOBODY = ""
KEY = otel.create_key("partywall-tenant")


class TenantSpans(SpanProcessor):
    """Stamps every span that begins within `tenant_span`, those of libraries too.

    Add it before the exporter: `provider.add_span_processor(TenantSpans())`. A span that was begun
    with an attribute `tenant.id` of its own has the tenant's instead, and "" outside of one.

    Args:
        with_user: whether spans also name the user.
    """

    def __init__(self, *, with_user: bool = False) -> None:
        self._with_user = with_user

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        """Stamp a span that begins."""
        found = otel.get_value(KEY, parent_context)
        if isinstance(found, TenantContext):
            stamp(span, found, with_user=self._with_user)
        elif TENANT in (span.attributes or {}):
            span.set_attribute(TENANT, NOBODY)


@contextmanager
def tenant_span(
    tracer: trace.Tracer, name: str, context: TenantContext, **options: Any
) -> Iterator[trace.Span]:
    """A span of a tenant; those that begin within it are the tenant's too.

    Args:
        tracer: the application's.
        name: of the span.
        context: the tenant.
        options: passed on to `start_as_current_span`.

    Raises:
        MissingTenant: without a context.
    """
    token = otel.attach(otel.set_value(KEY, checked(context)))
    try:
        with tracer.start_as_current_span(name, **options) as span:
            stamp(span, context)
            yield span
    finally:
        otel.detach(token)


def stamp(span: trace.Span, context: TenantContext, *, with_user: bool = False) -> None:
    """Say on a span for whom it is; for one that began before the tenant was known.

    Of a request: `stamp(trace.get_current_span(), context)`.

    Raises:
        MissingTenant: without a context.
    """
    span.set_attribute(TENANT, checked(context).tenant_id)
    if with_user and context.user_id:
        span.set_attribute(USER, context.user_id)


def checked(context: TenantContext) -> TenantContext:
    """Take nothing but a context.

    Raises:
        MissingTenant: for anything else.
    """
    return required(
        context,
        "a span is stamped from a TenantContext: pass on the one that was made where the request "
        "is authenticated",
    )
