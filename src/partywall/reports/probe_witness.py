"""Witnesses of a probe for people: commands that can be pasted, with what came back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from partywall.reports.style import WIDEST
from partywall.reports.text import say
from partywall.survey.http.curl import named
from partywall.survey.http.hiding import variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from partywall.survey.verdict import WitnessStep

REPEAT = "To repeat a command paste it into bash. Before the first, once:"
WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")
VALUED = frozenset({"-X", "-H", "-b", "-F", "--form-string", "--data-raw", "--data-binary"})


def setting(console: Console, steps: Sequence[WitnessStep], tenants: Sequence[str]) -> None:
    """Say once how the variables are set that the commands take."""
    found = variables(steps, tenants)
    if not found:
        return
    console.print()
    say(console, REPEAT, "dim")
    longest = max(len(export) for export, _ in found)
    for export, what in found:
        console.print(Text(f"  {export.ljust(longest)}  # {what}", "dim"), soft_wrap=True)


def variables(steps: Sequence[WitnessStep], tenants: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The commands that set the variables that witnesses take, each with what it is."""
    found = {name: step.request for step in steps for name in named(step.request)}
    return tuple(
        (f"export {name}='…'", _meaning(name, command, tenants))
        for name, command in sorted(found.items())
    )


def _meaning(name: str, command: str, tenants: Sequence[str]) -> str:
    """``the header Authorization of acme``."""
    header = re.search(rf'"([\w-]+): \${{?{name}\b', command)
    cookie = re.search(rf'["; ]([^"=; ]+)=\${{?{name}\b', command)
    what = f"the header {header[1]}" if header else "a credential"
    what = f"the cookie {cookie[1]}" if cookie and not header else what
    known = sorted((*tenants, "stranger"), key=len, reverse=True)
    whose = next((one for one in known if name.startswith(f"{variable(one)}_")), "")
    return f"{what} of {whose}" if whose else what


def witness(console: Console, steps: Sequence[WitnessStep]) -> None:
    """Commands that can be pasted: who asks and what came back are comments."""
    width = min(console.width, WIDEST) - 6
    for step in steps:
        console.print(Text(f"      # as {step.actor}", "dim"))
        for line in laid(step.request, width):
            console.print(Text(line, "cyan"), soft_wrap=True)
        for line in step.returned.splitlines():
            for part in Text(line).wrap(console, width - 4):
                console.print(Text(f"      #>  {part.plain.rstrip()}", "yellow"), soft_wrap=True)


def laid(command: str, width: int) -> list[str]:
    """A command in lines of *width*, where its words allow it; it says the same."""
    words = WORD.findall(command)
    if "".join("".join(words).split()) != "".join(command.split()):
        return [command]
    lines = [f"      {words[0]}"] if words else []
    held = ""
    for word in words[1:]:
        if word in VALUED and not held:
            held = word  # an option and its value stay together
            continue
        part, held = (f"{held} {word}" if held else word), ""
        if len(lines[-1]) + 1 + len(part) > width + 6 - 2:
            lines[-1] += " \\"
            lines.append(f"        {part}")
        else:
            lines[-1] += f" {part}"
    if held:
        lines[-1] += f" {held}"
    return lines
