"""Isolation between tenants in a project's own suite, of its database and of its API.

One test function is enough for each. It becomes as many tests as there is to hold, named
``public.orders: other tenant held`` and ``GET /orders/{id}: other tenant held``::

    def test_the_database_is_walled(partywall_audit):
        partywall_audit.assert_held()

    def test_the_api_is_walled(partywall_operation):
        partywall_operation.assert_held()

What is surveyed is said in ``partywall.toml`` or ``[tool.partywall]``, or by fixtures that the
project overrides: those of `database` and those of `operations`. Each survey runs once a session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.pytest_plugin.collecting import probe_suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.survey.http.report import HttpReport
    from partywall.survey.http.settings import Credentials

__all__ = ["assert_isolated"]

pytest_plugins = ("partywall.pytest_plugin.database", "partywall.pytest_plugin.operations")


def assert_isolated(
    target: object,
    tenants: Mapping[str, Any] | Sequence[Credentials],
    *,
    openapi: str = "",
    undecided: bool = False,
    **options: Any,  # noqa: ANN401 - fields of ApiSettings
) -> HttpReport:
    """Probe an API once, and give the report if no tenant reaches another.

    Args:
        target: an ASGI or WSGI application, its ``module:attribute``, or the address of one.
        tenants: two or more, name -> dict with ``headers``, ``cookies``, ``own``.
        openapi: address or file of the description, where the application doesn't make one.
        undecided: let pass what could not be decided. What `deny` leaves out, or its name (it
            ends sessions), passes in any case.
        options: the other settings of ``[api]``: ``deny``, ``public``, ``read_only``.

    Raises:
        AssertionError: something came through, or is undecided; the message holds each breach
            with the requests that show it.
        ConfigurationError: it can't be probed as asked.
    """
    report: HttpReport = probe_suite().assert_isolated(
        target, tenants, openapi=openapi, undecided=undecided, **options
    )
    return report
