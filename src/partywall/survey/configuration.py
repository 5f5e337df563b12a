"""What a survey is told: `partywall.toml`, or ``[tool.partywall]`` of `pyproject.toml`."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.attack import Level

LEVELS = ("query", "sql", "context")
TABLES = frozenset(
    {
        "database", "survey", "tenants", "anonymous", "public", "exceptions", "model", "api",
        "control",
    }
)  # fmt: skip
REFERENCE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """How the application becomes one tenant; assumed when nobody declared it."""

    name: str
    id: str
    url: str
    enter: tuple[str, ...] = ()
    prove: tuple[str, ...] = ()
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class PublicRows:
    """Rows that everyone may read, by design."""

    table: str
    when: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that is accepted: by name and surface, with a reason, perhaps for a while."""

    finding: str
    at: str
    because: str
    until: date | None = None

    def holds(self, today: date) -> bool:
        """Whether it has not expired."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that a survey of a database is told.

    Attributes:
        url: an administrator's: reads the catalog, plants rows, makes the copy.
        tenants: at least two where any are declared; the first two are A and B.
        tables: declared tenant columns, qualified table -> column.
        shared: tables declared to be shared.
    """

    url: str
    attacker: Level = "query"
    tenants: tuple[TenantSettings, ...] = ()
    anonymous: TenantSettings | None = None
    public: tuple[PublicRows, ...] = ()
    exceptions: tuple[Acceptance, ...] = ()
    tables: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Where the control plane is.

    Attributes:
        url: of its own database, "" when nothing says it.
        app: the application's `ControlPlane`, as ``module:attribute``; "" when nothing says it.
    """

    url: str
    app: str


def control(path: Path | None = None, *, url: str = "", app: str = "") -> ControlSettings:
    """Read where the control plane is; *url* and *app* override what the file says.

    The file is looked for as `load` does; ``PARTYWALL_CONTROL`` overrides its url.

    Raises:
        ConfigurationError: something is unknown or of a wrong kind; the message names the place.
    """
    table = _table(_known(path), "control")
    return ControlSettings(
        url or os.environ.get("PARTYWALL_CONTROL") or _text(table, "url", "[control]", ""),
        app or _text(table, "app", "[control]", ""),
    )


def load(path: Path | None = None, *, url: str = "", attacker: str = "") -> Configuration:
    """Read the configuration; *url* and *attacker* override what the file says.

    Without *path* it is looked for as ``partywall.toml``, then in ``pyproject.toml``, both in the
    working folder. Values may name environment variables: ``${NAME}``; ``PARTYWALL_DATABASE_URL``,
    ``PARTYWALL_TENANT_<NAME>_URL`` and ``PARTYWALL_ANONYMOUS_URL`` override the URLs.

    Raises:
        ConfigurationError: something is missing or unknown; the message names the place.
    """
    document = _known(path)
    survey = _table(document, "survey")
    _only(survey, {"attacker"}, "[survey]")
    model = _table(document, "model")
    _only(model, {"tenant_columns", "shared"}, "[model]")
    database = _table(document, "database")
    _only(database, {"url"}, "[database]")
    found = (
        url or os.environ.get("PARTYWALL_DATABASE_URL") or _text(database, "url", "[database]", "")
    )
    if not found:
        message = (
            "no database to survey: give `partywall audit --url postgresql://…`, set "
            'PARTYWALL_DATABASE_URL, or write `[database] url = "postgresql://…"` in partywall.toml'
        )
        raise ConfigurationError(message)
    level = attacker or survey.get("attacker", "query")
    if level not in LEVELS:
        message = f"[survey] attacker is {level!r}; it is one of {', '.join(LEVELS)}"
        raise ConfigurationError(message)
    tenants = tuple(
        _tenant(name, entry, f"[tenants.{name}]")
        for name, entry in _table(document, "tenants").items()
    )
    if len(tenants) == 1:
        message = f"only [tenants.{tenants[0].name}] is declared: a survey needs two to hold apart"
        raise ConfigurationError(message)
    nobody = document.get("anonymous")
    return Configuration(
        found,
        cast("Level", level),
        tenants,
        _tenant("anonymous", nobody, "[anonymous]") if nobody is not None else None,
        tuple(
            PublicRows(*_texts(e, ("table", "when"), "[[public]]"))
            for e in _list(document, "public")
        ),
        tuple(_exception(entry) for entry in _list(document, "exceptions")),
        {str(t): str(c) for t, c in _table(model, "tenant_columns").items()},
        tuple(model.get("shared", ())),
    )


def _known(path: Path | None) -> dict[str, Any]:
    document = _document(path)
    _only(document, set(TABLES), "the top level")
    _only(_table(document, "control"), {"url", "app"}, "[control]")
    return document


def _document(path: Path | None) -> dict[str, Any]:
    candidates = [path] if path else [Path("partywall.toml"), Path("pyproject.toml")]
    for candidate in candidates:
        if not candidate.is_file():
            continue
        try:
            document = tomllib.loads(candidate.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            message = f"{candidate} can't be read as TOML: {error}"
            raise ConfigurationError(message) from error
        if candidate.name == "pyproject.toml":
            document = document.get("tool", {}).get("partywall", {})
        return cast("dict[str, Any]", _expand(document, str(candidate)))
    if path:
        message = f"there is no configuration file {path}"
        raise ConfigurationError(message)
    return {}


def _expand(value: Any, where: str) -> Any:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return {name: _expand(inner, f"{where}: {name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, where) for inner in value]
    if not isinstance(value, str):
        return value

    def environment(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            message = f"{where} names the environment variable {match[1]}, which is not set"
            raise ConfigurationError(message)
        return os.environ[match[1]]

    return REFERENCE.sub(environment, value)


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        message = (
            f"{where} has unknown keys: {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )
        raise ConfigurationError(message)


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        message = f"{name} must be a table, as in [{name}]"
        raise ConfigurationError(message)
    return value


def _list(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        message = f"{name} must be a list of tables, as in [[{name}]]"
        raise ConfigurationError(message)
    return value


def _text(table: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        message = f'{where} needs {name} = "…"'
        raise ConfigurationError(message)
    return value


def _texts(table: Mapping[str, Any], names: tuple[str, ...], where: str) -> list[str]:
    _only(table, set(names), where)
    return [_text(table, name, where) for name in names]


def _tenant(name: str, entry: Any, where: str) -> TenantSettings:  # noqa: ANN401 - TOML
    if not isinstance(entry, dict):
        message = f"{where} must be a table"
        raise ConfigurationError(message)
    _only(entry, {"id", "url", "enter", "prove", "headers", "own"}, where)
    enter, prove = entry.get("enter", []), entry.get("prove", [])
    if not all(isinstance(s, list) and all(isinstance(t, str) for t in s) for s in (enter, prove)):
        message = f"{where} enter and prove must be lists of SQL statements"
        raise ConfigurationError(message)
    variable = (
        "PARTYWALL_ANONYMOUS_URL"
        if name == "anonymous"
        else f"PARTYWALL_TENANT_{re.sub('[^A-Z0-9]', '_', name.upper())}_URL"
    )
    url = os.environ.get(variable) or _text(entry, "url", where)
    needed = None if name != "anonymous" else ""
    return TenantSettings(name, _text(entry, "id", where, needed), url, tuple(enter), tuple(prove))


def _exception(entry: Mapping[str, Any]) -> Acceptance:
    _only(entry, {"finding", "at", "because", "until"}, "[[exceptions]]")
    finding, at, because = (
        _text(entry, name, "[[exceptions]]") for name in ("finding", "at", "because")
    )
    until = entry.get("until")
    if until is not None and not isinstance(until, date):
        message = f"[[exceptions]] for {at}: until must be a date, as in 2027-06-30 (no quotes)"
        raise ConfigurationError(message)
    if not because.strip():
        message = f"[[exceptions]] for {at}: because must give a reason"
        raise ConfigurationError(message)
    return Acceptance(finding, at, because, until)
