"""The examples of the pages, loaded and attacked: those that go together in one database."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.attack import LEVELS
from partywall.survey.configuration import Configuration, TenantSettings
from partywall.survey.explaining.applications import ONE_LOGIN, Application
from partywall.survey.explaining.pages import Page, pages

if TYPE_CHECKING:
    from partywall.servers import Postgres
    from partywall.survey.attack import Level

TENANTS = ("acme", "globex")
ALONE = re.compile(
    r"CREATE ROLE|ALTER ROLE|CREATE SCHEMA|SCHEMA public|^GRANT \w+ TO|^-- ", re.MULTILINE
)
"""What opens more than the schema `shop`: such an example has a database of its own."""
AMONG_FEW = {"call-functions", "join-tenant", "side-effects"}
"""Attacks that look for what was reached in the first tables, or take ids of the first."""
ATTACKS = tuple(page for page in pages() if page.kind == "attack")
SHELL = re.compile(r"\bshop\b")


@dataclass(frozen=True)
class Lot:
    """Examples that stand in one database, each in a schema of its own where there are more."""

    application: Application
    pages: tuple[Page, ...]
    leaky: bool

    @property
    def level(self) -> Level:
        """The attacker that all its attacks need."""
        needed = [page.level or "query" for page in self.pages]
        return max(["sql", *needed], key=LEVELS.index)

    def schema(self, page: Page) -> str:
        """Where the example of *page* stands."""
        return f"shop_{page.code.lower()}" if len(self.pages) > 1 else "shop"

    @property
    def script(self) -> str:
        """All of it; of several, the roles once."""
        found: list[str] = []
        roles: set[str] = set()
        for page in self.pages:
            [example] = page.breaches if self.leaky else page.holds
            text = f"{self.application.script}\n{example.text}\n"
            lines = [line for line in text.splitlines() if line not in roles]
            roles |= {line for line in lines if line.startswith("CREATE ROLE ")}
            text = "\n".join(lines)
            found.append(SHELL.sub(self.schema(page), text) if len(self.pages) > 1 else text)
        return "\n".join(found)

    def configuration(self, server: Postgres, database: str) -> Configuration:
        """How its application is entered."""
        tenants = []
        for tenant, person, login in zip(
            TENANTS, ("ann", "bob"), self.application.logins, strict=True
        ):
            enter = self.application.enter.format(tenant=tenant, person=person)
            place = tenant if self.application.apart else database
            url = server.url(place, login)
            tenants.append(TenantSettings(tenant, tenant, url, (enter,) if enter else ()))
        nobody = TenantSettings("anonymous", "", tenants[0].url)
        return Configuration(server.url(database), self.level, tuple(tenants), nobody)


def lots(*, leaky: bool) -> list[Lot]:
    """Every example of an attack, once."""
    together, alone = defaultdict[str, list[Page]](list), []
    for page in ATTACKS:
        [example] = page.breaches if leaky else page.holds
        assert example.application is not None
        apart = page.name in AMONG_FEW or example.application is not ONE_LOGIN
        if apart or (leaky and ALONE.search(example.text)):
            alone.append(Lot(example.application, (page,), leaky))
        else:
            together[example.application.name].append(page)
    return [*(Lot(ONE_LOGIN, tuple(many), leaky) for many in together.values()), *alone]
