"""Write the pages of reference from the code, so that they can't fall behind it.

    python docs/generate.py            # writes docs/findings.md and docs/reference/*.md
    python docs/generate.py --check    # exit code 1 where a page is not what the code says

What can't be read from the code, a sentence on each key and exit code, stands in this file; a key
without a sentence, or a sentence without a key, is an error.
"""

from __future__ import annotations

import inspect
import re
import sys
import tempfile
import typing
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.models import ArgumentInfo

sys.path.insert(0, str(Path(__file__).parents[1]))  # started by path, it finds its own package

from docs.house import house
from docs.markdown import prose, table
from partywall.cli import ending
from partywall.cli.audit import audit
from partywall.cli.demo import demo
from partywall.cli.domains import domains
from partywall.cli.log import log
from partywall.cli.members import members
from partywall.cli.quotas import quotas
from partywall.cli.tenants import tenants
from partywall.errors import ConfigurationError
from partywall.reports.json import schema
from partywall.survey.attacks import every_attack
from partywall.survey.checks import every_check
from partywall.survey.configuration import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from partywall.survey.attack import Attack
    from partywall.survey.check import Check

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the code: change the code, then run it. -->\n\n"
URL = "postgresql://postgres@127.0.0.1/app"

EFFECTS = {
    "read": "A sees values of B's rows.",
    "write": "A makes or changes rows that are B's, or that B then works with.",
    "destroy": "A deletes rows of B.",
    "detect": "A learns that something of B exists, or how much of it, without seeing it.",
    "disrupt": "A keeps B from working.",
    "escalate": "A gets rights that open the walls.",
    "latent": "Nothing gets through today; the next ordinary change opens the door.",
}
LEVELS = {
    "query": "The application's ordinary queries, in its own context.",
    "sql": "Any SQL as the application's login (an injection), except what changes the context.",
    "context": "Any SQL, and any context.",
}
EXITS = {
    "HELD": "Held: every attack failed, and every control succeeded.",
    "BREACHED": "Breached: at least one finding; of `log verify`: a chain is broken.",
    "USAGE": "Usage or configuration: nothing was surveyed or changed, or the server did not go "
    "on. Of the commands on the control plane also: unknown, taken, or against a rule.",
    "UNDECIDED": "Undecided: no finding, but something could not be tested.",
    "INTERNAL": "An internal error: a fault of partywall, no verdict.",
    "INTERRUPTED": "Interrupted (Ctrl-C); what a survey had made is removed, and a change to the "
    "control plane is made as a whole or not at all.",
    "UNREAD": "Nobody read the output to its end (`| head`).",
}

GROUPS = {
    "tenants": tenants, "domains": domains, "members": members, "log": log, "quotas": quotas,
}  # fmt: skip

COMMON = frozenset({"control", "config", "output_format", "verbose"})

# The tables of partywall.toml, each with a way to ask the loader for its keys.
TABLES: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "the top level": ("zzz = 1", "", {
        "database": "Where to survey.",
        "survey": "How far the attacker goes.",
        "tenants": "Two tenants at least, each a table of its own; the first two are A and B.",
        "anonymous": "How the application connects when nobody is logged in.",
        "model": "What belongs to tenants, where detection is wrong.",
        "public": "Rows that everyone may read, by design.",
        "exceptions": "Findings that are accepted.",
        "api": "For `partywall probe`; `partywall audit` does not read it.",
        "control": "Where the control plane is: for `partywall tenants` and the like.",
    }),
    "[control]": (
        "[control]\nzzz = 1", "For the commands on the control plane; a survey does not read it.", {
        "url": "The control plane's own database, as its application names it. Also `--control`, "
        "or `PARTYWALL_CONTROL`.",
        "app": "The application's `ControlPlane`, as `invoices.main:plane`: it makes and removes "
        "tenants. It is imported from the working folder. Also `--app`.",
    }),
    "[database]": ("[database]\nzzz = 1", "", {
        "url": "An administrator's address: it reads the catalog, makes the copy and plants rows. "
        "Also `--url`, or `PARTYWALL_DATABASE_URL`.",
    }),
    "[survey]": ("[survey]\nzzz = 1", "", {
        "attacker": "`query` (default), `sql` or `context`. Also `--attacker`.",
    }),
    "[tenants.NAME]": (
        "[tenants.a]\nzzz = 1", "NAME is yours to choose; reports use it.", {
        "id": "The tenant's value in tenant columns, or its schema, or its database.",
        "url": "The login that the application really uses. "
        "Also `PARTYWALL_TENANT_NAME_URL`, the name in capitals.",
        "enter": "A list of SQL statements that make a transaction the tenant's.",
        "prove": "More of them, which only the application can say: they hold a secret of its. "
        "An attacker who may change the context repeats `enter`, and never these.",
        "headers": "For `partywall probe`.",
        "own": "For `partywall probe`.",
    }),
    "[anonymous]": (
        "[anonymous]\nzzz = 1",
        "Without this table it is the first tenant's login, and nothing is entered.", {
        "id": "Not needed.",
        "url": "As in a tenant. Also `PARTYWALL_ANONYMOUS_URL`.",
        "enter": "As in a tenant.",
        "prove": "As in a tenant.",
        "headers": "For `partywall probe`.",
        "own": "For `partywall probe`.",
    }),
    "[model]": ("[model]\nzzz = 1", "", {
        "tenant_columns": 'A table: `"public.projects" = "org_id"`.',
        "shared": 'A list of tables that belong to no tenant: `["public.countries"]`.',
    }),
    "[[public]]": ("[[public]]\nzzz = 1", "", {
        "table": "The table, with its schema.",
        "when": "An SQL condition: rows for which it holds are public.",
    }),
    "[[exceptions]]": ("[[exceptions]]\nzzz = 1", "", {
        "finding": "The finding's name or code.",
        "at": "The surface, as the report prints it.",
        "because": "The reason; it is required.",
        "until": "A date (`2027-06-30`, no quotes) after which it counts again.",
    }),
}  # fmt: skip


def pages() -> dict[str, str]:
    """Each page by its path below docs/."""
    written = {
        "findings.md": "".join(_findings()),
        "reference/configuration.md": "".join(_configuration()),
        "reference/command.md": "".join(_command()),
        "reference/house.md": "".join(house()),
        "reference/json.md": "".join(_json()),
    }
    return {path: NOTE + re.sub(r"\n{3,}", "\n\n", text) for path, text in written.items()}


# -- attacks and checks ------------------------------------------------------------------------


def _findings() -> Iterator[str]:
    attacks, checks = every_attack(), every_check()
    yield "# Attacks and checks\n\n"
    yield (
        f"partywall makes {len(attacks)} attacks and asks {len(checks)} checks. An attack tries; a "
        "check reads facts that no attempt can show. Every finding names one of them. A code is "
        "never given to another.\n\nEffects, what a finding achieves:\n\n"
    )
    yield from table(("effect", "meaning"), ((f"`{e}`", m) for e, m in EFFECTS.items()))
    yield "Attackers, from the weakest; each can do what those before it can:\n\n"
    yield from table(("attacker", "what it may do"), ((f"`{e}`", m) for e, m in LEVELS.items()))
    yield (
        "The effect and the attacker named below are the usual ones; an attempt may achieve "
        "another, and the report says which.\n\n## Attacks\n\n"
    )
    yield from _overview(attacks)
    yield from (_one(attack, "attack") for attack in attacks)
    yield "## Checks\n\n"
    yield from _overview([c for c in checks if not c.hygiene])
    yield ("Advice: speed and hygiene. It stands apart in the report and never makes a breach.\n\n")
    yield from _overview([c for c in checks if c.hygiene])
    yield from (_one(check, "advice" if check.hygiene else "check") for check in checks)


def _overview(many: typing.Iterable[Attack | Check]) -> Iterator[str]:
    yield from table(
        ("code", "name", "effect", "attacker", "what"),
        (
            (a.code, f"[{a.name}](#{a.name})", a.effect, a.level, prose(_summary(a.doc)))
            for a in many
        ),
    )


def _summary(doc: str) -> str:
    return doc.partition("\n\n")[0].replace("\n", " ")


def _one(thing: Attack | Check, kind: str) -> str:
    parts = [f"### {thing.name}", f"{thing.code} · {kind} · {thing.effect} · {thing.level}"]
    for part in thing.doc.split("\n\n"):
        section, _, body = part.partition(":\n")
        lines = [line.strip() for line in body.splitlines() if line.strip()]
        if section == "Source":
            parts.append("Source: " + " ".join(f"<{line}>" for line in lines))
        elif section in {"Fires", "Silent"}:
            words = {"Fires": "It speaks up on:", "Silent": "It is silent on:"}[section]
            parts += [words, "```sql\n" + "\n".join(f"{line};" for line in lines) + "\n```"]
        else:
            parts.append(prose(part))
    return "\n\n".join(parts) + "\n\n"


# -- configuration -----------------------------------------------------------------------------


def _keys(toml: str) -> set[str]:
    """The keys that the loader knows in a table, as it says itself about one that it does not."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "partywall.toml")
        file.write_text(toml)
        try:
            load(file, url=URL)
        except ConfigurationError as error:
            return set(str(error).rpartition("known are ")[2].split(", "))
    raise AssertionError(f"an unknown key was accepted: {toml}")


def _configuration() -> Iterator[str]:
    yield (
        "# Configuration\n\n`partywall.toml`, or `[tool.partywall]` in `pyproject.toml`, in the "
        "working folder; or `--config FILE`. A key that is not known is an error (exit code 2). "
        "Any text may name environment variables as `${NAME}`, so that no secret needs to stand "
        "in the file.\n\n"
    )
    for named, (toml, note, told) in TABLES.items():
        known = _keys(toml)
        if known != set(told):
            raise AssertionError(f"{named}: say what these are: {sorted(known ^ set(told))}")
        yield f"## {named[0].upper() + named[1:]}\n\n" if named[0] != "[" else f"## `{named}`\n\n"
        yield f"{note}\n\n" if note else ""
        yield from table(("key", "meaning"), ((f"`{k}`", told[k]) for k in told))


# -- the command -------------------------------------------------------------------------------


def _command() -> Iterator[str]:
    yield "# The command\n\n"
    for function in (audit, demo):
        yield f"## `partywall {function.__name__}`\n\n{inspect.getdoc(function)}\n\n"
        yield from table(("option", "meaning"), _options(function))
    yield (
        "## The control plane\n\nThe commands below are about tenants; they need "
        "`partywall[control]`, and all have these options (but `log export`, which writes JSON "
        "lines, no `--format`):\n\n"
    )
    listing = GROUPS["tenants"].registered_commands[0].callback
    yield from table(("option", "meaning"), _options(listing, COMMON) if listing else ())
    for name, group in GROUPS.items():
        yield f"## `partywall {name}`\n\n{group.info.help}\n\n"
        for command in group.registered_commands:
            assert command.callback  # noqa: S101 - each of ours is a function
            called = command.name or command.callback.__name__
            arguments = "".join(f" {shown}" for shown, _ in _arguments(command.callback))
            yield f"### `partywall {name} {called}{arguments}`\n\n"
            yield f"{inspect.getdoc(command.callback)}\n\n"
            own = inspect.signature(command.callback).parameters.keys() - COMMON
            rows = [(f"`{shown}`", told) for shown, told in _arguments(command.callback)]
            rows += _options(command.callback, own)
            yield from table(("argument or option", "meaning"), rows) if rows else ()
    yield "## Exit codes\n\n"
    codes = {n: v for n, v in vars(ending).items() if n.isupper() and type(v) is int}
    if set(codes) != set(EXITS):
        raise AssertionError(f"exit codes: {sorted(set(codes) ^ set(EXITS))}")
    yield from table(("code", "meaning"), ((str(codes[n]), EXITS[n]) for n in EXITS))


def _arguments(function: Callable[..., object]) -> Iterator[tuple[str, str]]:
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    for name, hint in hints.items():
        told = typing.get_args(hint)[1:2]
        if told and isinstance(told[0], ArgumentInfo):
            metavar = told[0].metavar or ""
            optional = parameters[name].default is not inspect.Parameter.empty
            yield f"[{metavar}]" if optional else metavar, told[0].help or ""


def _options(
    function: Callable[..., object], only: AbstractSet[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, option = typing.get_args(hints[name])[:2]
        if isinstance(option, ArgumentInfo) or (only and name not in only):
            continue
        declared = (option.default, *(option.param_decls or ()))  # Annotated puts the first there
        names = [d for d in declared if isinstance(d, str)] or [f"--{name.replace('_', '-')}"]
        value = option.metavar or _choices(kind)
        shown = ", ".join(f"`{n} {value}`" if value else f"`{n}`" for n in names)
        default = parameter.default
        told = f" Default: `{default.value}`." if isinstance(default, Enum) else ""
        yield shown, f"{option.help}{told}"


def _choices(kind: object) -> str:
    for one in (kind, *typing.get_args(kind)):
        if isinstance(one, type) and issubclass(one, Enum):
            return "|".join(str(member.value) for member in one)
    return ""


# -- the JSON report ---------------------------------------------------------------------------


def _json() -> Iterator[str]:
    whole = schema()
    yield (
        "# The JSON report\n\n`partywall audit --format json` writes one document. Its JSON Schema "
        "is in the package: `partywall/reports/audit.schema.json`, and in Python "
        "`partywall.reports.json.schema()`. `schema_version` grows when a key goes or changes its "
        "meaning; new keys may come at any time. All keys are always there unless said "
        "otherwise.\n\n## The report\n\n"
    )
    yield from _properties(whole)
    for name, part in whole["$defs"].items():
        yield f"## {name}\n\n"
        yield f"{part['description']}\n\n" if "description" in part else ""
        if "properties" in part:
            yield from _properties(part)
        else:
            yield f"{_kind(part)}\n\n"


def _properties(part: Mapping[str, Any]) -> Iterator[str]:
    required = set(part.get("required", ()))
    rows = []
    for name, value in part["properties"].items():
        told = prose(value.get("description", ""))
        missing = "" if name in required else " May be missing."
        rows.append((f"`{name}`", _kind(value), told + missing))
    yield from table(("key", "type", "meaning"), rows)


def _kind(value: Mapping[str, Any]) -> str:
    """A type in words, with links to the parts it names."""
    kind = value.get("type", "any")
    inner = value.get("additionalProperties")
    match value:
        case {"$ref": ref}:
            name = ref.rpartition("/")[2]
            told = f"[{name}](#{name})"
        case {"enum": choices}:
            told = ", ".join(f"`{one}`" for one in choices)
        case {"const": constant}:
            told = f"`{constant}`"
        case {"oneOf": parts}:
            told = " or ".join(_kind(one) for one in parts)
        case {"type": "array", "items": items}:
            told = f"list of {_kind(items)}"
        case {"properties": properties}:
            told = "object: " + ", ".join(f"`{name}`" for name in properties)
        case _ if isinstance(inner, dict):
            told = f"object of {_kind(inner)}"
        case _:
            told = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return told


def main() -> int:
    """Write the pages, or with --check say which are not what the code says."""
    stale = [p for p, text in pages().items() if _there(DOCS / p) != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"docs/{path} is not what the code says: run python docs/generate.py")
        return 1 if stale else 0
    for path, text in pages().items():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8")
    print(f"written: {', '.join(stale) or 'nothing new'}")
    return 0


def _there(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
