"""Write the pages of reference from the code, so that they can't fall behind it.

    python docs/generate.py            # writes docs/findings.md, docs/findings/, docs/reference/
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
from collections import Counter
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.models import ArgumentInfo

sys.path.insert(0, str(Path(__file__).parents[1]))  # started by path, it finds its own package

from docs.house import house
from docs.markdown import prose, table
from partywall.cli import ending
from partywall.cli.audit import audit
from partywall.cli.demo import demo
from partywall.cli.diff import diff
from partywall.cli.domains import domains
from partywall.cli.explain import explain
from partywall.cli.fix import fix
from partywall.cli.init import init
from partywall.cli.log import log
from partywall.cli.members import members
from partywall.cli.probe import probe
from partywall.cli.quotas import quotas
from partywall.cli.survey import survey
from partywall.cli.tenants import tenants
from partywall.errors import ConfigurationError
from partywall.reports import diff_json, fix_json, probe_json, survey_json
from partywall.reports import json as audit_json
from partywall.reports.explanation import markdown
from partywall.survey.configuration import known, load
from partywall.survey.explaining.applications import APPLICATIONS
from partywall.survey.explaining.pages import ON
from partywall.survey.explaining.pages import pages as explained
from partywall.survey.http.loading import load as load_api
from partywall.survey.layers import FURTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from partywall.survey.explaining.pages import Page

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
ACME = {"tenant": "acme", "person": "ann"}
EXITS = {
    "HELD": "Held: every attack failed, and every control succeeded; of `diff`: nothing is weaker.",
    "BREACHED": "Breached: at least one finding; of `diff`: at least one wall is weaker; of "
    "`log verify`: a chain is broken.",
    "USAGE": "Usage or configuration: nothing was surveyed or changed, or the server did not go "
    "on. Of the commands on the control plane also: unknown, taken, or against a rule.",
    "UNDECIDED": "Undecided: no finding, but something could not be tested.",
    "INTERNAL": "An internal error: a fault of partywall, no verdict.",
    "INTERRUPTED": "Interrupted (Ctrl-C); what a survey had made is removed, and a change to the "
    "control plane is made as a whole or not at all.",
    "UNREAD": "Nobody read the output to its end (`| head`).",
}

INTRODUCED = {
    "pool": (
        "Attacks on pooled connections",
        "What `partywall survey` tries where connections are shared: what one tenant leaves there.",
    ),
    "cache": ("Attacks on a cache", "What `partywall survey` tries at a cache."),
    "jobs": (
        "Attacks on jobs and workflows",
        "What `partywall survey` tries at queues, jobs and workflows.",
    ),
    "sockets": (
        "Attacks on live connections",
        "What `partywall survey` tries where connections stay open.",
    ),
    "objects": (
        "Attacks on stored objects",
        "What `partywall survey` tries at an object store.",
    ),
}
"""Heading and introduction of each further layer's attacks."""

GROUPS = {
    "tenants": tenants, "domains": domains, "members": members, "log": log, "quotas": quotas,
}  # fmt: skip

COMMON = frozenset({"control", "config", "output_format", "verbose"})

# The tables of partywall.toml, each with a way to ask the loader for its keys.
TABLES: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "the top level": ("zzz = 1", "", {
        "database": "Where to survey.",
        "survey": "How far the attacker goes.",
        "tenants": "Two tenants at least, each a table of its own; to the audit the first two are "
        "A and B.",
        "anonymous": "How the application connects when nobody is logged in.",
        "model": "What belongs to tenants, where detection is wrong.",
        "public": "Rows and operations that everyone may read, by design.",
        "exceptions": "Findings that are accepted.",
        "stranger": "Somebody with a valid credential who is a member of no tenant.",
        "api": "For `partywall probe`; `partywall audit` does not read it.",
        "fleet": "Who all tenants are, for `partywall audit --all-tenants`.",
        "pool": "Pooled connections, for `partywall survey`.",
        "cache": "A cache, for `partywall survey`.",
        "jobs": "Queues, jobs and workflows, for `partywall survey`.",
        "sockets": "Live connections, for `partywall survey`.",
        "objects": "An object store, for `partywall survey`.",
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
    "[fleet]": (
        "[fleet]\nzzz = 1", ("For `partywall audit --all-tenants`, where the database and two "
        "tenants don't tell who all are."), {
        "tenants": "A query. Its first column is the tenant's id; the others, and `name`, go by "
        "their names.",
        "enter": "A list of SQL statements that make a transaction a tenant's, with `{id}` or "
        "another column in braces; values are quoted as their place asks for.",
        "url": "The login's address, likewise.",
    }),
    "[api]": (
        "[api]\nzzz = 1", "For `partywall probe`. Relative paths start at the file's folder.", {
        "base": "The API's address. Also `--base`.",
        "openapi": "Its description, OpenAPI 3.0 or 3.1: a URL, a file, or a path of the API "
        "itself (`/openapi.json`). Not needed where `app` or `har` is given. Also `--openapi`.",
        "app": "Its ASGI or WSGI application, as `invoices.app:app`, imported from the working "
        "folder. Its routes are read; without `base` it is served on a free port. Also `--app`.",
        "har": "A list of files of recorded traffic, for operations that the description lacks.",
        "hosts": "A list of other hosts, `files.example:8443`, that requests may go to.",
        "websockets": "A list of WebSockets that nothing else tells of: "
        '`["/ws/projects/{project_id}"]`. '
        "After a space may stand the message that it is opened with, with ids in braces.",
        "socketio_events": "A table of the events by which a client of socket.io joins a room, "
        'with their arguments: `{ join = ["room_id"] }`; an argument may be JSON, with ids in '
        "braces.",
        "rate": "Requests a second at most; 0 (default): as fast as it answers. Also `--rate`.",
        "deny": 'A list of operations that are left out: `["POST /reset", "* /admin/*"]`. '
        "Also `--deny`.",
        "follow_redirects": "Whether redirects are followed; not by default.",
        "verify": "Whether the server's certificate must be right; `true` by default.",
        "hook": "A Python file for what can't be declared.",
        "existence": '`"secret"`: that an id of another tenant is answered otherwise than one '
        'nobody has is a finding; `"told"`: it never is; `"auto"` (default): where the API '
        "hides it everywhere else.",
        "timeout_s": "So long a request may take; 10 by default.",
        "time_limit_s": "After that no further operation is begun, and what was not reached is "
        "undecided; 720 by default, 0 for no limit. With `--journal` a next run goes on.",
    }),
    "[tenants.NAME]": (
        "[tenants.a]\nzzz = 1",
        ("NAME is yours to choose; reports use it. The audit reads the first four keys, the probe "
         "the others; a tenant of whom only one kind is said belongs to that survey alone."), {
        "id": "The tenant's value in tenant columns, or its schema, or its database.",
        "url": "The login that the application really uses. "
        "Also `PARTYWALL_TENANT_NAME_URL`, the name in capitals.",
        "enter": "A list of SQL statements that make a transaction the tenant's.",
        "prove": "More of them, which only the application can say: they hold a secret of its. "
        "An attacker who may change the context repeats `enter`, and never these.",
        "headers": 'What its requests carry: `{ Authorization = "Bearer ${ACME_TOKEN}" }`.',
        "cookies": "The same for cookies.",
        "own": "Values that are its own, by the name of the parameter: "
        '`{ workspace_id = "…" }`.',
        "base": "Its own address, where a subdomain tells the tenant.",
        "login": "A table: how it logs in, at the start and whenever it is logged out.",
        "pool": "A table: how it reaches the pool, where not by its `url`'s login.",
        "cache": "A table: how it reaches the cache.",
        "jobs": "A table: how it reaches jobs and workflows.",
        "sockets": "A table: how it reaches live connections.",
        "objects": "A table: how it reaches the object store.",
    }),
    "[tenants.NAME.login]": (
        "[tenants.a.login]\nzzz = 1",
        ("A text in braces is looked up in the JSON answer, dots lead inside: "
         "`Bearer {user.token}`. Cookies of the answer are kept."), {
        "request": "A table: the request.",
        "headers": 'What is made of the answer: `{ Authorization = "Bearer {access_token}" }`.',
        "cookies": "The same for cookies.",
        "own": "The same for values that are its own.",
    }),
    "[tenants.NAME.login.request]": ("[tenants.a.login.request]\nzzz = 1", "", {
        "method": "`POST` by default.",
        "path": "Where, as in `/log-in`.",
        "json": "The body, as JSON.",
        "form": "The body, as a form; not both.",
    }),
    "[stranger]": (
        "[stranger]\nzzz = 1", "For `partywall probe`; the keys are those of a tenant.", {
        "headers": "As in a tenant.",
        "cookies": "As in a tenant.",
        "own": "As in a tenant.",
        "base": "As in a tenant.",
        "login": "As in a tenant.",
    }),
    "[pool]": (
        "[pool]\nzzz = 1",
        "For `partywall survey`. Without `url` the pool is reached through the API alone.", {
        "url": "The pool's address: that of PgBouncer, or whatever the application connects to. "
        "The tenants' logins and what they enter by are those of `[tenants]`.",
        "size": "So many sessions the pool has for a login, at most; 20 by default.",
        "at_once": "So many requests make a storm through the API: more than the application has "
        "connections. 40 by default.",
        "wait_s": "So long a session is waited for, until the pool counts as exhausted; 2 by "
        "default.",
        "patience_s": "So long the application has to answer again after a storm; 30 by default.",
    }),
    "[tenants.NAME.pool]": (
        "[pool]\nurl = 'postgresql://a@b/c'\n[tenants.a.pool]\nzzz = 1", "", {
        "url": "The tenant's own address at the pool, where it has one.",
    }),
    "[cache]": (
        "[cache]\nzzz = 1",
        "For `partywall survey`. What requests leave there is watched where `[api]` is too.",
        {
        "url": "An administrator's address: `redis://login:password@host:port/0`. It watches, and "
        "lays keys beside the tenants' own.",
    }),
    "[tenants.NAME.cache]": (
        "[cache]\nurl = 'redis://a'\n[tenants.a.cache]\nzzz = 1", "", {
        "url": "The address with the login that this tenant's code uses.",
        "prefix": "What the names of its keys begin with.",
        "channels": "What the names of its channels begin with; the prefix by default.",
    }),
    "[jobs]": (
        "[jobs]\nzzz = 1",
        ("For `partywall survey`. The engine's store is attacked where `engine` and `url` say "
         "where it is; jobs are started through the application where `[api]` is declared."), {
        "engine": "`dbos`, `procrastinate`, `celery` or `temporal`.",
        "url": "An administrator's address of PostgreSQL, Redis or Temporal: lays a job for each "
        "tenant, and removes it.",
        "schema": "Of the engine's tables; `dbos`, or `public` for Procrastinate.",
        "api_key": "The administrator's, for Temporal.",
        "certificate": "A file: the administrator's certificate, for Temporal with mTLS.",
        "key": "A file: its key.",
        "authority": "A file: who signed the server's certificate.",
        "start": "The operation that starts a job: `POST /exports`. By default all that answer "
        "202.",
        "status": "The one that tells of a job: `GET /exports/{id}`.",
        "result": "The one that gives its result.",
        "cancel": "The one that stops it.",
        "list": "The one that lists one's own jobs.",
        "fail": "One that makes a job fail, between two others.",
        "rounds": "So often both tenants' jobs run in turn; 6 by default.",
        "wait_s": "So long a job may take; 30 by default.",
    }),
    "[tenants.NAME.jobs]": (
        "[jobs]\n[tenants.a.jobs]\nzzz = 1", "", {
        "url": "The address with the login that this tenant's code uses.",
        "enter": "SQL statements that begin each of its transactions.",
        "row": "Columns of a job by which it is this tenant's: `{ queue_name = \"acme\" }`. "
        "`{run}` in a value is this survey's own.",
        "schema": "Its own schema of the engine's tables.",
        "queue": "Its queue, for Celery; `celery` by default.",
        "prefix": "Celery's `global_keyprefix`.",
        "namespace": "Its namespace, for Temporal; `default` by default.",
        "api_key": "Its own, for Temporal.",
        "certificate": "A file: its certificate.",
        "key": "A file: its key.",
        "authority": "A file: who signed the server's certificate.",
    }),
    "[objects]": (
        "[objects]\nzzz = 1",
        "For `partywall survey`. Links are bent where `make`, `link` and `[api]` are declared.", {
        "url": "The address of the store: `https://s3.eu-west-1.amazonaws.com`.",
        "region": "`us-east-1` by default.",
        "bucket": "Of all tenants that have none of their own.",
        "access_key": "An administrator's: lays an object for each tenant, and removes it.",
        "secret_key": "Of the same.",
        "session_token": "Of the same, where it is temporary.",
        "make": "The operation that makes a file: `POST /files`.",
        "link": "The one that gives a link to it: `GET /files/{id}/link`.",
    }),
    "[tenants.NAME.objects]": (
        "[objects]\n[tenants.a.objects]\nzzz = 1", "", {
        "access_key": "The credential that this tenant's code uses.",
        "secret_key": "Of the same.",
        "session_token": "Of the same.",
        "bucket": "Its own.",
        "prefix": "What its keys begin with.",
    }),
    "[anonymous]": (
        "[anonymous]\nzzz = 1",
        "Without this table it is the first tenant's login, and nothing is entered.", {
        "id": "Not needed.",
        "url": "As in a tenant. Also `PARTYWALL_ANONYMOUS_URL`.",
        "enter": "As in a tenant.",
        "prove": "As in a tenant.",
        **dict.fromkeys(FURTHER, "As in a tenant."),
    }),
    "[model]": ("[model]\nzzz = 1", "", {
        "tenant_columns": 'A table: `"public.projects" = "org_id"`.',
        "shared": 'A list of tables that belong to no tenant: `["public.countries"]`.',
    }),
    "[[public]]": ("[[public]]\nzzz = 1", "Either rows or an operation.", {
        "table": "The table, with its schema.",
        "when": "An SQL condition: rows for which it holds are public.",
        "operation": "An operation of the API: `GET /countries`.",
    }),
    "[[exceptions]]": ("[[exceptions]]\nzzz = 1", "", {
        "finding": "The finding's name or code.",
        "at": "The surface or the operation, as the report prints it.",
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
        **{f"findings/{one.name}.md": markdown(one) for one in explained()},
        "reference/json.md": "".join(_json("audit", audit_json.schema())),
        "reference/fix-json.md": "".join(_json("fix", fix_json.schema())),
        "reference/probe-json.md": "".join(_json("probe", probe_json.schema())),
        "reference/survey-json.md": "".join(_json("survey", survey_json.whole())),
        "reference/diff-json.md": "".join(_json("diff", diff_json.schema())),
    }
    return {path: NOTE + re.sub(r"\n{3,}", "\n\n", text) for path, text in written.items()}


# -- attacks and checks ------------------------------------------------------------------------


def _findings() -> Iterator[str]:
    every = explained()
    of = Counter(page.kind for page in every)
    checks = of["check"] + of["advice"]
    yield "# Attacks and checks\n\n"
    yield (
        f"partywall makes {of['attack']} attacks on a database, {of['attack on an API']} on an API "
        f"and {sum(of[kind] for kind in ON.values())} on what lies further, and asks {checks} "
        "checks. An attack tries; a check reads facts that no attempt can "
        "show. Every finding names one of them, and has a page: the hazard, who is affected, a "
        "case that breaches and one that holds, the fix, the source. The tests execute the cases. "
        "`partywall explain NAME` shows the same in the terminal. A code is never given to "
        "another.\n\nEffects, what a finding achieves:\n\n"
    )
    yield from table(("effect", "meaning"), ((f"`{e}`", m) for e, m in EFFECTS.items()))
    yield "Attackers, from the weakest; each can do what those before it can:\n\n"
    yield from table(("attacker", "what it may do"), ((f"`{e}`", m) for e, m in LEVELS.items()))
    yield (
        "The effect and the attacker named below are the usual ones; an attempt may achieve "
        "another, and the report says which.\n\n## Attacks\n\n"
    )
    yield from _overview([page for page in every if page.kind == "attack"])
    yield "## Checks\n\n"
    yield from _overview([page for page in every if page.kind == "check"])
    yield "Advice: speed and hygiene. It stands apart in the report and never makes a breach.\n\n"
    yield from _overview([page for page in every if page.kind == "advice"])
    yield (
        "## Attacks on an API\n\nWhat `partywall probe` tries: A asks as itself, for what is B's. "
        "What goes round a check is not tried where there is none to go round.\n\n"
    )
    yield from _overview([page for page in every if page.kind == "attack on an API"])
    yield "What is compared beside the attacks:\n\n"
    yield from _overview([page for page in every if page.kind == "comparison"])
    further = [(ON[layer], INTRODUCED[layer]) for layer in ON]
    for kind, (heading, told) in further:
        if of[kind]:
            yield f"## {heading}\n\n{told}\n\n"
            yield from _overview([page for page in every if page.kind == kind])
    yield (
        "## What stays undecided\n\nThese are no findings. What nothing can be said about "
        "fails the run all the same, and the page says what decides it.\n\n"
    )
    yield from _overview([page for page in every if page.kind == "undecided"])
    yield "## The applications of the examples\n\nThe tests load them as they stand here.\n\n"
    for one in APPLICATIONS.values():
        yield f"### {one.name}\n\n```sql\n{one.script}```\n\n"
        if one.enter:
            yield f"A transaction of acme begins with `{one.enter.format(**ACME)}`.\n\n"


def _overview(many: typing.Iterable[Page]) -> Iterator[str]:
    """A table of pages; whoever knows the anchors of one long page still finds its lines."""
    yield from table(
        ("code", "name", "effect", "attacker", "what"),
        (
            (
                f'<a id="{one.name}"></a>{one.code}', f"[{one.name}](findings/{one.name}.md)",
                one.effect, one.level or "", prose(one.summary),
            )
            for one in many
        ),
    )  # fmt: skip


# -- configuration -----------------------------------------------------------------------------


def _keys(toml: str) -> set[str]:
    """The keys that the loader knows in a table, as it says itself about one that it does not."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "partywall.toml")
        file.write_text(toml)
        asks: list[Callable[[], object]] = [lambda: load(file, url=URL), lambda: load_api(file)]
        for name in FURTHER if toml != "zzz = 1" else ():
            if find_spec(f"partywall.survey.{name}") is not None:
                read = import_module(f"partywall.survey.{name}.settings").load
                asks.append(lambda read=read: read(known(file)))  # type: ignore[misc] # its own
        for ask in asks:
            try:
                ask()
            except ConfigurationError as error:
                if "zzz" in str(error):
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
    for function in (init, audit, probe, survey, fix, explain, diff, demo):
        named = "".join(f" {shown}" for shown, _ in _arguments(function))
        yield f"## `partywall {function.__name__}{named}`\n\n{inspect.getdoc(function)}\n\n"
        told = [(f"`{shown}`", meaning) for shown, meaning in _arguments(function)]
        yield from table(("option", "meaning"), [*told, *_options(function)])
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


def _json(command: str, whole: Mapping[str, Any]) -> Iterator[str]:
    module = "json" if command == "audit" else f"{command}_json"
    yield (
        f"# The JSON report of `partywall {command}`\n\n`partywall {command} --format json` writes "
        f"one document. Its JSON Schema is in the package: "
        f"`partywall/reports/{command}.schema.json`, and in Python "
        f"`partywall.reports.{module}.schema()`. `schema_version` grows when a key goes or changes "
        "its meaning; new keys may come at any time. All keys are always there unless said "
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
        case {"$ref": str(ref)} if ref.endswith(".schema.json"):
            name = ref.removesuffix(".schema.json")
            page = "json.md" if name == "audit" else f"{name}-json.md"
            told = f"[the report of `partywall {name}`]({page})"
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
