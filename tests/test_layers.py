"""Imports point one way: the layers of partywall, read from its source and not from its runs."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import partywall

PACKAGE = Path(partywall.__file__).parent
SHIPPED = frozenset(sys.stdlib_module_names)

# What a layer may import of partywall, besides itself.
BASE = frozenset({"context", "model", "errors"})
ALLOWED: dict[str, frozenset[str]] = {
    "context": frozenset({"errors"}),
    "model": frozenset(),
    "errors": frozenset(),
    "isolation": BASE,
    "runtime": BASE | {"isolation"},
    "control": BASE | {"isolation", "runtime"},
    "adapters": BASE | {"isolation", "runtime", "control"},
    "encryption": BASE | {"isolation", "runtime", "control"},
    "catalog": BASE,
    "fleet": BASE | {"isolation", "runtime", "catalog"},
    "servers": frozenset({"errors"}),
    "survey": BASE | {"catalog", "servers", "isolation"},
    "survey.drill": BASE | {"catalog", "servers", "survey", "isolation", "runtime", "control"},
}
PURE = {"context", "model", "errors", "isolation"}  # and nothing that is not Python's own
LEAVES = {"reports": {"cli", "pytest_plugin"}, "cli": {"__main__"}}  # imported only by these
DRIVERS = {"psycopg", "psycopg_pool", "asyncpg", "sqlalchemy", "sqlite3", "redis", "botocore"}
CLIENTS = {"httpx", "requests", "urllib3", "aiohttp", "websockets"}
FURTHER = ("pool", "cache", "jobs", "sockets", "objects")  # layers of their own in the survey
WITHOUT_DRIVER = (
    "survey.checks", "survey.attacks", "survey.http.attacks",
    *(f"survey.{layer}.attacks" for layer in FURTHER), "survey.cache.observed",
)  # fmt: skip


def imports(source: str, package: str) -> set[str]:
    """The full names that *source* imports, for types only or not; *package* is where it lies."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def layer(module: str) -> str:
    """The layer of a module of partywall: `survey` for `partywall.survey.engine`."""
    parts = module.split(".")[1:]
    return "survey.drill" if parts[:2] == ["survey", "drill"] else ".".join(parts[:1])


def modules() -> dict[str, tuple[str, str]]:
    """Each module of partywall with its package and its source."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["partywall", *path.relative_to(PACKAGE).with_suffix("").parts]
        package = ".".join(parts[:-1])
        name = package if parts[-1] == "__init__" else ".".join(parts)
        found[name] = package, path.read_text(encoding="utf-8")
    return found


MODULES = modules()
LAYERS = ({layer(name) for name in MODULES} | set(ALLOWED) | set(LEAVES)) - {""}


def faults(module: str, imported: set[str]) -> list[str]:
    """Say which of what *module* imports it may not."""
    own = layer(module)
    found = []
    for name in sorted(imported):
        top = name.partition(".")[0]
        ours = layer(name) if top == "partywall" else ""
        if ours in LAYERS and ours != own:
            beyond = ours not in ALLOWED.get(own, {ours})
            if beyond or own not in LEAVES.get(ours, {own}):
                found.append(f"{module}: the layer {own} imports {name}")
        if own in PURE and top not in SHIPPED | {"partywall", "__future__"}:
            found.append(f"{module}: imports {name}, which is not of the standard library")
        pure = module.startswith(tuple(f"partywall.{p}" for p in WITHOUT_DRIVER))
        if pure and (top in DRIVERS | CLIENTS or name.startswith("partywall.survey.http.wire")):
            found.append(f"{module}: takes values, and imports {name}, which connects")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    package, source = MODULES[module]
    assert faults(module, imports(source, package)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("partywall.model", "import psycopg"),
        ("partywall.context", "from partywall.model import TenancyModel"),
        ("partywall.isolation.rls", "import sqlalchemy.orm"),
        ("partywall.isolation.rls", "from partywall.runtime import sessions"),
        ("partywall.catalog.reader", "from partywall.survey import engine"),
        ("partywall.catalog.reader", "def late():\n    import partywall.runtime.sessions"),
        ("partywall.survey.engine", "from partywall import runtime"),
        ("partywall.survey.engine", "from ..control import tenants"),
        ("partywall.survey.engine", "from partywall.reports import text"),
        ("partywall.survey.drill", "from partywall.reports import text"),
        ("partywall.reports.text", "from partywall.cli import main"),
        ("partywall.survey.attacks.read", "from psycopg import sql"),
        ("partywall.survey.pool.attacks.left_role", "import psycopg"),
        ("partywall.survey.checks.owner", "import sqlite3"),
        ("partywall.survey.checks.owner", "if TYPE_CHECKING:\n    import psycopg"),
        ("partywall.survey.http.attacks.others_id", "import httpx"),
        ("partywall.survey.http.attacks.others_id", "from partywall.survey.http.wire import Wire"),
        ("partywall.survey.cache.attacks.values_of_another", "import redis"),
        ("partywall.survey.objects.attacks.objects_read", "import botocore.session"),
        ("partywall.control.tenants", "from partywall.survey import engine"),
    ],
)
def test_an_import_against_the_rules_is_seen(module: str, source: str) -> None:
    assert faults(module, imports(source, module.rpartition(".")[0]))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("partywall.model", "from dataclasses import dataclass"),
        ("partywall.catalog.reader", "import psycopg"),
        ("partywall.catalog.reader", "from partywall.model import Ownership"),
        ("partywall.survey.attacks.read", "from partywall.survey.attack import Attack"),
        ("partywall.survey.attacks.read", "from ..attack import Attack"),
        ("partywall.survey.http.attacks.others_id", "from ..attempt import Attempt"),
        ("partywall.survey.http.wire", "import httpx"),
        ("partywall.survey.drill.attack", "from partywall.runtime import sessions"),
        ("partywall.cli.audit", "from partywall.reports import text"),
        ("partywall.cli.audit", "from partywall.survey import engine"),
        ("partywall.servers.launch", "from partywall import __version__"),
    ],
)
def test_an_import_by_the_rules_is_not(module: str, source: str) -> None:
    assert not faults(module, imports(source, module.rpartition(".")[0]))
