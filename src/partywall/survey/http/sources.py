"""Where the operations come from, and the address to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.survey.http import knowing

if TYPE_CHECKING:
    from contextlib import ExitStack

    from partywall.survey.http.operations import Api
    from partywall.survey.http.settings import ApiSettings


def api_of(settings: ApiSettings, stack: ExitStack) -> tuple[Api, str]:
    """All operations, and the base address; an application object is served meanwhile.

    A description that isn't shown to everybody is fetched as the first tenant.

    Raises:
        ConfigurationError: no source can be read, or none knows an operation.
    """
    from partywall.survey.http import serving  # noqa: PLC0415 - a server, only where it is needed

    app = serving.loaded(settings.app) if settings.app else None
    base = settings.base
    if app is not None and not base:
        base = stack.enter_context(serving.served(app))
    try:
        api = knowing.api(settings, app, base=base)
    except ConfigurationError:
        if not settings.tenants or not settings.tenants[0].headers:
            raise
        api = knowing.api(settings, app, base=base, headers=settings.tenants[0].headers)
    if not api.operations:
        raise ConfigurationError("no operation is known: give [api] openapi, har or app")
    return api, base
