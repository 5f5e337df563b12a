"""`partywall survey` as a program: which layers, which verdict, which files, and what it leaves."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import jsonschema

from partywall.cli.survey import LayerName
from partywall.reports.survey_json import schema
from partywall.survey.layers import LAYERS
from tests.cli.harbour import partywall
from tests.probe.serving import serving
from tests.reports.notes import TENANTS, notes

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tests.cli.harbour import Harbour

ACME, GLOBEX = TENANTS
API = """
[api]
base = "{base}"
openapi = "openapi.json"
"""


@contextmanager
def api(folder: Path, faults: Collection[str] = ()) -> Iterator[str]:
    """The notes, served, and declared beside the database that is there already."""
    app = notes(faults)
    described = app.openapi()
    described["paths"] = {
        path: {method: told for method, told in methods.items() if method != "put"}
        for path, methods in described["paths"].items()
        if path in {"/notes", "/notes/{note_id}"}
    }
    (folder / "openapi.json").write_text(json.dumps(described))
    file = folder / "partywall.toml"
    before = file.read_text()
    for name, token in (("acme", ACME), ("globex", GLOBEX)):
        headers = f'headers = {{ Authorization = "{token}" }}'
        before = before.replace(f"[tenants.{name}]\n", f"[tenants.{name}]\n{headers}\n")
    with serving(app) as port:
        file.write_text(before + API.format(base=f"http://127.0.0.1:{port}"))
        yield f"http://127.0.0.1:{port}"


def survey(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return partywall("survey", *arguments, folder=folder)


def test_the_command_knows_each_layer() -> None:
    assert [one.value for one in LayerName] == list(LAYERS)


def test_all_layers_hold_together(harbour: Harbour) -> None:
    with api(harbour.folder):
        done = survey(harbour.folder, "--output", "report.json")
    assert done.returncode == 0, done.stdout
    report = json.loads((harbour.folder / "report.json").read_text())
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)
    assert list(report["layers"]) == ["database", "api"]
    assert {one["verdict"] for one in report["layers"].values()} == {"held"}
    assert done.stdout.splitlines()[-1].startswith("✓ held")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert harbour.copies() == []
