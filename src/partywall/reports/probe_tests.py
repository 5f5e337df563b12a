"""The breaches as a file of tests: each fails while its breach is there, and passes once mended."""

from __future__ import annotations

import re
from importlib.resources import files
from pprint import pformat
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any

from partywall.reports.emitted import File
from partywall.survey.http.recipe import HttpFinding
from partywall.survey.http.wire import Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from partywall.survey.http.recipe import Recipe, Step
    from partywall.survey.verdict import Finding

BASE = "PARTYWALL_BASE"
NAME = re.compile(r"{{([A-Z_][A-Z0-9_]*)}}")
WIDTH = 88

HEAD = '''\
"""What `partywall probe` found in {target}: a test for each breach.

A test fails while its breach is there, and passes once it is mended. It makes what it needs as the
owner, attacks it as somebody else, and looks. It needs pytest and httpx, and the environment:

{variables}
"""
'''


def emitted(findings: Iterable[Finding], target: str) -> str:
    """The file's text; breaches that nobody can make again for sure are named at its end."""
    tests: list[str] = []
    without: list[str] = []
    names: set[str] = set()
    for one in findings:
        if isinstance(one, HttpFinding) and one.recipe:
            name = _unique(one, names)
            tests.append(f"def {name}() -> None:\n{indent(_body(one, one.recipe), '    ')}")
        else:
            told = f"{one.at}: {one.name} ({one.attacker} attacks {one.victim})"
            without.append(f"#   {' '.join(told.split())}")
    named = dict.fromkeys((BASE, *(name for test in tests for name in NAME.findall(test))))
    head = HEAD.format(
        target=target, variables="\n".join(f"    {name}{_told(name)}" for name in named)
    )
    left = ["# Without a test, since nothing shows for sure that they are mended:", *without]
    parts = [head + _machinery(), *tests, *(["\n".join(left)] if without else [])]
    return "\n\n".join(part.rstrip() + "\n" for part in parts)


def untested(findings: Iterable[Finding]) -> int:
    """How many breaches no test is written for."""
    return sum(not (isinstance(one, HttpFinding) and one.recipe) for one in findings)


def _told(name: str) -> str:
    return "   the API's address, as in http://127.0.0.1:8000" if name == BASE else ""


def _machinery() -> str:
    """The code that every test works with, without its own docstring."""
    source = (files(__package__) / "emitted.py").read_text(encoding="utf-8")
    return source.partition('"""\n')[2]


def _unique(one: Finding, names: set[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", f"{one.at} {one.name} {one.attacker}".lower()).strip("_")
    name, number = f"test_{words}", 1
    while name in names:
        number += 1
        name = f"test_{words}_{number}"
    names.add(name)
    return name


def _body(one: Finding, recipe: Recipe) -> str:
    told = f"{one.at}, {one.name} ({one.effect}): {one.because}".replace("\\", "\\\\")
    doc = "\n".join(wrap(told.replace('"', "'"), WIDTH))
    steps = "\n".join(_steps(recipe))
    if not recipe.after:
        return f'"""{doc}\n"""\nrun = Run()\n{steps}'
    tidy = "\n".join(_call("attacks", step) for step in recipe.after)
    return (
        f'"""{doc}\n"""\nrun = Run()\ntry:\n{indent(steps, "    ")}\n'
        f"finally:\n{indent(tidy, '    ')}"
    )


def _steps(recipe: Recipe) -> Iterator[str]:
    for step in recipe.before:
        yield _call("asks", step)
    if recipe.view:
        yield f"before = {_call('asks', recipe.view)}"
    seen = "" if recipe.view and not recipe.absent else "answer = "
    for step in recipe.attack:
        yield f"{seen}{_call('attacks', step)}"
    if recipe.absent:
        yield f"assert run.text({recipe.absent!r}) not in answer.text"
    if recipe.view:
        yield f"assert {_call('stays', recipe.view, 'before', repr(recipe.part))}"
    if recipe.alike:
        yield f"nobody = {_call('attacks', recipe.alike)}"
        yield "assert answer.status == nobody.status"


def _call(name: str, step: Step, *before: str) -> str:
    """A call with an argument a line where one line is too long."""
    request = step.request
    first = ", ".join([*before, *map(repr, (step.actor, request.method, request.path))])
    arguments = [first]
    named = {one: getattr(request, one) for one in ("base", "query", "headers", "cookies", "media")}
    named |= {"body": request.body} if request.media else {}
    named |= {"takes": dict(step.takes)}
    arguments += [
        f"{one}={_literal(value)}" for one, value in named.items() if value or one == "body"
    ]
    line = f"run.{name}({', '.join(arguments)})"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return f"run.{name}(\n" + "".join(f"{indent(one, '    ')},\n" for one in arguments) + ")"


def _literal(value: Any) -> str:  # noqa: ANN401 - any JSON, with uploads in it
    return pformat(_with_files(value), width=WIDTH - 8, sort_dicts=False)


def _with_files(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, Upload):
        return File(value.name, value.content, value.media)
    if isinstance(value, dict):
        return {key: _with_files(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_files(inner) for inner in value]
    return value
