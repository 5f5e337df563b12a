"""The probe finds the fault of each application of the corpus, and accuses no sound one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from partywall.survey.http.loading import load
from partywall.survey.http.probing import probe
from tests.probe.corpus.case import Case, Entry, Exchange, entries
from tests.probe.described import described_operations
from tests.probe.explained import untrue
from tests.probe.serving import serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("entry", entries(), ids=lambda one: one.name)
def test_says_what_is_true(entry: Entry, tmp_path: Path) -> None:
    case = entry.case()
    with serving(case.app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        described = set(described_operations(case, client))
        report = probe(load(configured(case, port, tmp_path), seed=5))
    tried = {one.at for one in report.tried}
    assert not {at for at in described - tried if not any(at in line for line in report.left)}
    found = {(one.at, one.effect) for one in report.findings}
    assert found - case.also == case.leaks - case.also
    assert {one.at for one in report.undecided} - {at for at, _ in case.also} == case.undecided
    assert {one.at for one in report.public} == case.public
    assert {one.at for one in report.shared} - case.common == case.shared
    assert untrue(entry.name, report) == []


def configured(case: Case, port: int, folder: Path) -> Path:
    """A partywall.toml for a case that is served at *port*."""
    base = f"http://127.0.0.1:{port}"
    told: dict[str, Any] = {"base": base, "existence": case.existence}
    if case.routes:
        told["app"] = case.routes
    if case.openapi is None:
        told["openapi"] = f"{base}/openapi.json"
    elif case.openapi:
        (folder / "openapi.json").write_text(json.dumps(case.openapi))
        told["openapi"] = "openapi.json"
    if case.recorded:
        (folder / "traffic.har").write_text(json.dumps(archive(case, base)))
        told["har"] = ["traffic.har"]
    tenants = {
        name: {k: v.format(port=port) if k == "base" else v for k, v in one.items()}
        for name, one in case.tenants.items()
    }
    tables = {"api": told, **{f"tenants.{name}": one for name, one in tenants.items()}}
    if case.stranger:
        tables["stranger"] = {"headers": dict(case.stranger)}
    path = folder / "partywall.toml"
    lines = [f"[{name}]\n{assigned(table)}" for name, table in tables.items()]
    path.write_text("\n".join(lines))
    return path


def archive(case: Case, base: str) -> dict[str, Any]:
    """What a case has recorded, as browsers export it."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "a browser", "version": "1"},
            "entries": [entry_of(one, base) for one in case.recorded],
        }
    }


def entry_of(one: Exchange, base: str) -> dict[str, Any]:
    """One recorded request and its answer."""
    media = "application/json"
    request: dict[str, Any] = {"method": one.method, "url": base + one.path, "headers": []}
    if one.body is not None:
        request["postData"] = {"mimeType": media, "text": json.dumps(one.body)}
    content = {"mimeType": media, "text": json.dumps(one.answer)}
    return {"request": request, "response": {"status": one.status, "content": content}}


def assigned(table: dict[str, Any]) -> str:
    """The keys of a TOML table, a line each."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in table.items())


def toml(value: object) -> str:
    """A value as TOML has it: as JSON, but for inline tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)
