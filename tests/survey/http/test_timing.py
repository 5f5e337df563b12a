"""Times of answers: what one tenant's id takes longer is told, chance is not."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Annotated

import pytest
from fastapi import FastAPI, Header, HTTPException
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.probing import probe
from partywall.survey.http.settings import ApiSettings, Credentials
from partywall.survey.http.timing import SURE, mann_whitney
from tests.probe.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

TENANTS = tuple(
    Credentials(name, {"Authorization": f"Bearer {name}"}) for name in ("acme", "globex")
)

Caller = Annotated[str, Header(alias="Authorization")]


def secrets(slow_s: float) -> FastAPI:
    """Secrets; it takes *slow_s* to see that one is another tenant's."""
    app = FastAPI()
    rows: dict[int, tuple[str, str]] = {}

    @app.post("/secrets", status_code=201)
    def keep(new: dict[str, str], caller: Caller) -> dict[str, int]:
        rows[len(rows) + 1000] = caller, json.dumps(new)
        return {"id": len(rows) + 999}

    @app.get("/secrets/{secret_id}")
    def tell(secret_id: int, caller: Caller) -> dict[str, str]:
        owner, text = rows.get(secret_id, ("", ""))
        if owner and owner != caller:
            time.sleep(slow_s)
        if owner != caller:
            raise HTTPException(404)
        return {"text": text}

    return app


@pytest.mark.parametrize(("slow_s", "told"), [(0.02, ["GET /secrets/{secret_id}"]), (0.0, [])])
def test_what_takes_longer_is_told(slow_s: float, told: list[str], tmp_path: Path) -> None:
    app = secrets(slow_s)
    (tmp_path / "openapi.json").write_text(json.dumps(app.openapi()))
    with serving(app) as port:
        settings = ApiSettings(
            base=f"http://127.0.0.1:{port}",
            openapi=str(tmp_path / "openapi.json"),
            tenants=TENANTS,
            existence="secret",
            timing=True,
            seed=3,
        )
        report = probe(settings)
    assert [one.at for one in report.findings if one.name == "time-told"] == told


def test_without_being_asked_nothing_is_timed(tmp_path: Path) -> None:
    app = secrets(0.02)
    (tmp_path / "openapi.json").write_text(json.dumps(app.openapi()))
    with serving(app) as port:
        base = f"http://127.0.0.1:{port}"
        description = str(tmp_path / "openapi.json")
        report = probe(ApiSettings(base=base, openapi=description, tenants=TENANTS, seed=3))
    assert report.verdict == "held"


def test_a_shift_is_seen_and_its_direction() -> None:
    chance, sign = mann_whitney([2.0 + n / 100 for n in range(60)], [n / 100 for n in range(60)])
    assert (chance < SURE, sign) == (True, 1)


@given(st.integers())
def test_the_same_noise_is_no_difference(seed: int) -> None:
    noise = random.Random(seed)  # noqa: S311 - noise, no secret
    one, other = ([noise.gauss(1, 0.2) for _ in range(60)] for _ in range(2))
    assert mann_whitney(one, other)[0] > SURE
