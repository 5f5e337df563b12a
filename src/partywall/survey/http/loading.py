"""Read what a probe is told from the file that the audit reads too, and from the command line."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from partywall.errors import ConfigurationError
from partywall.survey.configuration import (
    API_KEYS,
    LAYER_KEYS,
    LOGIN_KEYS,
    OPERATION,
    OPERATION_KEYS,
    ROWS_KEYS,
    exceptions,
    known,
    layer_of,
    only_for,
)
from partywall.survey.declared import Table
from partywall.survey.http.hiding import variable
from partywall.survey.http.settings import ApiSettings, Credentials, Existence
from partywall.survey.http.tenants import address, credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = frozenset(
    {
        "base", "openapi", "app", "har", "hosts", "rate", "deny", "follow_redirects", "verify",
        "hook", "existence", "timeout_s", "time_limit_s", "websockets", "socketio_events",
    }
)  # fmt: skip
DENIED = re.compile(r"(\*|[A-Za-z]+) [/*]\S*")
MODULE = re.compile(r"[\w.]+:[\w.]+")


def load(  # noqa: PLR0913 - each is an option of the command
    path: Path | None = None,
    *,
    base: str = "",
    openapi: str = "",
    app: str = "",
    deny: Sequence[str] = (),
    rate: float | None = None,
    read_only: bool = False,
    every_pair: bool = False,
    seed: int | None = None,
    journal: Path | None = None,
    timing: bool = False,
    complete: bool = True,
) -> ApiSettings:
    """Read ``[api]`` and the tenants; what is given here goes before what the file says.

    The file is looked for, and its values are expanded, as `partywall.survey.configuration.load`
    does. What only the audit reads is left alone, its environment variables too. Relative paths
    start at the file's folder, those given here at the working folder. Where more comes from
    elsewhere, *complete* is no, and `vet` judges the whole.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    whole = known(path)
    api = whole.table("api").only(KEYS)
    here = Path.cwd()
    settings = ApiSettings(
        base=address(base, "--base") or address(api.text("base", ""), "[api] base"),
        openapi=_description(openapi, Table({}, "--openapi", here))
        or _description(api.text("openapi", ""), api),
        app=_module(app, "--app") or _module(api.text("app", ""), "[api] app"),
        har=tuple(api.file(one, "har") for one in api.texts("har")),
        hosts=tuple(_host(one) for one in api.texts("hosts")),
        websockets=tuple(_socket(one) for one in api.texts("websockets")),
        socketio_events=_events(api),
        rate=api.number("rate", 0) if rate is None else rate,
        deny=tuple(_denied(one) for one in (*api.texts("deny"), *deny)),
        follow_redirects=api.flag("follow_redirects"),
        verify=api.flag("verify", default=True),
        hook=api.path("hook"),
        existence=_existence(api.text("existence", "auto")),
        timeout_s=api.number("timeout_s", 10),
        time_limit_s=api.number("time_limit_s", 720),
        tenants=tuple(
            credentials(name, entry)
            for name, entry in whole.named("tenants").items()
            if not only_for(LOGIN_KEYS | LAYER_KEYS, API_KEYS, entry)
        ),
        stranger=credentials("stranger", whole.table("stranger"))
        if "stranger" in whole.values
        else None,
        public=tuple(
            _operation(entry.text("operation"))
            for entry in whole.tables("public")
            if not only_for(ROWS_KEYS, OPERATION_KEYS, entry)
        ),
        exceptions=tuple(one for one in exceptions(whole) if layer_of(one.at) == "api"),
        seed=seed or 0,
        every_pair=every_pair,
        read_only=read_only,
        timing=timing,
        journal=journal,
    )
    if complete:
        vet(settings)
    return settings


def vet(settings: ApiSettings) -> None:
    """Refuse what can't lead to a verdict.

    Raises:
        ConfigurationError: no address, no operations, or no two tenants to tell apart.
    """
    if not settings.base and not settings.app:
        raise ConfigurationError(
            "no API to probe: give `partywall probe --base http://…`, or write "
            '`[api] base = "http://…"` in partywall.toml; or --app MODULE:ATTR, which is served '
            "for the run"
        )
    if not (settings.openapi or settings.app or settings.har):
        raise ConfigurationError(
            "nothing says which operations the API has: give --openapi (a URL or a file), or "
            "--app MODULE:ATTR, or write one of `openapi`, `app` and `har` in [api]"
        )
    if len(settings.tenants) < 2:  # noqa: PLR2004 - that is what a tenant's wall stands between
        found = f"only [tenants.{settings.tenants[0].name}]" if settings.tenants else "no tenant"
        raise ConfigurationError(
            f"{found} has credentials in the configuration: a probe needs two to hold apart; each "
            'is a table, as in [tenants.acme], with headers = { Authorization = "Bearer …" }, '
            "cookies, or [tenants.acme.login]"
        )
    if not settings.timeout_s:
        raise ConfigurationError("[api] timeout_s is 0: nothing answers in no time")
    _apart(settings)


def _apart(settings: ApiSettings) -> None:
    """Refuse tenants that the API, or a report, could take for each other."""
    seen: dict[str, Credentials] = {}
    everybody = (*settings.tenants, *filter(None, [settings.stranger]))
    for one in everybody:
        where = f"[{one.name}]" if one is settings.stranger else f"[tenants.{one.name}]"
        if not (one.headers or one.cookies or one.log_in or one.base or settings.hook):
            raise ConfigurationError(
                f"{where} says nothing that the API would know it by: give headers, cookies, "
                f"{where[:-1]}.login], its own base, or a hook that sets them"
            )
        for other in seen.values():
            if shown(one) == shown(other) and not settings.hook:
                raise ConfigurationError(
                    f"[tenants.{other.name}] and {where} have the same credentials: to the API "
                    "they are one; give each its own"
                )
        if clash := seen.get(variable(one.name)):
            raise ConfigurationError(
                f"[tenants.{clash.name}] and {where} would share environment variables in a "
                "report: give them names that differ in more than case and punctuation"
            )
        seen[variable(one.name)] = one


def shown(one: Credentials) -> Credentials:
    """What the API sees of a tenant, so that two can be compared."""
    return replace(one, name="", own={})


def _description(text: str, table: Table) -> str:
    """A URL as it is, also one that begins at the API's own address; a file from where we are."""
    served = text.startswith("/") and not Path(text).is_file()
    if not text or served or text.startswith(("http://", "https://")):
        return text
    return os.path.relpath(table.file(text, "openapi" if table.where == "[api]" else ""))


def _module(text: str, where: str) -> str:
    if text and not MODULE.fullmatch(text):
        raise ConfigurationError(f"{where} is {text!r}; it is MODULE:ATTR, as in invoices.app:app")
    return text


def _host(text: str) -> str:
    if "/" in text or not text:
        raise ConfigurationError(f'[api] hosts: {text!r} is no host, as in "files.example:8443"')
    return text


def _socket(text: str) -> str:
    if not text.startswith("/"):
        raise ConfigurationError(
            f'[api] websockets: {text!r} is no path, as in "/ws/projects/{{project_id}}"'
        )
    return text


def _events(api: Table) -> dict[str, tuple[str, ...]]:
    events = api.table("socketio_events")
    return {name: tuple(events.texts(name)) for name in events.values}


def _denied(text: str) -> str:
    if not DENIED.fullmatch(text):
        raise ConfigurationError(
            f'deny: {text!r} names no operation, as in "POST /reset" or "* /admin/*"'
        )
    method, _, path = text.partition(" ")
    return f"{method.upper()} {path}"


def _operation(text: str) -> str:
    if not OPERATION.match(text):
        raise ConfigurationError(
            f'[[public]] operation: {text!r} names no operation, as in "GET /countries"'
        )
    return text


def _existence(text: str) -> Existence:
    if text not in get_args(Existence):
        choices = ", ".join(get_args(Existence))
        raise ConfigurationError(f"[api] existence is {text!r}; it is one of {choices}")
    return cast("Existence", text)
