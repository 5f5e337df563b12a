"""A small application that answers 202 and runs jobs in one worker, by lines of the examples."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import httpx
import pytest
from fastapi import FastAPI, Header, HTTPException

from partywall.survey.driven import Driven, Made
from partywall.survey.explaining.docstrings import parts
from partywall.survey.jobs.attacks import THROUGH, named
from partywall.survey.jobs.settings import Endpoints, JobsSettings
from partywall.survey.jobs.through import ended, like, ran

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from partywall.survey.layers import LayerReport

Tenant: TypeAlias = Annotated[str, Header()]
ATTACKS = {one.name: one for one in named(THROUGH)}
SOUND = {name: parts(one.doc)[2]["Holds"].splitlines()[0] for name, one in ATTACKS.items()}
LEAKY = {name: parts(one.doc)[2]["Breaches"].splitlines()[0] for name, one in ATTACKS.items()}
ENDPOINTS = Endpoints(
    "POST /exports", "GET /exports/{id}", "GET /exports/{id}/file", "DELETE /exports/{id}",
    "GET /exports", "POST /exports/{id}/again", rounds=2,
)  # fmt: skip


def application(lookup: str, entered: str) -> FastAPI:
    """Exports; *lookup* finds one, *entered* says for whom the worker works."""
    app = FastAPI()
    jobs: dict[int, dict[str, Any]] = {}
    owners: dict[int, str] = {}
    worker: dict[str, Any] = {"current": None}

    def found(id_: int, tenant: str) -> dict[str, Any]:
        names = {"jobs": jobs, "owners": owners, "id": id_, "tenant": tenant}
        exec(lookup, names)  # noqa: S102 - an example of ours
        if names["status"] is None:
            raise HTTPException(404)
        return jobs[id_]

    @app.post("/exports", status_code=202)
    def start(tenant: Tenant) -> dict[str, int]:
        worker["tenant"] = tenant
        exec(entered, worker)  # noqa: S102 - an example of ours
        number = len(jobs) + 1
        owners[number] = tenant
        jobs[number] = {"state": "done", "data": f"export-of-{worker['current']}"}
        return {"id": number}

    @app.get("/exports/{id_}")
    def status(id_: int, tenant: Tenant) -> str:
        return str(found(id_, tenant)["state"])

    @app.get("/exports/{id_}/file")
    def file(id_: int, tenant: Tenant) -> str:
        return str(found(id_, tenant)["data"])

    @app.delete("/exports/{id_}")
    def cancel(id_: int, tenant: Tenant) -> str:
        found(id_, tenant)["state"] = "cancelled"
        return "ok"

    @app.get("/exports")
    def listed(tenant: Tenant) -> list[str]:
        def mine(number: int) -> bool:
            try:
                return bool(found(number, tenant))
            except HTTPException:
                return False

        return [one["data"] for number, one in jobs.items() if mine(number)]

    return app


class Driver:
    """Two tenants over HTTP."""

    tenants = ("acme", "globex")

    def __init__(self, app: FastAPI) -> None:
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://jobs")

    def marks(self, tenant: str, text: str) -> Collection[str]:
        return [one for one in (f"export-of-{tenant}",) if one in text]

    async def drive(self, tenant: str) -> Sequence[Driven]:
        return [await self.send(tenant, "GET", "/exports")]

    async def send(self, tenant: str, method: str, path: str, json: object = None) -> Driven:
        answer = await self._client.request(method, path, json=json, headers={"tenant": tenant})
        request = f"curl -X {method} http://jobs{path} -H 'tenant: {tenant}'"
        return Driven(request, answer.status_code, answer.text, dict(answer.headers))

    async def make(self, tenant: str, operation: str) -> Made | None:
        method, _, path = operation.partition(" ")
        driven = await self.send(tenant, method, path)
        return Made(driven.text.strip('{}"id: '), driven) if driven.ok else None

    async def accepted(self) -> Sequence[tuple[str, str]]:
        return [("POST /exports", "GET /exports/{id}")]


def report(lookup: str, entered: str, endpoints: Endpoints = ENDPOINTS) -> LayerReport:
    driver = Driver(application(lookup, entered))
    return asyncio.run(ran(JobsSettings(None, "", {}, endpoints), driver))


def test_a_job_looked_up_by_its_id_alone_is_shown_listed_and_stopped() -> None:
    found = report(LEAKY["job-by-id"], SOUND["left-in-worker"])
    assert {(one.at, one.effect) for one in found.findings if one.attacker == "acme"} == {
        ("jobs GET /exports/{id}", "detect"),
        ("jobs GET /exports/{id}/file", "read"),
        ("jobs DELETE /exports/{id}", "destroy"),
        ("jobs GET /exports", "read"),
    }
    assert {one.name for one in found.findings} == {"job-by-id"}


def test_a_worker_that_keeps_the_first_tenant_is_seen_in_results() -> None:
    found = report(SOUND["job-by-id"], LEAKY["left-in-worker"])
    assert "left-in-worker" in {one.name for one in found.findings}
    worker = next(one for one in found.findings if one.name == "left-in-worker")
    assert f"export-of-{worker.victim}" in worker.witness[-1].returned


def test_jobs_looked_up_by_id_and_tenant_hold() -> None:
    found = report(SOUND["job-by-id"], SOUND["left-in-worker"])
    assert (found.findings, found.undecided) == ((), ())
    assert found.verdict == "held"


def test_what_answers_202_is_found_without_being_named() -> None:
    found = report(LEAKY["job-by-id"], SOUND["left-in-worker"], Endpoints(rounds=1))
    assert {one.at for one in found.findings} == {"jobs GET /exports/{id}"}


def sound(**changed: Any) -> LayerReport:  # noqa: ANN401 - fields of Endpoints
    endpoints = replace(ENDPOINTS, **changed)
    return report(SOUND["job-by-id"], SOUND["left-in-worker"], endpoints)


def test_that_nobody_can_cancel_proves_nothing() -> None:
    found = sound(cancel="DELETE /exprots/{id}")
    assert found.verdict == "undecided"
    assert {one.at for one in found.undecided} == {"jobs DELETE /exprots/{id}"}


def test_a_list_without_ones_own_proves_nothing() -> None:
    found = sound(listing="GET /openapi.json")
    assert {one.at for one in found.undecided} == {"jobs GET /openapi.json"}


def test_jobs_that_can_not_be_started_are_undecided() -> None:
    found = sound(start="POST /exprots")
    assert {one.name for one in found.undecided} == {"job-by-id", "left-in-worker"}
    assert all("made no job for" in one.because for one in found.undecided)


def test_jobs_that_can_not_be_asked_for_are_told() -> None:
    found = report(SOUND["job-by-id"], SOUND["left-in-worker"], Endpoints("POST /exports"))
    assert "[jobs]" in found.left[0]
    assert found.verdict == "undecided"


def test_nothing_is_waited_for_where_nothing_tells_of_an_end() -> None:
    found = sound(status="", result="", cancel="", wait_s=60)
    assert found.duration_s < 30
    assert found.verdict == "held"


@pytest.mark.parametrize(
    "id_", ["17", "c0ffee00-0000-4000-8000-00000000abcd", "job_01J9ZQ4T7Y3MBX", "a1"]
)
def test_an_id_that_nobody_has_is_of_the_same_kind(id_: str) -> None:
    other = like(id_)
    assert other != id_
    assert id_.isdigit() or sorted(other) == sorted(id_)
    assert [c.isalnum() for c in other[-9:]] == [c.isalnum() for c in id_[-9:]] or id_.isdigit()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"status": "running", "error": null}', False),
        ('{"status": "SUCCESS"}\n/exports/1', True),
        ("done", True),
        ("not yet", False),
        ('{"state": "failed"}', True),
    ],
)
def test_a_job_has_ended_by_the_value_of_its_state(text: str, expected: bool) -> None:  # noqa: FBT001 - a case's answer
    assert ended(text) is expected
