"""What a probe is told: every key, every refusal, and a file that the audit reads too."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from partywall.errors import ConfigurationError
from partywall.survey.configuration import Acceptance
from partywall.survey.configuration import load as load_audit
from partywall.survey.http.loading import KEYS, load
from partywall.survey.http.settings import ApiSettings, Credentials, LogIn
from tests.blocks import blocks

TWO = """
[tenants.acme]
headers = { Authorization = "Bearer a" }
[tenants.globex]
headers = { Authorization = "Bearer b" }
"""
LEAST = f"""
[api]
base = "http://127.0.0.1:8000"
openapi = "http://127.0.0.1:8000/openapi.json"
{TWO}"""

FULL = """
[api]
base = "https://api.example.test/v1/"
openapi = "openapi.yaml"
app = "invoices.app:app"
har = ["traffic.har"]
hosts = ["files.example.test:8443"]
rate = 2.5
deny = ["post /reset", "* /admin/*"]
follow_redirects = true
verify = false
hook = "probe_hook.py"
existence = "secret"
timeout_s = 3

[tenants.acme]
headers = { Authorization = "Bearer ${ACME_TOKEN}", X-Number = 7 }
cookies = { session = "s" }
own = { workspace_id = 12, name = "${ACME_TOKEN}" }
base = "http://acme.localhost:8000"
[tenants.acme.login]
request = { path = "/log-in", json = { email = "a@example.test", password = "${ACME_TOKEN}" } }
headers = { Authorization = "Bearer {access_token}" }
cookies = { s = "{session.id}" }
own = { workspace_id = "{user.workspace}" }

[tenants.globex.login]
request = { method = "put", path = "/log-in", form = { user = "g", pin = 1 } }

[stranger]
cookies = { session = "x" }

[[public]]
operation = "GET /countries"

[[exceptions]]
finding = "others-id"
at = "GET /notes/{note_id}"
because = "shared by design"
until = 2027-06-30
"""

BOTH = """
[database]
url = "postgresql://postgres:${SECRET_OF_THE_DATABASE}@127.0.0.1/app"
[model]
shared = ["public.countries"]
[model.tenant_columns]
"public.projects" = "org_id"
[survey]
attacker = "sql"
[control]
url = "postgresql://control@127.0.0.1/app"
[api]
base = "http://127.0.0.1:8000"
openapi = "http://127.0.0.1:8000/openapi.json"
[tenants.acme]
id = "1"
url = "postgresql://app:${SECRET_OF_THE_DATABASE}@127.0.0.1/app"
headers = { Authorization = "Bearer ${SECRET_OF_THE_API}" }
[tenants.globex]
id = "2"
url = "postgresql://app@127.0.0.1/app"
headers = { Authorization = "Bearer b" }
[tenants.only_the_api]
headers = { Authorization = "Bearer c" }
[tenants.only_the_database]
id = "3"
url = "postgresql://app@127.0.0.1/app"
[[public]]
operation = "GET /countries"
[[public]]
table = "public.products"
when = "published"
[[exceptions]]
finding = "read-rows"
at = "public.users"
because = "one"
[[exceptions]]
finding = "others-id"
at = "GET /users/{id}"
because = "two"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the files that a configuration names."""
    monkeypatch.chdir(tmp_path)
    for name in ("openapi.yaml", "traffic.har", "probe_hook.py"):
        (tmp_path / name).touch()
    for name in list(os.environ):
        if name.startswith("PARTYWALL_"):
            monkeypatch.delenv(name)
    return tmp_path


def written(folder: Path, text: str) -> None:
    (folder / "partywall.toml").write_text(text)


def test_every_key_arrives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "t0ken")
    written(folder, FULL)
    assert load() == ApiSettings(
        base="https://api.example.test/v1",
        openapi="openapi.yaml",
        app="invoices.app:app",
        har=(folder / "traffic.har",),
        hosts=("files.example.test:8443",),
        rate=2.5,
        deny=("POST /reset", "* /admin/*"),
        follow_redirects=True,
        verify=False,
        hook=folder / "probe_hook.py",
        existence="secret",
        timeout_s=3,
        tenants=(
            Credentials(
                "acme",
                {"Authorization": "Bearer t0ken", "X-Number": "7"},
                {"session": "s"},
                {"workspace_id": 12, "name": "t0ken"},
                "http://acme.localhost:8000",
                LogIn(
                    "POST",
                    "/log-in",
                    {"email": "a@example.test", "password": "t0ken"},
                    None,
                    {"Authorization": "Bearer {access_token}"},
                    {"s": "{session.id}"},
                    {"workspace_id": "{user.workspace}"},
                ),
            ),
            Credentials("globex", log_in=LogIn("PUT", "/log-in", form={"user": "g", "pin": "1"})),
        ),
        stranger=Credentials("stranger", cookies={"session": "x"}),
        public=("GET /countries",),
        exceptions=(
            Acceptance("others-id", "GET /notes/{note_id}", "shared by design", date(2027, 6, 30)),
        ),
    )


def test_every_setting_has_a_key_or_an_option() -> None:
    options = {"seed", "every_pair", "read_only", "timing", "journal"}
    tables = {"tenants", "stranger", "public", "exceptions"}
    assert {field.name for field in fields(ApiSettings)} == KEYS | options | tables


def test_the_command_line_goes_before_the_file(folder: Path) -> None:
    written(folder, LEAST + '[[public]]\noperation = "GET /x"\n')
    (folder / "other.json").touch()
    found = load(
        base="http://127.0.0.1:9/",
        openapi="other.json",
        app="a.b:c",
        deny=["DELETE /x"],
        rate=9,
        read_only=True,
        every_pair=True,
        seed=4,
        journal=Path("j"),
        timing=True,
    )
    assert (found.base, found.app, found.deny) == ("http://127.0.0.1:9", "a.b:c", ("DELETE /x",))
    assert found.openapi == "other.json"
    assert (found.rate, found.seed, found.journal) == (9, 4, Path("j"))
    assert found.read_only
    assert found.every_pair
    assert found.timing


def test_the_command_line_alone_needs_the_file_for_tenants_only(folder: Path) -> None:
    written(folder, TWO)
    found = load(base="http://127.0.0.1:1", openapi="http://127.0.0.1:1/openapi.json")
    assert [one.name for one in found.tenants] == ["acme", "globex"]
    assert load(app="m:app").base == ""


def test_paths_start_at_the_file_s_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, LEAST.replace("http://127.0.0.1:8000/openapi.json", "openapi.yaml"))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert load(Path("../partywall.toml")).openapi == "../openapi.yaml"


def test_a_description_may_be_a_path_of_the_api_or_a_file_s_full_path(folder: Path) -> None:
    written(folder, TWO)
    assert load(base="http://a", openapi="/openapi.json").openapi == "/openapi.json"
    file = str(folder / "openapi.yaml")
    assert load(base="http://a", openapi=file).openapi == "openapi.yaml"


def test_pyproject_holds_the_same(folder: Path) -> None:
    text = LEAST.replace("[api]", "[tool.partywall.api]").replace(
        "[tenants", "[tool.partywall.tenants"
    )
    (folder / "pyproject.toml").write_text(text)
    assert len(load().tenants) == 2


def test_one_file_for_audit_and_probe_and_neither_needs_the_other_s_secrets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, BOTH)
    monkeypatch.setenv("SECRET_OF_THE_API", "x")
    api = load()
    assert [one.name for one in api.tenants] == ["acme", "globex", "only_the_api"]
    assert api.public == ("GET /countries",)
    assert [one.because for one in api.exceptions] == ["two"]
    monkeypatch.delenv("SECRET_OF_THE_API")
    monkeypatch.setenv("SECRET_OF_THE_DATABASE", "y")
    database = load_audit()
    assert database.url == "postgresql://postgres:y@127.0.0.1/app"
    assert [one.name for one in database.tenants] == ["acme", "globex", "only_the_database"]
    assert [one.table for one in database.public] == ["public.products"]
    assert [one.because for one in database.exceptions] == ["one"]
    assert database.tables == {"public.projects": "org_id"}
    assert database.shared == ("public.countries",)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[api]", "[apis]", "unknown keys: apis"),
        ("base =", "bases =", r"unknown keys: bases \(did you mean base\?\); known are app, "),
        ("base = ", "# ", "no API to probe: give `partywall probe --base"),
        ("openapi = ", "# ", "nothing says which operations"),
        ("http://127.0.0.1:8000/openapi.json", "no.json", r"\[api\] openapi: there is no file"),
        ('http://127.0.0.1:8000"', '127.0.0.1:8000"', r"\[api\] base is no address"),
        ("[api]", '[api]\nhook = "no.py"', r"\[api\] hook: there is no file .*no\.py"),
        ("[api]", '[api]\nhar = ["no.har"]', r"\[api\] har: there is no file"),
        ("[api]", '[api]\nhar = "no.har"', r'needs har = \["…"\]'),
        ("[api]", '[api]\nrate = "fast"', "needs rate = a number"),
        ("[api]", "[api]\nrate = -1", "needs rate = a number, 0 or more"),
        ("[api]", "[api]\ntimeout_s = 0", "timeout_s is 0"),
        ("[api]", "[api]\nverify = 1", "needs verify = true or verify = false"),
        ("[api]", '[api]\nexistence = "maybe"', "it is one of auto, secret, told"),
        ("[api]", '[api]\napp = "app.py"', "MODULE:ATTR"),
        ("[api]", '[api]\nhosts = ["http://x/"]', "is no host"),
        ("[api]", '[api]\ndeny = ["DELETE/x"]', "'DELETE/x' names no operation"),
        ("[tenants.globex]\n", "[other]\n", "unknown keys: other"),
        ('"Bearer b"', '"Bearer a"', r"\[tenants.acme\] and \[tenants.globex\] have the same cred"),
        ('headers = { Authorization = "Bearer b" }', "", r"\[tenants.globex\] says nothing"),
        ('headers = { Authorization = "Bearer b" }', "own = { id = 1 }", "says nothing that"),
        ("[tenants.globex]", "[tenants.Acme]", "share environment variables"),
        ("[tenants.globex]", "[tenants.nobody]", "the name nobody for somebody else"),
        ("[tenants.globex]", "[tenants.globex]\nheader = 1", r"header \(did you mean headers\?\)"),
        ('"Bearer b"', '"Bearer ${NOT_SET}"', r"Authorization names the environment variable N"),
        ('"Bearer b"', "true", 'needs Authorization = "…"'),
        ("[api]", "[stranger]\nid = 1\n[api]", r"\[stranger\] has unknown keys: id"),
        ("[api]", '[stranger.headers]\nAuthorization = "Bearer b"\n[api]', r"\[stranger\] have"),
        ("[api]", "[stranger]\n[api]", r"\[stranger\] says nothing .*\[stranger.login\]"),
        ("[api]", '[[public]]\noperation = "/x"\n[api]', "names no operation"),
        ("[api]", '[[public]]\noperations = "/x"\n[api]', "unknown keys: operations"),
    ],
)  # fmt: skip
def test_what_can_t_work_is_named_with_its_mend(
    folder: Path, before: str, after: str, words: str
) -> None:
    assert before in LEAST
    written(folder, LEAST.replace(before, after, 1))
    with pytest.raises(ConfigurationError, match=words):
        load()


@pytest.mark.parametrize(
    ("log_in", "words"),
    [
        ("request = {}", r"\[tenants.globex.login.request\] needs path"),
        ('request = { path = "in" }', r"\[tenants.globex.login.request\] path must begin"),
        ('request = { path = "/", json = {}, form = {} }', "a request has one body"),
        ('request = { path = "/", body = "" }', "unknown keys: body"),
        ('requests = { path = "/" }', "unknown keys: requests"),
    ],
)
def test_a_log_in_that_can_t_work_is_named(folder: Path, log_in: str, words: str) -> None:
    written(folder, f"{LEAST}[tenants.globex.login]\n{log_in}\n")
    with pytest.raises(ConfigurationError, match=words):
        load()


def test_the_how_to_s_configuration_is_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACME_TOKEN", "GLOBEX_TOKEN", "ACME_PASSWORD"):
        monkeypatch.setenv(name, name)
    least, acme, touched = blocks("how-to/probe-an-api.md", "toml")
    written(folder, least)
    assert [one.name for one in load().tenants] == ["acme", "globex"]
    own = re.sub(r"\[tenants.acme\]\n.*\n", "", least)
    written(folder, own.replace("[api]\n", touched) + acme)
    found = load()
    assert found.tenants[1].log_in is not None
    assert found.tenants[1].own == {"workspace_id": "7f3c"}
    assert (found.rate, found.deny) == (50, ("POST /reset", "* /admin/*"))


def test_one_tenant_is_none(folder: Path) -> None:
    written(folder, LEAST.partition("[tenants.globex]")[0])
    with pytest.raises(ConfigurationError, match=r"only \[tenants.acme\] has credentials"):
        load()
    written(folder, LEAST.partition("[tenants.acme]")[0])
    with pytest.raises(ConfigurationError, match="no tenant has credentials"):
        load()


def test_a_hook_may_set_what_the_file_does_not_say(folder: Path) -> None:
    written(
        folder,
        '[api]\nbase = "http://a"\nopenapi = "openapi.yaml"\nhook = "probe_hook.py"\n'
        "[tenants.acme]\n[tenants.globex]\n",
    )
    assert [one.name for one in load().tenants] == ["acme", "globex"]


def test_tenants_told_by_their_address_have_no_other_credentials(folder: Path) -> None:
    written(
        folder,
        '[api]\nbase = "http://a"\nopenapi = "openapi.yaml"\n'
        '[tenants.acme]\nbase = "http://acme.a"\n[tenants.globex]\nbase = "http://globex.a"\n',
    )
    assert [one.base for one in load().tenants] == ["http://acme.a", "http://globex.a"]
