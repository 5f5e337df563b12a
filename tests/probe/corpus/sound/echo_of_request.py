"""What is asked comes back: path, query, headers and body, in successes and in errors."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, Shelf, bearers, got, prefixed

JOB = {"id": str, "command": str}
DESCRIPTION = described(
    "Jobs",
    {
        "POST /jobs": Told(body={"command": str, "after?": str}, gives=JOB, status=201),
        "GET /jobs/{job_id}": Told(query={"format": str}, gives=JOB),
        "POST /debug/{job_id}": Told(body={"job_id": str}),
    },
)


def case() -> Case:
    jobs = Shelf(prefixed("job"))

    async def asked(request: Request) -> dict[str, str]:
        shown = {name: one for name, one in request.headers.items() if name != "authorization"}
        text = (await request.body()).decode("utf-8", "replace")
        return {**shown, "url": str(request.url), "body": text}

    async def submit(request: Request) -> Response:
        tenant, new = caller(request), await request.json()
        if not isinstance(new.get("command"), str):
            return JSONResponse({"error": "command: required", "asked": await asked(request)}, 400)
        made = jobs.add(tenant, command=new["command"], after=str(new.get("after", "")))
        return JSONResponse(made, 201)

    async def read(request: Request) -> Response:
        tenant, job_id = caller(request), request.path_params["job_id"]
        if jobs.owners.get(job_id) != tenant:
            error = f"there is no job {job_id} in your workspace"
            return JSONResponse({"error": error, "asked": await asked(request)}, 404)
        return JSONResponse({**jobs.rows[job_id], "asked": await asked(request)})

    async def debug(request: Request) -> Response:
        caller(request)
        return JSONResponse({"asked": await asked(request)})

    routes = [
        Route("/jobs", submit, methods=["POST"]),
        Route("/jobs/{job_id}", read, methods=["GET"]),
        Route("/debug/{job_id}", debug, methods=["POST"]),
    ]
    return Case(routed(routes), bearers("initech", "umbrella"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/jobs", json={"command": "secret"}))
    missed = b.get(f"/jobs/{made['id']}", headers={"X-Trace": "shown"})
    assert missed.status_code == 404
    assert "shown" in missed.text
    assert made["id"] in missed.text
    assert "secret" not in missed.text
    assert "hello" in b.post(f"/debug/{made['id']}", json={"job_id": "hello"}).text
