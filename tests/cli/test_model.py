"""`partywall audit --explain-model`: what a survey would assume, and nothing that is secret."""

from __future__ import annotations

import json
import tomllib
from textwrap import dedent

import jsonschema

from partywall.demo import GLOBEX
from partywall.reports.json import schema
from tests.cli.harbour import Harbour

EXPLANATION = {"$ref": "#/$defs/explanation", "$defs": schema()["$defs"]}


def test_the_model_with_its_reasons(harbour: Harbour) -> None:
    done = harbour.audit("--explain-model")
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(done.stdout.split())
    assert "row security; the tenant is carried by the setting app.org_id" in words
    assert "the application logs in as app" in words
    assert "globex is attacked: logs in as app, sets app.org_id" in words
    assert "10 tables of tenants" in words
    assert "1 shared table no column and no foreign key leads to a tenant public.plans" in words
    assert "[model.tenant_columns]" in words


def test_it_follows_its_schema_and_shows_neither_values_nor_addresses(harbour: Harbour) -> None:
    done = harbour.audit("--explain-model", "--format", "json")
    explanation = json.loads(done.stdout)
    jsonschema.validate(explanation, EXPLANATION, cls=jsonschema.Draft202012Validator)
    assert explanation["model"]["owned"]["public.tasks"]["column"] == "org_id"
    assert [tenant["name"] for tenant in explanation["tenants"]][:2] == ["acme", "globex"]
    assert GLOBEX not in done.stdout
    assert "postgresql://" not in done.stdout


def test_without_tenants_it_makes_up_two_and_shows_what_to_declare(harbour: Harbour) -> None:
    (harbour.folder / "partywall.toml").unlink()
    done = harbour.audit("--explain-model", "--url", harbour.database.url())
    assert done.returncode == 0
    assert "Those above are made up from the catalog." in " ".join(done.stdout.split())
    suggested = done.stdout.partition("    [tenants.acme]")[2].partition("\nwrong?")[0]
    assert 'url = "postgresql://app@127.0.0.1:' in suggested
    assert "set_config('app.org_id'" in suggested


def test_what_it_suggests_is_a_configuration_that_works(harbour: Harbour) -> None:
    file = harbour.folder / "partywall.toml"
    file.unlink()
    told = harbour.audit("--explain-model", "--url", harbour.database.url()).stdout
    suggested = told.partition("them. In partywall.toml:\n")[2].partition("\nwrong?")[0]
    file.write_text(dedent(suggested))
    explained = harbour.audit(
        "--explain-model", "--url", harbour.database.url(), "--format", "json"
    )
    assert (explained.returncode, explained.stderr) == (0, "")
    tenants = json.loads(explained.stdout)["tenants"]
    assert [tenant["name"] for tenant in tenants][:2] == ["acme", "globex"]


def test_a_database_without_tenants_is_explained_all_the_same(harbour: Harbour) -> None:
    (harbour.folder / "partywall.toml").write_text("")
    harbour.database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    done = harbour.audit("--explain-model", "--url", harbour.database.url())
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 tables of tenants" in done.stdout
    assert "[tenants.acme]" in done.stdout


def test_what_is_declared_goes_before_what_was_detected(harbour: Harbour) -> None:
    with (harbour.folder / "partywall.toml").open("a") as file:
        file.write('[model]\nshared = ["public.files"]\n')
    explained = json.loads(harbour.audit("--explain-model", "--format", "json").stdout)
    assert "public.files" in explained["model"]["shared"]
    assert "public.files" not in explained["model"]["owned"]


def test_a_name_with_quotes_is_suggested_as_toml_writes_it(harbour: Harbour) -> None:
    harbour.database.execute('CREATE TABLE "A ""B""" (org_id uuid REFERENCES organisations)')
    told = harbour.audit("--explain-model").stdout
    suggested = tomllib.loads(dedent(told.partition("was detected:\n")[2]))
    assert suggested["model"]["tenant_columns"] == {'public."A ""B"""': "org_id"}
