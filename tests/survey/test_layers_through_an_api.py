"""Cache, jobs and links through a whole application, as `partywall survey` drives it."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Annotated, TypeAlias

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel
from redis import Redis

from partywall.survey.whole import load, survey
from tests.probe.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.survey.layers import WholeReport

TENANTS = {"token-of-acme": "acme", "token-of-globex": "globex"}
DECLARED = """
[api]
base = "http://127.0.0.1:{port}"
openapi = "/openapi.json"

[cache]
url = "{url}"

[jobs]
wait_s = 5
rounds = 2

[objects]
make = "POST /files"
link = "GET /files/{{id}}/link"

[tenants.acme]
headers = {{ Authorization = "token-of-acme" }}

[tenants.globex]
headers = {{ Authorization = "token-of-globex" }}
"""


class Text(BaseModel):
    text: str


class File(BaseModel):
    id: int
    text: str


class Link(BaseModel):
    url: str


class Export(BaseModel):
    id: int
    status: str
    text: str


def known(authorization: Annotated[str, Header()]) -> str:
    if authorization not in TENANTS:
        raise HTTPException(401)
    return TENANTS[authorization]


Tenant: TypeAlias = Annotated[str, Depends(known)]


def desk(url: str, fault: str) -> FastAPI:  # noqa: C901 - an application is its routes
    """Files, links to them, and exports; what is listed is kept in Redis."""
    app = FastAPI()
    cache = Redis.from_url(url, decode_responses=True)
    files: dict[int, tuple[str, str]] = {}
    exports: dict[int, tuple[str, str]] = {}

    def of(owned: dict[int, tuple[str, str]], number: int, tenant: str) -> str:
        if number not in owned or (owned[number][0] != tenant and fault != "any job"):
            raise HTTPException(404)
        return owned[number][1]

    def signature(name: str) -> str:
        covered = "all" if fault == "any file" else name
        return hmac.digest(b"key", covered.encode(), "sha256").hex()

    @app.post("/files", status_code=201)
    def upload(body: Text, tenant: Tenant) -> File:
        number = len(files) + 1
        files[number] = tenant, body.text
        cache.delete("files", f"{tenant}:files")
        return File(id=number, text=body.text)

    @app.get("/files")
    def listed(tenant: Tenant) -> list[File]:
        key = "files" if fault == "any key" else f"{tenant}:files"
        found = cache.get(key)
        if not isinstance(found, str):
            mine = [{"id": n, "text": text} for n, (who, text) in files.items() if who == tenant]
            found = json.dumps(mine)
            cache.set(key, found, ex=60)
        return [File(**one) for one in json.loads(found)]

    @app.get("/files/{file_id}")
    def shown(file_id: int, tenant: Tenant) -> File:
        if file_id not in files or files[file_id][0] != tenant:
            raise HTTPException(404)
        return File(id=file_id, text=files[file_id][1])

    @app.get("/files/{file_id}/link")
    def link(file_id: int, tenant: Tenant) -> Link:
        shown(file_id, tenant)
        return Link(url=f"/raw/{file_id}?signature={signature(str(file_id))}")

    @app.get("/raw/{name}", include_in_schema=False)
    def raw(name: int, given: Annotated[str, Query(alias="signature")] = "") -> str:
        if not hmac.compare_digest(given, signature(str(name))):
            raise HTTPException(403)
        return files[name][1]

    @app.post("/exports", status_code=202)
    def export(body: Text, tenant: Tenant) -> Export:
        number = len(exports) + 1
        exports[number] = tenant, body.text
        return Export(id=number, status="running", text=body.text)

    @app.get("/exports/{export_id}")
    def exported(export_id: int, tenant: Tenant) -> Export:
        return Export(id=export_id, status="done", text=of(exports, export_id, tenant))

    return app


def surveyed(url: str, folder: Path, fault: str = "") -> WholeReport:
    with serving(desk(url, fault)) as port:
        file = folder / "partywall.toml"
        file.write_text(DECLARED.format(port=port, url=url))
        return survey(load(file, skip=["api"]))


def test_a_sound_application_holds_in_all_its_layers(redis_url: str, tmp_path: Path) -> None:
    report = surveyed(redis_url, tmp_path)
    assert {name: one.verdict for name, one in report.layers.items()} == {
        "cache": "held", "jobs": "held", "objects": "held",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "layer", "finding"),
    [
        ("any key", "cache", "key-without-tenant"),
        ("any job", "jobs", "job-by-id"),
        ("any file", "objects", "loosened-link"),
    ],
)
def test_a_fault_is_found_in_its_layer_alone(
    redis_url: str, tmp_path: Path, fault: str, layer: str, finding: str
) -> None:
    report = surveyed(redis_url, tmp_path, fault)
    found = {(name, one.name) for name, told in report.layers.items() for one in told.findings}
    assert (layer, finding) in found
    assert {name for name, _ in found} == {layer}
