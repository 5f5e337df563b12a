"""The page about caches, jobs and object stores: what it declares is surveyed, and ends so."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import procrastinate
import pytest
from redis import Redis

from partywall.servers import redis
from tests.blocks import blocks
from tests.cli.harbour import partywall
from tests.survey.objects.stores import stored

if TYPE_CHECKING:
    from tests.conftest import Database

PAGE = "how-to/survey-caches-jobs-objects.md"
CACHE, JOBS, ENDPOINTS, OBJECTS, ACCEPTED = blocks(PAGE, "toml")


def verdict(folder: Path, declared: str, layer: str, **environment: str) -> tuple[int, set[str]]:
    """The exit code of a survey of that layer, and the findings that it names."""
    (folder / "partywall.toml").write_text(declared)
    command = shlex.split(f"survey --only {layer} --format json")
    done = partywall(*command, folder=folder, **environment)
    assert done.returncode in {0, 1, 3}, done.stderr
    [report] = json.loads(done.stdout)["layers"].values()
    return done.returncode, {one["name"] for one in report["findings"]}


def test_a_cache(tmp_path: Path) -> None:
    leaky, sound = blocks(PAGE, "redis")
    assert shlex.split(blocks(PAGE, "sh")[0]) == ["partywall", "survey", "--only", "cache"]
    with redis() as running:
        with Redis.from_url(running.url()) as client:
            client.execute_command("ACL", "SETUSER", "admin", "on", "nopass", "~*", "&*", "+@all")
        there = {
            f"{name.upper()}_CACHE_URL": running.url().replace("//", f"//{name}:{name}-secret@")
            for name in ("acme", "globex")
        }
        there["CACHE_ADMIN_URL"] = running.url().replace("//", "//admin:any@")
        for statements, code in ((leaky, 1), (sound, 0)):
            with Redis.from_url(there["CACHE_ADMIN_URL"]) as client:
                for line in statements.splitlines():
                    client.execute_command(*line.split())
            done, found = verdict(tmp_path, CACHE, "cache", **there)
            assert done == code
            names = {"names-of-another", "channels-of-another", "left-for-another"}
            assert (names <= found) is bool(code)
        with Redis.from_url(there["CACHE_ADMIN_URL"]) as client:
            client.execute_command("ACL", "SETUSER", "acme", "+dbsize")
        assert verdict(tmp_path, CACHE, "cache", **there)[0] == 1
        assert verdict(tmp_path, CACHE + ACCEPTED, "cache", **there)[0] == 0


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_jobs(database: Database, tmp_path: Path) -> None:
    schema = Path(procrastinate.__file__).with_name("sql") / "schema.sql"
    database.execute(schema.read_text())
    database.execute("CREATE ROLE acme LOGIN; CREATE ROLE globex LOGIN")
    database.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO acme, globex")
    database.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO acme, globex")
    there = {f"{n.upper()}_JOBS_URL": database.url(n) for n in ("acme", "globex")}
    there["JOBS_ADMIN_URL"] = database.url()
    code, found = verdict(tmp_path, JOBS, "jobs", **there)
    assert code == 1
    assert {"jobs-of-another", "jobs-changed", "jobs-forged"} <= found
    database.execute(blocks(PAGE, "sql")[0])
    assert verdict(tmp_path, JOBS, "jobs", **there) == (0, set())
    assert verdict(tmp_path, ENDPOINTS, "jobs")[0] == 3


def test_an_object_store(tmp_path: Path) -> None:
    with stored() as store:
        made = store.sound()
        store.enforce()
        names = {"acme": made.tenants["acme"].secret, "globex": made.tenants["globex"].secret}
        there = {"STORE_URL": store.url, "STORE_ADMIN_KEY": made.secret.access_key,
                 "STORE_ADMIN_SECRET": made.secret.secret_key}  # fmt: skip
        for name, secret in names.items():
            there[f"{name.upper()}_STORE_KEY"] = secret.access_key
            there[f"{name.upper()}_STORE_SECRET"] = secret.secret_key
        assert verdict(tmp_path, OBJECTS, "objects", **there) == (0, set())
