"""What the application says of itself, held against what it answers to requests of all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

    from tests.examples.invoices.houses import Company, House
    from tests.examples.invoices.pairs import Pair

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
OWN = (
    "/customers", "/invoices", "/debtors", "/comments", "/files", "/search", "/export", "/exports",
    "/reports",
)  # fmt: skip
"""Where the application's own paths begin; the others are the control plane's."""


def test_every_answer_is_a_documented_one(pair: Pair) -> None:
    before = pair.b.company.everything()
    paths = tried(pair.a.company, own=True)
    assert {path.split("/")[1] for path in paths} == {path[1:] for path in OWN}
    assert pair.b.company.everything() == before


@pytest.mark.parametrize("house", ["files", "rows"], indirect=True)
def test_every_answer_of_the_control_plane_is_too(house: House) -> None:
    paths = tried(house.company(), own=False)
    assert {"/sign-up", "/log-in", "/members", "/log", "/domains/{name}"} <= paths


def tried(company: Company, *, own: bool) -> set[str]:
    """Send requests of all kinds to the paths of the application, or to all others; which paths."""
    schema = schemathesis.openapi.from_url(f"{company.client.base_url}/openapi.json")
    paths = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path.startswith(OWN) is own:
            paths.add(operation.path)
            every_answer(operation, company.headers)
    return paths


def every_answer(operation: APIOperation[Any, Any, Any, Any], headers: dict[str, str]) -> None:
    """Show that each answer of an operation is a documented one, and none a fault of the server."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers(case: Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers)

    answers()
