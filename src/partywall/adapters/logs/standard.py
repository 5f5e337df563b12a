"""Stamps for the `logging` of the standard library.

Three parts, of which each does one thing: the logger of a context puts its stamp on what it logs,
the filter makes fields of the stamp, on every record of a handler, and the formatter keeps a
record on one line.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from partywall.adapters.logs.stamp import DATA, NO_STAMP, RESERVED, Stamp, line

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from partywall.context import TenantContext

STAMP = "partywall_stamp"
"""The attribute of a record that has the stamp."""

MESSAGE = "%(asctime)s %(levelname)s tenant=%(tenant_id)s user=%(user_id)s %(name)s: %(message)s"


class TenantLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that says for whom it logs: `tenant_logger` makes it."""

    def __init__(self, logger: logging.Logger, stamp: Stamp) -> None:
        super().__init__(logger)
        self._stamp = stamp

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Put the stamp on; fields of the call under our names are called `data_…`."""
        given = kwargs.get("extra") or {}
        extra = {DATA + k if k in RESERVED else k: v for k, v in given.items()}
        kwargs["extra"] = extra | {STAMP: self._stamp} | self._stamp.fields
        return msg, kwargs


def tenant_logger(
    logger: logging.Logger, context: TenantContext, *, request_id: str = ""
) -> TenantLogger:
    """*logger*, for one context: where a request is handled, a job run.

    Raises:
        MissingTenant: without a context.
    """
    return TenantLogger(logger, Stamp(context, request_id))


class TenantFilter(logging.Filter):
    """Gives every record of a handler the fields `tenant_id`, `user_id` and `request_id`.

    They come from the stamp. A record without one, of a library or of a logger that nobody gave a
    context, has `-` in them, whatever it was logged with under these names; that is called
    `data_tenant_id` and so on. Add it to handlers, and not to loggers: those of libraries don't
    ask the filters of others.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, with its fields."""
        stamp = record.__dict__.get(STAMP)
        fields = stamp.fields if isinstance(stamp, Stamp) else NO_STAMP
        for name in RESERVED:
            given = record.__dict__.get(name)
            if given is not None and given != fields[name]:
                record.__dict__[DATA + name] = given
        record.__dict__.update(fields)
        return True


class OneLine(logging.Formatter):
    """Formats each record as one line, its traceback too.

    What would begin another line, in a message, a value or the text of an exception, is escaped:
    nobody who chooses a value writes a line of their own, in another tenant's name.

    Args:
        fmt: as of `logging.Formatter`; the fields first, and what can be chosen last.
        options: as of `logging.Formatter`.
    """

    def __init__(self, fmt: str = MESSAGE, **options: Any) -> None:
        super().__init__(fmt, **options)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return line(super().format(record))
