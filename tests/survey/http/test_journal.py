"""A probe that was stopped goes on where it was; what locked a tenant out is named and left out."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import FastAPI, Header, HTTPException, Request

from partywall.errors import ConfigurationError
from partywall.survey.http.probing import probe
from partywall.survey.http.settings import ApiSettings, Credentials
from partywall.survey.http.watching import Watch
from tests.probe.serving import serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.responses import Response

    from partywall.survey.http.report import Tried

TENANTS = tuple(
    Credentials(name, {"Authorization": f"Bearer {name}"}) for name in ("acme", "globex")
)
Caller = Annotated[str, Header(alias="Authorization")]


class Lists:
    """Two lists; it counts what it is asked. `rotate` ends the caller's token."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.rows: dict[int, tuple[str, str, dict[str, str]]] = {}
        self.ended: set[str] = set()
        self.app = FastAPI()
        self.app.middleware("http")(self.counted)
        for kind in ("books", "films"):
            self.furnish(kind)
        self.app.post("/keys/rotate", status_code=204)(self.rotate)

    async def counted(
        self, request: Request, go_on: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        self.asked[f"{request.method} {request.url.path.split('/')[1]}"] += 1
        return await go_on(request)

    def vetted(self, caller: str) -> None:
        if caller in self.ended or caller not in {"Bearer acme", "Bearer globex"}:
            raise HTTPException(401)

    async def rotate(self, caller: Caller) -> None:
        self.vetted(caller)
        self.ended.add(caller)

    def furnish(self, kind: str) -> None:
        @self.app.post(f"/{kind}", status_code=201)
        async def make(new: dict[str, str], caller: Caller = "") -> dict[str, Any]:
            self.vetted(caller)
            self.rows[key := max(self.rows, default=100) + 1] = caller, kind, new
            return {"id": key, **new}

        @self.app.get(f"/{kind}")
        async def every(caller: Caller = "") -> list[dict[str, Any]]:
            self.vetted(caller)
            mine = [
                (key, row)
                for key, (owner, of, row) in self.rows.items()
                if owner == caller and of == kind
            ]
            return [{"id": key, **row} for key, row in mine]

        @self.app.get(f"/{kind}/{{id_}}")
        async def one(id_: int, caller: Caller = "") -> dict[str, Any]:
            self.vetted(caller)
            owner, of, row = self.rows.get(id_, ("", "", {}))
            if (owner, of) != (caller, kind):
                raise HTTPException(404)
            return {"id": id_, **row}

        @self.app.delete(f"/{kind}/{{id_}}", status_code=204)
        async def remove(id_: int, caller: Caller = "") -> None:
            await one(id_, caller)
            del self.rows[id_]


class Stopping(Watch):
    """Stops the run, as a person would, once an operation is reached."""

    def __init__(self, at: str) -> None:
        self._at = at

    def judged(self, tried: Tried) -> None:
        if tried.at == self._at:
            raise KeyboardInterrupt


def settings(port: int, folder: Path, **more: Any) -> ApiSettings:  # noqa: ANN401 - its fields
    description = folder / "openapi.json"
    return ApiSettings(
        base=f"http://127.0.0.1:{port}", openapi=str(description), tenants=TENANTS, **more
    )


def described(lists: Lists, folder: Path) -> None:
    (folder / "openapi.json").write_text(json.dumps(lists.app.openapi()))


def test_a_stopped_run_goes_on_and_leaves_nothing(tmp_path: Path) -> None:
    lists, journal = Lists(), tmp_path / "journal"
    described(lists, tmp_path)
    with serving(lists.app) as port:
        asked = settings(port, tmp_path, journal=journal, deny=("POST /keys/rotate",))
        with pytest.raises(KeyboardInterrupt):
            probe(asked, Stopping("DELETE /books/{id_}"))
        assert lists.rows == {}
        done = [json.loads(line) for line in journal.read_text().splitlines()]
        reads = [one["done"][0] for one in done if "done" in one]
        assert "GET /books/{id_}" in reads
        report = probe(asked)
        assert report.verdict == "held"
        assert lists.rows == {}
    tried = {(one.at, one.attacker) for one in report.tried}
    assert {("GET /books/{id_}", name) for name in ("acme", "globex")} <= tried
    assert report.seed == done[0]["seed"]


def test_what_locks_a_tenant_out_is_named_and_left_out_by_the_next_run(tmp_path: Path) -> None:
    lists, journal = Lists(), tmp_path / "journal"
    described(lists, tmp_path)
    with serving(lists.app) as port:
        asked = settings(port, tmp_path, journal=journal)
        first = probe(asked)
        assert first.killers == ("POST /keys/rotate",)
        assert first.verdict == "undecided"
        assert any('deny = ["POST /keys/rotate"]' in one.because for one in first.undecided)
        lists.ended.clear()
        second = probe(asked)
    assert second.killers == ()
    assert second.verdict == "held"
    assert any("POST /keys/rotate" in said for said in second.left)


def test_when_the_time_is_up_the_rest_is_undecided(tmp_path: Path) -> None:
    lists = Lists()
    described(lists, tmp_path)
    with serving(lists.app) as port:
        report = probe(settings(port, tmp_path, time_limit_s=0.001))
    assert report.verdict == "undecided"
    assert {one.at for one in report.undecided} >= {"GET /books", "DELETE /films/{id_}"}
    assert all("time_limit_s" in one.because for one in report.undecided)
    assert lists.rows == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [('["no", "journal"]\n', "is no journal"), ('{"target": "http://127.0.0.1:1"}\n', "another")],
)
def test_a_file_that_is_another_ones_is_refused(text: str, words: str, tmp_path: Path) -> None:
    lists, journal = Lists(), tmp_path / "journal"
    described(lists, tmp_path)
    journal.write_text(text)
    with serving(lists.app) as port, pytest.raises(ConfigurationError, match=words):
        probe(settings(port, tmp_path, journal=journal))
