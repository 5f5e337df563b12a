"""Every form that a report has: the one place where another is added."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from partywall.reports.overview import Overview
    from partywall.survey.http.report import HttpReport
    from partywall.survey.layers import WholeReport
    from partywall.survey.verdict import Report

    AnyReport: TypeAlias = Report | HttpReport | WholeReport

Written: TypeAlias = "str | Callable[[Console], None]"
"""A text, or what prints one as wide as there is room."""


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MARKDOWN = "markdown"
    GITHUB = "github"
    GITLAB = "gitlab"
    HTML = "html"


ENDINGS: Mapping[str, Format] = {
    "gl-code-quality-report.json": Format.GITLAB,
    ".sarif.json": Format.SARIF,
    ".sarif": Format.SARIF,
    ".json": Format.JSON,
    ".xml": Format.JUNIT,
    ".md": Format.MARKDOWN,
    ".html": Format.HTML,
    ".txt": Format.TEXT,
}
"""What a file's name says of its format; the first that fits."""


def by_name(file: PurePath) -> Format | None:
    """The format that a file's name says; None where it says nothing."""
    name = file.name.lower()
    return next((one for ending, one in ENDINGS.items() if name.endswith(ending)), None)


def written(form: Format, found: AnyReport, *, source: str, verbose: bool = False) -> Written:
    """*found* in the format *form*.

    Args:
        source: the file that declares the survey, as programs are to name it.
        verbose: whether the text folds nothing.
    """
    # Each format is loaded by whoever asks for it: most runs write one. A probe's modules need
    # what only `partywall[probe]` brings.
    from partywall.survey.layers import WholeReport  # noqa: PLC0415 - as above
    from partywall.survey.verdict import Report  # noqa: PLC0415 - as above

    match form:
        case Format.TEXT:
            if isinstance(found, WholeReport):
                from partywall.reports import survey_text  # noqa: PLC0415 - as above

                return lambda console: survey_text.show(found, console, verbose=verbose)
            if isinstance(found, Report):
                from partywall.reports import text  # noqa: PLC0415 - as above

                return lambda console: text.show(found, console, verbose=verbose)
            from partywall.reports import probe_text  # noqa: PLC0415 - as above

            return lambda console: probe_text.show(found, console, verbose=verbose)
        case Format.JSON:
            from partywall.reports import json  # noqa: PLC0415 - as above

            return json.written(_document(found))
        case _:
            from importlib import import_module  # noqa: PLC0415 - as above

            writer: Callable[..., str] = import_module(f"partywall.reports.{form.value}").written
            return writer(_overview(found, source))


def _document(found: AnyReport) -> dict[str, Any]:
    from partywall.survey.layers import WholeReport  # noqa: PLC0415 - as in `written`
    from partywall.survey.verdict import Report  # noqa: PLC0415 - as in `written`

    if isinstance(found, WholeReport):
        from partywall.reports import survey_json  # noqa: PLC0415 - as in `written`

        return survey_json.report(found)
    if isinstance(found, Report):
        from partywall.reports import json  # noqa: PLC0415 - as in `written`

        return json.report(found)
    from partywall.reports import probe_json  # noqa: PLC0415 - as in `written`

    return probe_json.report(found)


def _overview(found: AnyReport, source: str) -> Overview:
    from partywall.survey.layers import WholeReport  # noqa: PLC0415 - as in `written`
    from partywall.survey.verdict import Report  # noqa: PLC0415 - as in `written`

    if isinstance(found, WholeReport):
        from partywall.reports import survey_overview  # noqa: PLC0415 - as in `written`

        return survey_overview.overview(found, source)
    if isinstance(found, Report):
        from partywall.reports import audit_overview  # noqa: PLC0415 - as in `written`

        return audit_overview.overview(found, source)
    from partywall.reports import probe_overview  # noqa: PLC0415 - as in `written`

    return probe_overview.overview(found, source)
