"""A small application on a real server, to leak or to hold, and one attack that surveys it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, PublicRows, TenantSettings

if TYPE_CHECKING:
    from partywall.survey.attack import Level, Place
    from partywall.survey.verdict import Report
    from tests.conftest import Database

CONTEXT = "current_setting('lab.tenant', true)::int"
APPLICATION = f"""
CREATE ROLE lab_owner NOLOGIN;
CREATE ROLE lab_app LOGIN;
CREATE TABLE public.invoices (
  tenant int NOT NULL,
  id bigint NOT NULL,
  number text NOT NULL,
  note text,
  quantity int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant, id)
);
ALTER TABLE public.invoices OWNER TO lab_owner;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON public.invoices USING (tenant = (SELECT {CONTEXT}));
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO lab_app;
INSERT INTO public.invoices VALUES
  (101, 1, 'A-number', 'A-note', 3), (202, 2, 'B-number', 'B-note which is longer', 5);
"""
"""One table behind row security, whose rows no attack reaches."""

PLACES = pytest.mark.parametrize("place", ["copy", "target"])


@dataclass(frozen=True, slots=True)
class Lab:
    """The application's database, tenants 101 and 202 of which share a login unless told else."""

    database: Database

    def survey(
        self,
        attack: str,
        *,
        place: Place = "copy",
        attacker: Level = "query",
        logins: tuple[str, str] = ("lab_app", "lab_app"),
        enter: str = "SELECT set_config('lab.tenant', '{}', false)",
        public: tuple[PublicRows, ...] = (),
    ) -> Report:
        """Survey by this attack alone."""
        tenants = tuple(
            TenantSettings(name, number, self.database.url(login), (enter.format(number),))
            for name, number, login in zip(("acme", "globex"), ("101", "202"), logins, strict=True)
        )
        nobody = TenantSettings("anonymous", "", self.database.url(logins[0]))
        url = self.database.url()
        configuration = Configuration(url, attacker, tenants, nobody, public=public)
        return audit(configuration, place=place, only=frozenset({attack}))


def breaches(report: Report) -> set[tuple[str, str]]:
    """Surface and effect of every finding."""
    return {(finding.at, finding.effect) for finding in report.findings}


def proved(report: Report) -> bool:
    """Whether nothing was found, and controls showed that it would have been."""
    controls = report.controls
    return report.verdict == "held" and controls["proved"] > 0 and not controls["failed"]


def said(report: Report) -> str:
    """All that the witnesses of the findings show."""
    return "\n".join(
        f"{step.actor}: {step.sql} -> {step.returned}"
        for finding in report.findings
        for step in finding.witness
    )
