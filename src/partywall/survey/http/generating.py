"""Values that hypothesis and schemathesis make, where none of our own fits.

Both are imported only when they are needed: they take longer to load than most probes to begin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy

    from partywall.survey.http.operations import Operation

LONGEST = 10**9
"""So long is a text whose schema says nothing."""
DECIMAL = "1"
"""What fits patterns of numbers that are sent as texts."""
FEW = 5
T = TypeVar("T")


def patterned(schema: Mapping[str, Any], canary: str) -> str:
    """A text that matches the pattern: the canary itself if it can be, else a generated one."""
    pattern = str(schema["pattern"])
    longest = int(schema.get("maxLength", LONGEST))
    try:
        matches = re.compile(pattern, re.ASCII)
    except re.error:  # a pattern of another dialect
        return canary
    for attempt in (canary, canary.upper(), canary.capitalize(), canary[:longest], DECIMAL):
        if len(attempt) <= longest and matches.search(attempt):
            return attempt
    return drawn(pattern, int(schema.get("minLength", 0)), longest)


def drawn(pattern: str, least: int, most: int) -> str:
    """A text of a pattern and a length that hypothesis finds; "" where it finds none."""
    from hypothesis import strategies  # noqa: PLC0415 - as the module says

    plain = re.compile(pattern, re.ASCII)  # a digit of another script is none to most servers
    texts = strategies.from_regex(plain, fullmatch=pattern.startswith("^"))
    found = _examples(texts.filter(lambda text: least <= len(text) <= most))
    return found[-1] if found else ""


def generated(operation: Operation, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """The longest body of some that schemathesis makes for an operation; None for none."""
    import schemathesis  # noqa: PLC0415 - as the module says

    try:
        described = schemathesis.openapi.from_dict(dict(document))
        cases = _examples(described[operation.path][operation.method].as_strategy())
    except Exception:  # noqa: BLE001 - a description it can't work with: no body of its making
        return None
    made = [case.body for case in cases if isinstance(case.body, dict | list | str | int)]
    return max(made, key=lambda body: len(str(body)), default=None)


def _examples(strategy: SearchStrategy[T]) -> list[T]:
    """A few examples of a strategy, the same each time."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - as the module says
    from hypothesis.errors import Unsatisfiable  # noqa: PLC0415

    found: list[T] = []

    @settings(
        max_examples=FEW,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(one: T) -> None:
        found.append(one)

    try:
        take()
    except Unsatisfiable:
        return []
    return found
