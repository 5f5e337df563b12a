"""Temporal's own development server: it has no authorizer, so one server parts no tenants."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from partywall.survey.jobs.settings import JobsLogin, JobsSettings
from partywall.survey.jobs.surveying import survey
from tests.control.temporal import temporal_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


def test_whoever_reaches_the_server_reads_and_stops_anybodys_workflow(temporal: str) -> None:
    tenants = {n: JobsLogin(n, temporal, api_key="") for n in ("acme", "globex")}
    report = survey(JobsSettings("temporal", temporal, tenants, attacker="sql"))
    assert {"read", "write", "destroy"} <= {one.effect for one in report.findings}
    history = next(one for one in report.findings if one.effect == "read")
    assert "temporal workflow show" in history.witness[0].request
    assert asyncio.run(running(temporal)) == []


def test_one_namespace_and_no_credential_is_one_login(temporal: str) -> None:
    tenants = {n: JobsLogin(n, temporal) for n in ("acme", "globex")}
    report = survey(JobsSettings("temporal", temporal, tenants))
    assert report.verdict == "undecided"
    assert "by one login" in report.left[0]


async def running(address: str) -> list[str]:
    client = await Client.connect(address)
    return [one.id async for one in client.list_workflows('ExecutionStatus = "Running"')]
