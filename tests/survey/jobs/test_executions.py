"""Temporal's development server: open as it is, and behind mTLS that knows one tenant each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from partywall.survey.jobs.settings import JobsLogin, JobsSettings
from partywall.survey.jobs.surveying import survey
from tests.control.crashing import waited
from tests.control.temporal import temporal_server
from tests.survey.jobs.gates import gated, open_to_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


def test_whoever_reaches_the_server_reads_and_stops_anybodys_workflow(temporal: str) -> None:
    report = survey(open_to_all(temporal))
    assert {"read", "write", "destroy"} <= {one.effect for one in report.findings}
    history = next(one for one in report.findings if one.effect == "read")
    assert "temporal workflow show" in history.witness[0].request
    waited(lambda: not asyncio.run(running(temporal)))  # what is listed is late


def test_a_server_that_asks_for_a_tenants_certificate_holds(temporal: str, tmp_path: Path) -> None:
    with gated(temporal, tmp_path) as settings:
        report = survey(settings)
    assert (report.findings, report.undecided) == ((), ())
    assert report.verdict == "held"
    waited(lambda: not asyncio.run(running(temporal)))  # what is listed is late


def test_one_namespace_and_no_credential_is_one_login(temporal: str) -> None:
    tenants = {n: JobsLogin(n, temporal) for n in ("acme", "globex")}
    report = survey(JobsSettings("temporal", temporal, tenants))
    assert report.verdict == "undecided"
    assert "by one login" in report.left[0]


async def running(address: str) -> list[str]:
    client = await Client.connect(address)
    return [one.id async for one in client.list_workflows('ExecutionStatus = "Running"')]
