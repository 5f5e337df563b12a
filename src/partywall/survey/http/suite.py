"""The probe as part of a project's own tests: what the pytest plugin does once it is asked."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from partywall.errors import ConfigurationError
from partywall.survey.http import hooks, knowing, loading, outcomes, serving
from partywall.survey.http.actors import Actor
from partywall.survey.http.asking import asking
from partywall.survey.http.engine import matches
from partywall.survey.http.operations import Operation
from partywall.survey.http.order import dangerous
from partywall.survey.http.probing import probe
from partywall.survey.http.settings import ApiSettings, Credentials
from partywall.survey.http.signing_in import sign_in
from partywall.survey.http.trust import trust
from partywall.survey.http.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.http.report import HttpReport

FILES = ("partywall.toml", "pyproject.toml")
GIVEN = frozenset(one.name for one in fields(Credentials)) - {"name"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of the application, signed in.

    Attributes:
        own: values of its own, by name of parameter.
        client: asks the application as this tenant.
    """

    name: str
    own: Mapping[str, Any]
    client: httpx.Client


@dataclass(frozen=True, slots=True)
class Place:
    """One operation of the API, before the probe has run.

    Attributes:
        left_out: why it is not attacked; "" where it is.
    """

    at: str
    left_out: str = ""


def configured(folder: Path) -> ApiSettings:
    """What ``partywall.toml``, or else ``[tool.partywall]``, of *folder* says of the API.

    What is missing there may still come from fixtures.

    Raises:
        ConfigurationError: something is unknown or of a wrong kind; the message names the place.
    """
    found = next((folder / name for name in FILES if (folder / name).is_file()), None)
    return loading.load(found, complete=False) if found else ApiSettings()


def places(settings: ApiSettings, app: object) -> list[Place]:
    """The operations, in the order of the description.

    Raises:
        ConfigurationError: nothing says them.
    """
    hooked = hooks.load(settings.hook)
    made = serving.loaded(app) if app else None
    asked = settings.openapi.startswith("/") and not Path(settings.openapi).exists()
    with based(settings, made if asked else None) as base:
        known = knowing.api(settings, made, base=base)
    if not known.operations:
        raise ConfigurationError(
            "nothing says which operations the API has: write one of `openapi`, `app` and `har` "
            "in [api], or override the fixture partywall_app"
        )
    return [Place(one.at, _left_out(one, settings, hooked)) for one in known.operations]


def _left_out(operation: Operation, settings: ApiSettings, hooked: hooks.Hooks) -> str:
    """Why it is not attacked; "" where it is."""
    for one in settings.deny:
        if matches(one, operation):
            return f'[api] deny has "{one}"'
    if dangerous(operation):
        return "its name says that it ends sessions, changes credentials, or wipes a store"
    return f"{hooked.where} ignores it" if hooked.ignores(operation) else ""


@contextmanager
def based(settings: ApiSettings, app: object) -> Iterator[str]:
    """The address to ask: ``[api] base``, else *app*'s, served within the block."""
    if settings.base or not app:
        yield settings.base
        return
    with serving.served(serving.loaded(app)) as base:
        yield base


def told(given: Mapping[str, Any] | Sequence[Credentials]) -> tuple[Credentials, ...]:
    """Credentials as a fixture gives them: whole, or name -> headers, cookies, own, base, log_in.

    Raises:
        ConfigurationError: a tenant is told by something else.
    """
    pairs = given.items() if hasattr(given, "items") else [(one.name, one) for one in given]
    found = []
    for name, one in pairs:
        if isinstance(one, Credentials):
            found.append(one)
        elif isinstance(one, dict) and not set(one) - GIVEN:
            found.append(Credentials(name, **one))
        else:
            raise ConfigurationError(
                f"the tenant {name} must be a dict with some of {', '.join(sorted(GIVEN))}"
            )
    return tuple(found)


def probed(
    settings: ApiSettings, app: object, base: str, tenants: tuple[Credentials, ...]
) -> HttpReport:
    """The report of a probe of what is served at *base*.

    Raises:
        ConfigurationError: something that a probe needs is missing.
    """
    known: Any = app or settings.app  # an application is taken where its name is
    whole = replace(settings, app=known, base=base, tenants=tenants)
    loading.vet(whole)
    return probe(whole)


@contextmanager
def signed_in(
    settings: ApiSettings, base: str, tenants: tuple[Credentials, ...]
) -> Iterator[dict[str, Tenant]]:
    """Each tenant with a client of its own; the clients are closed with the block."""
    actors = asyncio.run(_entered(settings, base, tenants))
    with ExitStack() as closing:
        yield {
            one.name: Tenant(
                one.name,
                one.own,
                closing.enter_context(
                    httpx.Client(
                        base_url=one.base or base,
                        headers=one.headers,
                        cookies=one.cookies,
                        timeout=settings.timeout_s,
                        verify=trust(verify=settings.verify),
                        trust_env=False,
                    )
                ),
            )
            for one in actors
        }


async def _entered(
    settings: ApiSettings, base: str, tenants: tuple[Credentials, ...]
) -> list[Actor]:
    hooked = hooks.load(settings.hook)
    found = []
    async with Wire(base, hosts=settings.hosts, verify=settings.verify) as wire:
        for one in tenants:
            actor = Actor(one.name, dict(one.headers), dict(one.cookies), dict(one.own), one.base)
            if one.log_in:
                await sign_in(actor, one.log_in, wire)
            await hooked.sign_in(actor, asking(wire, actor))
            found.append(actor)
    return found


def assert_isolated(
    target: object,
    tenants: Mapping[str, Any] | Sequence[Credentials],
    *,
    openapi: str = "",
    undecided: bool = False,
    **options: Any,  # noqa: ANN401 - fields of ApiSettings
) -> HttpReport:
    """Probe *target* once, and fail unless no tenant reaches another; `partywall.pytest_plugin`."""
    settings = replace(ApiSettings(), openapi=openapi, **options)
    app = None if isinstance(target, str) and "://" in target else target
    if app is None:
        settings = replace(settings, base=str(target).rstrip("/"))
    with based(settings, app) as base:
        report = probed(settings, app, base, told(tenants))
    hooked = hooks.load(settings.hook)
    decided = {one.at for one in report.undecided if _left_out(_named(one.at), settings, hooked)}
    said = outcomes.whole(report, decided)
    if report.findings or (said and not undecided):
        raise AssertionError(f"{'breached' if report.findings else 'undecided'}\n\n{said}")
    return report


def _named(at: str) -> Operation:
    method, _, path = at.partition(" ")
    return Operation(method, path)
