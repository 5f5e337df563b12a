"""All that is known of an API before the first request: from every source that was given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from partywall.survey.http import description, har, messages, routes
from partywall.survey.http.operations import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.settings import ApiSettings


def api(
    settings: ApiSettings,
    app: object = None,
    *,
    base: str = "",
    headers: Mapping[str, str] | None = None,
) -> Api:
    """The description, then what it doesn't have: of *app* itself, its routes, recorded traffic.

    Args:
        base: where the API is asked, if not at ``[api] base``.
        headers: credentials, for a description that is shown to nobody else.

    Raises:
        ConfigurationError: a source can't be read; the message names it.
    """
    at = base or settings.base
    if settings.openapi:
        where = settings.openapi
        address = f"{at}{where}" if where.startswith("/") and not Path(where).exists() else where
        known = description.read(address, headers=headers, base=at)
    else:
        told = routes.described(app)
        known = description.read(told, base=at) if told else Api(())
    known = known.joined(messages.declared(one) for one in settings.websockets)
    known = known.joined(routes.read(app))
    others = [one.base for one in settings.tenants if one.base]
    return known.joined(har.read(settings.har, at, known, others))
