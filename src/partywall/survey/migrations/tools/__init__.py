"""One migration tool per module; the module's name is the tool's name."""

from __future__ import annotations

from functools import cache

from partywall.survey.gathering import one_each
from partywall.survey.migrations.tool import Tool


@cache
def every_tool() -> tuple[Tool, ...]:
    """All tools of this package, by name."""
    return one_each(__name__, __path__, Tool)
