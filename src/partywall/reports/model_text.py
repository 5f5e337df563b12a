"""What a survey would assume, for people: shown before any attack, with the way to override it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rich.text import Text

from partywall.reports.beginning import quoted
from partywall.reports.facts import readable, sentence
from partywall.reports.style import listed, number
from partywall.reports.text import say, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

    from partywall.catalog.facts import Snapshot
    from partywall.model import Ownership, TenancyModel
    from partywall.survey.identity import Identity, Who

SHOWN = 12
"""So many tables with the same reason are named one by one."""

OVERRIDE = """\
[model]
shared = [{shared}]

[model.tenant_columns]
{column}"""

TENANT = """\
[tenants.{name}]
id = {id}
url = {url}
enter = [{enter}]"""


def show(
    model: TenancyModel,
    identities: Mapping[Who, Identity],
    snapshot: Snapshot,
    target: str,
    console: Console,
    *,
    declared: bool = True,
    verbose: bool = False,
) -> None:
    """Write the model: walls, tenants, tables and why; then how to say it differently.

    Where no tenants are *declared*, those shown are made up.
    """
    version = readable(str(snapshot.version))
    console.print(
        Text.assemble(
            ("partywall ", "bold"), (target, "bold cyan"), (f"  PostgreSQL {version}", "dim")
        ),
        soft_wrap=True,
    )
    say(console, sentence(model))
    logins = listed(model.logins) if model.logins else "none was found"
    say(console, f"the application logs in as {logins}")
    for note in model.notes:
        say(console, Text.assemble(("! ", "bold yellow"), note), hang=2)
    if identities:
        _parties(identities, model, console)
    _owned(model, console, verbose=verbose)
    _shared(model, console, verbose=verbose)
    if not declared:
        _declare(model, identities, target, console)
    if identities:
        _override(model, console)


def _parties(identities: Mapping[Who, Identity], model: TenancyModel, console: Console) -> None:
    title(console, "who acts")
    parts = {"A": "attacks", "B": "is attacked", "none": "attacks without a context",
             "empty": "attacks with an empty context"}  # fmt: skip
    for who, identity in identities.items():
        facts = [f"logs in as {identity.login}"]
        if identity.role != identity.login:
            facts.append(f"becomes {identity.role}")
        if identity.settings:
            verb = "clears" if who == "empty" else "sets"
            facts.append(f"{verb} {listed(name for name, _ in identity.settings)}")
        if model.carried_by_path:
            facts.append(f"searches {', '.join(identity.search_path) or 'no schema'}")
        if model.schemas.get(who):
            facts.append(f"its schema is {model.schemas[who]}")
        line = Text.assemble(
            "  ", (identity.name, "bold"), f" {parts.get(who, '')}: {', '.join(facts)}"
        )
        say(console, line, hang=4)


def _owned(model: TenancyModel, console: Console, *, verbose: bool) -> None:
    title(console, f"{number(len(model.owned), 'table')} of tenants")
    if not model.owned:
        say(console, "None: no column, foreign key or schema leads to a tenant.", "yellow", 2)
    grouped: dict[str, list[str]] = defaultdict(list)
    for table, why in model.owned.items():
        grouped[because(why)].append(table)
    _grouped(grouped, console, verbose=verbose)


def because(why: Ownership) -> str:
    """Why a table is a tenant's, in words that tables have in common."""
    if why.kind == "parent":
        return f"through the foreign key {why.column} to {why.parent}"
    if why.column and why.kind != "registry":
        return f"by {why.column}: {why.reason}"
    return why.reason


def _shared(model: TenancyModel, console: Console, *, verbose: bool) -> None:
    title(console, f"{number(len(model.shared), 'shared table')}")
    grouped: dict[str, list[str]] = defaultdict(list)
    for table, reason in model.shared.items():
        grouped[reason].append(table)
    if not grouped:
        say(console, "None.", "dim", 2)
    _grouped(grouped, console, verbose=verbose)


def _grouped(grouped: Mapping[str, list[str]], console: Console, *, verbose: bool) -> None:
    for reason, tables in sorted(grouped.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        shown = tables if verbose else tables[:SHOWN]
        more = len(tables) - len(shown)
        names = ", ".join(shown) + (f" … and {more:,} more (--verbose names them)" if more else "")
        say(console, Text.assemble((reason, "dim")), indent=2, hang=2)
        say(console, names, indent=4)


def _override(model: TenancyModel, console: Console) -> None:
    title(console, "wrong?")
    say(console, "What partywall.toml declares goes before what was detected:")
    shared = quoted(next(iter(model.shared), "public.countries"))
    _code(console, OVERRIDE.format(shared=shared, column=_column(model)).splitlines())


def _column(model: TenancyModel) -> str:
    """A tenant column as one would declare it, of this database where it has one."""
    known = ((table, why.column) for table, why in model.owned.items() if why.kind == "column")
    table, column = next(known, (next(iter(model.shared), "public.orders"), "tenant_id"))
    return f"{quoted(table)} = {quoted(column)}"


def _declare(
    model: TenancyModel, identities: Mapping[Who, Identity], host: str, console: Console
) -> None:
    title(console, "no tenants are declared")
    made_up = "Those above are made up from the catalog. " if identities else ""
    advice = (
        f"{made_up}Declare two that your application has, with the login that it really uses and "
        "the statements that it runs to become each of them. In partywall.toml:"
    )
    say(console, advice)
    _code(console, declaration(model, identities, host).splitlines())


def declaration(model: TenancyModel, identities: Mapping[Who, Identity], host: str) -> str:
    """A `partywall.toml` to begin with: the tenants made up, or what the catalog gives away."""
    logins = model.logins or ("app",)
    known = [
        (i.tenant, i.login, i.enter) for who, i in identities.items() if who in {"A", "B"}
    ] or [("1111", logins[0], ()), ("2222", logins[-1], ())]
    return "\n\n".join(
        TENANT.format(
            name=name,
            id=quoted(tenant),
            url=quoted(f"postgresql://{login}@{host}"),
            enter=", ".join(map(quoted, enter)),
        )
        for name, (tenant, login, enter) in zip(("acme", "globex"), known, strict=True)
    )


def _code(console: Console, code: Iterable[str]) -> None:
    console.print()
    for line in code:
        console.print(Text(f"    {line}".rstrip(), "cyan"), soft_wrap=True)
