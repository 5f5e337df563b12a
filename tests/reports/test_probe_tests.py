"""Emitted tests fail while a breach is there and pass once it is mended, on a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from partywall.reports.probe_tests import emitted, untested
from partywall.survey.http.recipe import HttpFinding, Recipe, Step
from partywall.survey.http.wire import Request, Upload
from tests.probe.serving import serving
from tests.reports.notes import TENANTS, notes
from tests.reports.probe_values import ACME, BASE, FINDING, GLOBEX, MADE, NOTE, READ, back

MINE = Step.of(GLOBEX, NOTE)
BENT = Request(
    "PATCH", "/notes/{{note_id}}", media="application/json", body={"title": "{{fresh}} of acme"}
)
WRITE = Recipe(before=(MADE,), attack=(Step.of(ACME, BENT),), view=MINE, part="/title")
COPY = Recipe(
    before=(MADE,),
    attack=(
        Step.of(ACME, Request("POST", "/notes/{{note_id}}/copies"), {"copy_id": "/id"}),
        Step.of(ACME, Request("GET", "/notes/{{copy_id}}")),
    ),
    absent="pw{{fresh}}",
)
EXISTENCE = Recipe(
    before=(MADE,),
    attack=(Step.of(ACME, NOTE),),
    alike=Step.of(ACME, Request("GET", "/notes/999999999")),
)
FILE = Recipe(
    before=(MADE,),
    attack=(
        Step.of(
            ACME,
            Request(
                "PUT",
                "/notes/{{note_id}}/file",
                media="multipart/form-data",
                body={"file": Upload('a "b".csv', "{{fresh}};\\n'", "text/csv")},
            ),
        ),
    ),
    view=MINE,
)
RECIPES = {"read": READ, "write": WRITE, "copy": COPY, "existence": EXISTENCE, "file": FILE}


def ran(folder: Path, text: str, base: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run an emitted file by itself, as a project would that has pytest and httpx."""
    file = folder / "test_breaches.py"
    file.write_text(text)
    acme, globex = TENANTS
    environment = {
        "PATH": os.environ["PATH"],
        "PARTYWALL_BASE": base,
        "ACME_AUTHORIZATION": acme,
        "GLOBEX_AUTHORIZATION": globex,
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", file.name],
        cwd=folder,
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def found(recipe: Recipe | None) -> HttpFinding:
    return replace(FINDING, recipe=recipe)


@pytest.mark.parametrize("fault", RECIPES)
def test_it_fails_while_the_breach_is_there_and_passes_once_it_is_mended(
    fault: str, tmp_path: Path
) -> None:
    text = emitted([found(RECIPES[fault])], BASE)
    with serving(notes({fault})) as port:
        leaking = ran(tmp_path, text, f"http://127.0.0.1:{port}")
    assert leaking.returncode == 1, leaking.stdout
    assert "1 failed" in leaking.stdout
    assert "FAILED test_breaches.py::test_get_notes_note_id_others_id_acme" in leaking.stdout
    with serving(notes()) as port:
        mended = ran(tmp_path, text, f"http://127.0.0.1:{port}/")
    assert mended.returncode == 0, mended.stdout
    assert "1 passed" in mended.stdout


def test_a_write_counts_whatever_it_was_answered(tmp_path: Path) -> None:
    with serving(notes({"write", "crash"})) as port:
        done = ran(tmp_path, emitted([found(WRITE)], BASE), f"http://127.0.0.1:{port}")
    assert "1 failed" in done.stdout
    assert "could not" not in done.stdout


def test_a_control_that_fails_is_no_pass(tmp_path: Path) -> None:
    with serving(notes()) as port:
        done = ran(
            tmp_path,
            emitted([found(READ)], BASE),
            f"http://127.0.0.1:{port}",
            GLOBEX_AUTHORIZATION="Bearer expired",
        )
    assert done.returncode == 1
    assert "globex could not POST /notes: 401" in done.stdout


@pytest.mark.parametrize("name", ["PARTYWALL_BASE", "ACME_AUTHORIZATION", "GLOBEX_AUTHORIZATION"])
def test_a_missing_variable_fails_with_its_name(name: str, tmp_path: Path) -> None:
    text = emitted([found(READ)], BASE)
    with serving(notes()) as port:
        done = ran(tmp_path, text, f"http://127.0.0.1:{port}", **{name: ""})
    assert done.returncode == 1
    assert f"the environment variable {name} is not set" in done.stdout
    assert f"    {name}" in text.partition("import")[0]


def test_it_leaves_nothing_behind_where_the_recipe_knows_how(tmp_path: Path) -> None:
    with serving(notes({"read"})) as port:
        base = f"http://127.0.0.1:{port}"
        assert ran(tmp_path, emitted([found(READ)], BASE), base).returncode == 1
        assert httpx.get(f"{base}/rows").json() == 0


def test_each_breach_has_a_test_and_those_without_a_recipe_are_named() -> None:
    breaches = [found(READ), found(WRITE), back(found(READ)), found(None)]
    text = emitted(breaches, BASE)
    assert [line for line in text.splitlines() if line.startswith("def test_")] == [
        "def test_get_notes_note_id_others_id_acme() -> None:",
        "def test_get_notes_note_id_others_id_acme_2() -> None:",
        "def test_get_notes_note_id_others_id_globex() -> None:",
    ]
    assert "#   GET /notes/{note_id}: others-id (acme attacks globex)" in text
    assert untested(breaches) == 1


def test_what_servers_say_is_no_code() -> None:
    odd = 'he said """ \\N{x} \\"\n\'\'\' {brace} and went on ' * 3
    compile(emitted([replace(found(READ), because=odd, at='GET /"x"\\')], BASE), "a", "exec")


def test_no_secret_is_written_and_own_addresses_are_variables() -> None:
    text = emitted([found(READ)], BASE)
    assert "a-secret-of" not in text
    at_home = replace(GLOBEX, base="http://globex.localhost")
    step = Step.of(at_home, Request("GET", "/x", headers=(("Authorization", "bent"),)))
    assert step.request.base == "{{GLOBEX_BASE}}"
    assert step.request.headers == (("Authorization", "bent"),)
