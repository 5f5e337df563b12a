"""Whatever a database or an API says: in no format does it become more than a text."""

from __future__ import annotations

import html.parser
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from partywall.reports import github, gitlab, junit, markdown, sarif
from partywall.reports import html as page
from partywall.reports.overview import Overview
from partywall.reports.witness import pasted
from partywall.survey.verdict import WitnessStep
from tests.reports import hostile

MADE = pytest.mark.parametrize("made", [hostile.audit, hostile.probe])
Made = Callable[[str], Overview]
FEW = settings(max_examples=60, deadline=None)


class Structure(html.parser.HTMLParser):
    """The tags of a document with the names of their attributes, in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))


@MADE
@FEW
@given(text=hostile.TEXTS)
def test_a_page_is_built_alike_whatever_it_tells(made: Made, text: str) -> None:
    assert Structure(page.written(made(text))).tags == Structure(page.written(made("x"))).tags


@MADE
@FEW
@given(text=hostile.TEXTS)
def test_a_comment_is_built_alike_whatever_it_tells(made: Made, text: str) -> None:
    render = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render
    wanted = Structure(render(markdown.written(made("x")))).tags
    assert Structure(render(markdown.written(made(text)))).tags == wanted


@MADE
@FEW
@given(text=hostile.TEXTS)
def test_nobody_is_mentioned_outside_of_code(made: Made, text: str) -> None:
    told = markdown.written(made(f"{text} @everyone #12 http://evil.test www.evil.test"))
    prose = re.sub(r"<(code|pre)>.*?</\1>|<a href[^>]*>", "", told, flags=re.DOTALL)
    assert not re.search(r"&#(?:64|35);(?!&#8203;)", prose)
    prose = re.sub(r"&#(?:64|35);&#8203;|^#+ |&#\d+;", "", prose, flags=re.MULTILINE)
    assert "@" not in prose
    assert "#" not in prose
    assert "://evil" not in prose
    assert "www." not in prose


@MADE
@FEW
@given(text=hostile.TEXTS)
def test_xml_is_well_formed_and_built_alike(made: Made, text: str) -> None:
    def built(told: str) -> list[tuple[str, list[str]]]:
        root = ET.fromstring(junit.written(made(told)))  # noqa: S314 - of our own making
        return [(one.tag, sorted(one.attrib)) for one in root.iter()]

    assert built(text) == built("x")


@MADE
@FEW
@given(text=hostile.TEXTS)
def test_no_line_is_a_command_of_somebody_else(made: Made, text: str) -> None:
    told = github.written(made(text))
    assert told.count("\n") == github.written(made("x")).count("\n")
    assert "\r" not in told
    for line in told.split("\n")[:-1]:
        head, _, _ = line[2:].partition("::")
        command, _, properties = head.partition(" ")
        assert line.startswith("::")
        assert command in {"error", "warning", "notice"}
        assert [one.split("=")[0] for one in properties.split(",")] == ["title", "file", "line"]


@MADE
@FEW
@given(text=hostile.TEXTS)
def test_json_keeps_every_letter(made: Made, text: str) -> None:
    found = made(text)
    [run] = json.loads(sarif.written(found))["runs"]
    assert text in run["results"][0]["message"]["text"]
    assert run["results"][0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == text
    assert text in json.loads(gitlab.written(found))[0]["description"]


@FEW
@given(text=hostile.TEXTS)
def test_of_a_pasted_witness_nothing_but_the_statement_runs(text: str) -> None:
    for step, mark in (
        (WitnessStep(text, "SELECT 1", text), "--"),
        (WitnessStep(text, "", text, "true"), "#"),
    ):
        told = [line for line in re.split(r"[\r\n]", pasted([step])) if line]
        assert [line for line in told if not line.startswith(mark)] == [step.request or "SELECT 1;"]
