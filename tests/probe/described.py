"""The operations of a case's description, with a path for each that can be asked."""

from __future__ import annotations

import re

from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def described_operations(case: Case, client: Client) -> dict[str, str]:
    """``METHOD /path/{template}`` -> a path of that form."""
    description = case.openapi
    if description is None:
        description = client.get("/openapi.json").json()
    return {
        f"{method.upper()} {path}": re.sub(r"{\w+}", "1", path)
        for path, item in description.get("paths", {}).items()
        for method in METHODS
        if method in item
    }
