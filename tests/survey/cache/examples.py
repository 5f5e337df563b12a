"""How the examples on the pages of attacks on a cache are run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from partywall.servers import redis
from partywall.survey.cache.attacks import direct
from partywall.survey.explaining.docstrings import parts
from tests.survey.cache.servers import surveyed
from tests.survey.cache.test_observed import report

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from partywall.survey.explaining.pages import Example
    from tests.conftest import Database

KEYED = 'key = f"{tenant}:{page}"'


def of_cache(example: Example, database: Database, folder: Path) -> Collection[str]:
    """Statements that change sound logins; or how an application names a key, or a channel."""
    del database, folder
    first, _, _ = example.text.partition("\n")
    if first.startswith("ACL"):
        return allowed(example.text)
    with redis() as running:
        if first.startswith("PUBLISH"):
            channel = first.split()[1].replace("globex", "{tenant}")
            found = report(running.url(), KEYED, channel=channel)
            return {one.name for one in found.undecided}
        return {one.name for one in report(running.url(), first).findings}


@cache
def allowed(statements: str) -> Collection[str]:
    """What gets through where logins are changed by these: many pages show the same."""
    showing = [one.name for one in direct() if statements in parts(one.doc)[2].values()]
    with redis() as running:
        return {one.name for one in surveyed(running.url(), statements, *showing).findings}
