"""Stamps for structlog: bind a context, and have a processor make fields of it.

https://www.structlog.org/en/stable/processors.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.adapters.logs.stamp import DATA, RESERVED, Stamp, line
from partywall.context import TenantContext

if TYPE_CHECKING:
    from structlog.typing import EventDict

KEY = "context"
"""What a context is bound under: `log.bind(context=context)`."""


class TenantStamp:
    """A processor; the last one before the renderer.

    `log.bind(context=context)`, or `context=Stamp(context, request_id)`, becomes the fields
    `tenant_id`, `user_id` and `request_id`. What comes under these names from anywhere else, a
    call, `bind`, structlog's context variables, is called `data_tenant_id` and so on.

    Args:
        escaped: escape what would begin another line, in the event and in text, the traceback
            too. Renderers that write JSON do it themselves: `escaped=False`.
    """

    def __init__(self, *, escaped: bool = True) -> None:
        self._escaped = escaped

    def __call__(self, logger: Any, method: str, event_dict: EventDict) -> EventDict:
        """The event with its fields."""
        del logger, method
        said = {DATA + k if k in RESERVED else k: v for k, v in event_dict.items()}
        bound = said.get(KEY)
        if isinstance(bound, TenantContext):
            bound = Stamp(bound)
        if isinstance(bound, Stamp):
            del said[KEY]
            said |= bound.fields
        if self._escaped:
            said = {line(str(k)): line(v) if isinstance(v, str) else v for k, v in said.items()}
        return said
