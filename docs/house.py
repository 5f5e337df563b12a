"""The page of reference on the house: its public names, its endpoints, its errors."""

from __future__ import annotations

import inspect
import re
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi import FastAPI

from docs.markdown import prose, table
from partywall import FilePerTenant, Tenancy, errors
from partywall.adapters.dbos import DbosWorks
from partywall.adapters.fastapi import (
    CustomDomain,
    Header,
    OnlyMembership,
    PathParam,
    Principal,
    Subdomain,
    TenantAccess,
    control_router,
    documented,
    problem,
    public,
)
from partywall.adapters.fastapi.problems import answer
from partywall.adapters.temporal import TemporalWorks
from partywall.control.access import Access
from partywall.control.audit import AuditObserver
from partywall.control.metering import Meter
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.building import Building
from partywall.control.registration import NewUser, Registered
from partywall.control.tenants import Tenant
from partywall.control.tokens import Claims, SigningKey, Tokens
from partywall.control.works import Work
from partywall.errors import PartywallError, QuotaExceeded, SocketClosed, TooManyAttempts

if TYPE_CHECKING:
    from collections.abc import Iterator

Public: TypeAlias = "type | FunctionType"

SECTIONS = re.compile(r"^(Args|Attributes|Raises|Returns):\n", re.MULTILINE)
ENTRY = re.compile(r"^ {4}(\S.*?): (.*(?:\n {5,}.*)*)", re.MULTILINE)

NAMES: dict[str, tuple[Any, ...]] = {
    "The control plane": (ControlPlane, NewUser, Registered, Tenant, Work),
    "Places": (Building, DbosWorks, TemporalWorks),
    "Tokens": (Tokens, SigningKey, Claims),
    "What every request asks": (Access, Meter, AuditObserver),
    "FastAPI": (
        TenantAccess, Subdomain, CustomDomain, Header, PathParam, OnlyMembership, Principal,
        control_router, public, problem, documented,
    ),
}  # fmt: skip

INNER = frozenset({"launch", "start"})
"""Methods of a workflow engine that the control plane calls, and nobody else."""


def house() -> Iterator[str]:
    """The page."""
    yield (
        "# The house\n\nThe public names of `partywall.control` and `partywall.adapters`, as the "
        "code says. `async_…` twins do what their namesake does, for async code. "
        "[How it works](../explanation/house.md); [the commands](command.md).\n\n"
    )
    for title, named in NAMES.items():
        yield f"## {title}\n\n"
        for each in named:
            yield from one(each)
    yield from endpoints()
    yield from refusals()


def one(thing: Public) -> Iterator[str]:
    """A class with its methods, or a function."""
    yield f"### {thing.__name__}\n\n```py\nfrom {home(thing)} import {thing.__name__}\n```\n\n"
    yield from told(thing)
    if not inspect.isclass(thing):
        return
    methods = [
        (name, found.__func__ if isinstance(found, classmethod) else found)
        for name, found in vars(thing).items()
        if not name.startswith("_") and name != "after_fork"
    ]
    inner = INNER if thing in {DbosWorks, TemporalWorks} else frozenset()
    yield from (
        table(
            ("method", "what it does"),
            [
                (f"`{name}({arguments(found)})`", prose(summary(found)))
                for name, found in methods
                if inspect.isfunction(found) and not name.startswith("async_") and name not in inner
            ],
        )
        if any(inspect.isfunction(found) for _, found in methods)
        else ()
    )


def home(thing: Public) -> str:
    """The module that a name is imported from."""
    module = str(thing.__module__)
    packages = [f"partywall.adapters.{each}" for each in ("dbos", "fastapi", "temporal")]
    return next((each for each in packages if module.startswith(each)), module)


def arguments(function: FunctionType) -> str:
    """The names of a function's arguments; a star before those that are named in a call."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    names: list[str] = []
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and "*" not in names:
            names.append("*")
        names.append(str(each).partition(":")[0].partition("=")[0])
    return ", ".join(names)


def summary(thing: Public) -> str:
    """The first paragraph of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def told(thing: Public) -> Iterator[str]:
    """A docstring: its prose, then a table of each of its sections."""
    text, *parts = SECTIONS.split(inspect.getdoc(thing) or "")
    yield f"{prose(text.strip())}\n\n"
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        rows = [
            (f"`{entry}`", prose(" ".join(words.split()))) for entry, words in ENTRY.findall(body)
        ]
        heads = {"Args": "argument", "Attributes": "attribute", "Raises": "raises"}
        yield from table((heads.get(name, name), "meaning"), rows) if rows else ()


def endpoints() -> Iterator[str]:
    """What `control_router` serves."""
    walls = FilePerTenant(folder="tenants")
    plane = ControlPlane("sqlite:///house.db")  # nothing is opened before it is used
    access = TenantAccess(Tenancy("sqlite://", walls), plane, resolve=[OnlyMembership()])
    app = FastAPI()
    app.include_router(control_router(plane, access))
    yield (
        "## Endpoints\n\nWhat `app.include_router(control_router(plane, access))` serves. About a "
        "tenant each answers a stranger with the 404 of a tenant that there is not.\n\n"
    )
    rows = []
    for path, methods in app.openapi()["paths"].items():
        for method, said in methods.items():
            statuses = ", ".join(sorted(said["responses"]))
            words = said["description"].partition("\n\n")[0].replace("\n", " ")
            rows.append((f"`{method.upper()} {path}`", prose(words), statuses))
    yield from table(("endpoint", "what it does", "answers"), rows)


def refusals() -> Iterator[str]:
    """The errors, and what each is over HTTP."""
    yield (
        "## Errors\n\nAll are in `partywall.errors`, below `PartywallError`. The status is that "
        "of the problem (RFC 9457) that an application protected by `TenantAccess.protect` "
        "answers; 500 is a fault of the application, and says nothing of it.\n\n"
    )
    rows = []
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, PartywallError):
            above = "" if kind is PartywallError else f"`{kind.__mro__[1].__name__}`"
            rows.append((f"`{kind.__name__}`", above, summary(kind), str(status(kind))))
    yield from table(("error", "is a", "meaning", "HTTP"), rows)


def status(kind: type[PartywallError]) -> int:
    """What an error is over HTTP."""
    if issubclass(kind, TooManyAttempts):
        error: PartywallError = kind("", retry_after_s=1.0)
    elif issubclass(kind, QuotaExceeded):
        error = kind("", kind="rows")
    elif issubclass(kind, SocketClosed):
        error = kind("", code=1013)
    else:
        error = kind("")
    return answer(error).status_code
