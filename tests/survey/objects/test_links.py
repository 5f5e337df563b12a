"""An application that signs links to files itself, by a line of the example."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Annotated, TypeAlias

import httpx
import pytest
from fastapi import FastAPI, Header, HTTPException

from partywall.survey.driven import Driven, Made
from partywall.survey.explaining.docstrings import parts
from partywall.survey.objects.attacks import THROUGH, named
from partywall.survey.objects.links import spellings
from partywall.survey.objects.settings import ObjectsSettings, Secret
from partywall.survey.objects.through import linked

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from partywall.survey.layers import LayerReport

[ATTACK] = named(THROUGH)
Tenant: TypeAlias = Annotated[str, Header()]
SOUND, LEAKY = (parts(ATTACK.doc)[2][name].splitlines()[0] for name in ("Holds", "Breaches"))
BASE = "http://files"


def application(made: str, *, host: str = BASE, kept: str = "file-of-{}") -> FastAPI:
    """Files; *made* says what a link's signature covers, *host* where it leads."""
    app = FastAPI()
    files: dict[str, str] = {}

    def signature(method: str, path: str, expires: str) -> str:
        names = {"method": method, "path": path, "expires": expires}
        exec(made, names)  # noqa: S102 - an example of ours
        return hmac.digest(b"key", str(names["signed"]).encode(), "sha256").hex()

    @app.post("/files")
    def upload(tenant: Tenant) -> dict[str, str]:
        name = f"{tenant}-{len(files)}"
        files[name] = kept.format(tenant)
        return {"id": name}

    @app.get("/files/{name}/link")
    def link(name: str) -> dict[str, str]:
        path = f"/raw/{name}"
        query = f"expires=4102444800&signature={signature('GET', path, '4102444800')}"
        return {"url": f"{host}{path}?{query}"}

    def checked(method: str, name: str, expires: str, given: str) -> None:
        if not hmac.compare_digest(given, signature(method, f"/raw/{name}", expires)):
            raise HTTPException(403)

    @app.get("/raw/{name}")
    def read(name: str, expires: str = "", signature: str = "") -> str:
        checked("GET", name, expires, signature)
        return files[name]

    @app.put("/raw/{name}")
    def write(name: str, expires: str = "", signature: str = "") -> None:
        checked("PUT", name, expires, signature)
        files[name] = "another"

    @app.delete("/raw/{name}")
    def remove(name: str, expires: str = "", signature: str = "") -> None:
        checked("DELETE", name, expires, signature)
        files[name] = ""

    return app


class Driver:
    """Two tenants over HTTP."""

    tenants = ("acme", "globex")

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    def marks(self, tenant: str, text: str) -> Collection[str]:
        return [one for one in (f"file-of-{tenant}",) if one in text]

    async def drive(self, tenant: str) -> Sequence[Driven]:
        return [await self.send(tenant, "POST", "/files")]

    async def send(self, tenant: str, method: str, path: str, json: object = None) -> Driven:
        answer = await self._client.request(method, path, json=json, headers={"tenant": tenant})
        return Driven(f"curl {path}", answer.status_code, answer.text, dict(answer.headers))

    async def make(self, tenant: str, operation: str) -> Made | None:
        driven = await self.send(tenant, *operation.split(" "))
        return Made(driven.text.split('"')[3], driven)

    async def accepted(self) -> Sequence[tuple[str, str]]:
        return []


def report(made: str, **how: str) -> LayerReport:
    async def run() -> LayerReport:
        transport = httpx.ASGITransport(application(made, **how))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            settings = ObjectsSettings(
                "", "", Secret(), {}, make="POST /files", link="GET /files/{id}/link"
            )
            return await linked(settings, Driver(client), BASE, client)

    return asyncio.run(run())


def test_a_signature_that_does_not_cover_the_key_opens_every_file() -> None:
    found = report(LEAKY)
    because = " ".join(one.because for one in found.findings)
    assert "the attacker's signature with the victim's key" in because
    assert "DELETE of a link to read" in because
    assert {one.attacker for one in found.findings} == {"acme", "globex"}
    assert not any("signature=" in s.request for one in found.findings for s in one.witness)


def test_a_signature_that_covers_all_holds() -> None:
    found = report(SOUND)
    assert (found.findings, found.undecided) == ((), ())
    assert found.verdict == "held"


def test_an_end_outside_of_the_signature_can_be_put_off() -> None:
    found = report('signed = f"{method} {path}"')
    assert {one.because.partition(" answered to ")[2] for one in found.findings} == {
        "a later end under the same signature"
    }


def test_a_file_that_needs_no_signature_is_found() -> None:
    app_made = 'signed = ""'
    found = report(app_made)
    assert found.verdict == "breached"


def test_what_one_method_did_is_not_laid_to_another() -> None:
    found = report('signed = f"{path} {expires}" if method != "DELETE" else "nothing"')
    because = {one.because for one in found.findings if one.attacker == "acme"}
    assert because == {"globex's file was gone or changed after PUT of a link to read"}
    [one] = (one for one in found.findings if one.attacker == "acme")
    assert [step.actor for step in one.witness] == ["globex", "acme", "globex"]


def test_links_that_show_nothing_of_their_owner_prove_nothing() -> None:
    found = report(LEAKY, kept="a picture")
    assert found.findings == ()
    assert found.verdict == "undecided"


def test_no_link_is_followed_to_a_host_that_is_not_declared() -> None:
    found = report(SOUND, host="http://elsewhere")
    assert found.tried == ()
    assert found.undecided
    assert all('[api] hosts = ["elsewhere:80"]' in one.because for one in found.undecided)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://s3/b/k?X-Amz-Expires=60&X-Amz-Signature=0123456789abcdef0", 4),
        ("https://cdn/k", 1),
    ],
)
def test_every_part_of_a_link_is_bent(link: str, words: int) -> None:
    assert len(list(spellings(link, link))) == words
