"""All sources of operations at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from partywall.survey.http import knowing
from partywall.survey.http.serving import served
from partywall.survey.http.settings import ApiSettings, Credentials

if TYPE_CHECKING:
    from pathlib import Path

BASE = "http://127.0.0.1:8000"


def application() -> FastAPI:
    app = FastAPI(servers=[{"url": "/"}])
    app.add_api_route("/notes/{note_id}", lambda note_id: note_id)
    app.add_api_route("/hidden/{id}", lambda id: id, include_in_schema=False)  # noqa: A006 - as in its path
    return app


def recorded(folder: Path, *urls: str) -> Path:
    entries: list[Any] = [
        {"request": {"method": "GET", "url": url}, "response": {"status": 200}} for url in urls
    ]
    file = folder / "traffic.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    return file


def described(folder: Path) -> Path:
    file = folder / "openapi.json"
    file.write_text(
        json.dumps(
            {"openapi": "3.0.3", "paths": {"/notes/{id}": {"get": {}}},
             "servers": [{"url": "/api"}]}
        )
    )  # fmt: skip
    return file


def known(settings: ApiSettings, app: object = None, base: str = "") -> dict[str, str]:
    api = knowing.api(settings, app, base=base)
    return {f"{one.method} {one.prefix}{one.path}": one.known_from for one in api.operations}


def test_what_the_description_lacks_comes_from_routes_and_traffic(tmp_path: Path) -> None:
    har = recorded(tmp_path, f"{BASE}/notes/7", f"{BASE}/hidden/7", f"{BASE}/seen/7")
    assert known(ApiSettings(BASE, har=(har,)), application()) == {
        "GET /notes/{note_id}": "description",
        "GET /hidden/{id}": "routes",
        "GET /seen/{seen_id}": "traffic",
    }


def test_a_file_goes_before_the_application_s_own(tmp_path: Path) -> None:
    file = described(tmp_path)
    assert known(ApiSettings(BASE, str(file)), application()) == {
        "GET /api/notes/{id}": "description",
        "GET /notes/{note_id}": "routes",
        "GET /hidden/{id}": "routes",
    }
    assert list(known(ApiSettings(f"{BASE}/api", str(file)))) == ["GET /notes/{id}"]


def test_a_path_is_asked_of_the_api_itself() -> None:
    with served(application()) as base:
        assert known(ApiSettings(openapi="/openapi.json"), base=base) == {
            "GET /notes/{note_id}": "description"
        }


def test_traffic_to_a_tenant_s_own_address_counts(tmp_path: Path) -> None:
    acme = Credentials("acme", base="http://acme.localhost:8000")
    har = recorded(tmp_path, "http://acme.localhost:8000/own", "http://other.localhost:8000/not")
    assert known(ApiSettings(BASE, har=(har,), tenants=(acme,))) == {"GET /own": "traffic"}
