"""How the examples on the pages of attacks on a pool are run."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from partywall.servers.pgbouncer import pgbouncer
from partywall.survey.configuration import TenantSettings
from partywall.survey.explaining.applications import ONE_LOGIN
from partywall.survey.layers import LayerReport, Watch
from partywall.survey.pool.settings import PoolSettings
from partywall.survey.pool.surveying import survey
from partywall.survey.whole import load
from partywall.survey.whole import survey as survey_all
from tests.probe.serving import serving
from tests.survey.pool.naive import naive_pool
from tests.survey.pool.shop import TABLE, TENANTS, shop

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from partywall.survey.explaining.pages import Example
    from tests.conftest import Database

LOCAL = "SELECT set_config('app.tenant', '{tenant}', true)"
ROWS = "INSERT INTO shop.invoices VALUES ('acme', 1, 'a', 'draft'), ('globex', 1, 'b', 'draft')"
DECLARED = """
[api]
base = "http://127.0.0.1:{port}"
openapi = "/openapi.json"
[pool]
at_once = 8
patience_s = 1
"""
TENANT = '[tenants.{name}]\nheaders = {{ Authorization = "{token}" }}\n'

ran: dict[str, LayerReport] = {}
"""What was said of which pool or application: many pages show the same."""


def of_pool(example: Example, database: Database, folder: Path) -> Collection[str]:
    """Settings of a PgBouncer, and perhaps how tenants enter; or an application of `shop`."""
    if example.case:
        fault = example.case.partition(": ")[2].replace("sound", "")
        report = stormed(database, folder, fault)
    else:
        if example.text not in ran:
            ran[example.text] = pooled(database, pairs(example.text))
        report = ran[example.text]
    assert report.findings or report.verdict == "held", report.undecided
    return frozenset(one.name for one in report.findings)


def pairs(text: str) -> dict[str, str]:
    """``key = value``, one a line."""
    found = (re.split(r" =\s*", line, maxsplit=1) for line in text.splitlines())
    return {key: value for key, value in found}  # noqa: C416 - of lists


def pooled(database: Database, told: dict[str, str]) -> LayerReport:
    """The sessions of a pool as *told*, before the application of one login."""
    database.execute(ONE_LOGIN.script)
    database.execute(f"CREATE ROLE clerk; GRANT clerk TO app; {ROWS}")
    enter = told.pop("enter", LOCAL)
    with behind(database, told) as url:
        a, b = (
            TenantSettings(name, name, url, (enter.format(tenant=name),))
            for name in ("acme", "globex")
        )
        nobody = TenantSettings("anonymous", "", url)
        settings = PoolSettings(url, 2, wait_s=1, tenants=(a, b), anonymous=nobody)
        return survey(settings, Watch())


@contextmanager
def behind(database: Database, told: Mapping[str, str]) -> Iterator[str]:
    """The address of the application's login at a pool."""
    if "pool" in told:
        with naive_pool(database.server.port) as port:
            yield f"postgresql://app@127.0.0.1:{port}/{database.name}"
        return
    with pgbouncer(database.server, {"default_pool_size": "2", **told}) as bouncer:
        yield bouncer.url(database.name, "app")


def stormed(database: Database, folder: Path, fault: str = "") -> LayerReport:
    """What the layer says of the shop with a fault, through its API; it is stormed once."""
    if fault in ran:
        return ran[fault]
    database.execute(TABLE)
    tenants = "".join(TENANT.format(name=name, token=token) for token, name in TENANTS.items())
    with serving(shop(database.url(), fault)) as port:
        file = folder / "partywall.toml"
        file.write_text(DECLARED.format(port=port) + tenants)
        report = survey_all(load(file, only=["pool"]))
    assert list(report.layers) == ["pool"]
    assert database.rows("SELECT count(*) FROM note") == [(0,)] or fault.startswith("lost")
    said = report.layers["pool"]
    assert isinstance(said, LayerReport)
    ran[fault] = said
    return said
