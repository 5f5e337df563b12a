"""What `partywall diff` does once its command line is understood."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.cli.diff import Asked, DiffFormat
from partywall.cli.ending import say
from partywall.cli.output import write
from partywall.cli.progress import Progress
from partywall.errors import ConfigurationError
from partywall.reports import diff_json, diff_markdown, diff_text, saved
from partywall.reports.json import written
from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, load
from partywall.survey.difference import difference
from partywall.survey.elsewhere import moved
from partywall.survey.migrations import Migrations, migrated
from partywall.survey.standing import Standing, standing
from partywall.survey.verdict import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator


def run(asked: Asked) -> int:
    """Compare; return the exit code."""
    with ExitStack() as stack:
        sources = [stack.enter_context(_source(text, asked)) for text in (asked.old, asked.new)]
        _apart(sources)
        old, new = (_surveyed(source) for source in sources)
    found = difference(old, new)
    match asked.output_format:
        case DiffFormat.JSON:
            write(written(diff_json.report(found)), asked.output)
        case DiffFormat.MARKDOWN:
            write(diff_markdown.written(found), asked.output)
        case DiffFormat.TEXT:
            show = partial(diff_text.show, found, verbose=asked.verbose)
            write(show, asked.output)
    if asked.output:
        said = "weakened" if found.weakened else found.verdict
        say(f"{said}; the difference is in {asked.output}")
    return EXIT_CODES[found.verdict]


@contextmanager
def _source(text: str, asked: Asked) -> Iterator[Standing | Configuration]:
    """What one side is: a survey that was saved, or a database still to be surveyed.

    One that migrations make stands as long as the block lasts.

    Raises:
        ConfigurationError: it is neither, or can't be read.
        MigrationError: a migration can't be read or failed.
        ServerError: no disposable server could be started.
    """
    attacker = asked.attacker or ""
    if _address(text):
        yield moved(load(asked.config, url=text, attacker=attacker))
    elif (place := Path(text)).is_dir() or place.suffix == ".sql":
        say(f"running the migrations of {place} on a disposable server")
        migrations = Migrations(place, asked.migrations_tool, asked.python)
        with migrated(migrations, asked.config, attacker=attacker) as configuration:
            yield configuration
    else:
        yield saved.read(place)


def _address(text: str) -> bool:
    """Whether *text* is the address of a database, as a URL or as ``host=… dbname=…``."""
    if text.startswith(("http://", "https://")):
        message = f"{text} is an API: `partywall probe --format json --output FILE`, and diff that"
        raise ConfigurationError(message)
    return text.startswith(("postgresql://", "postgres://")) or (
        "=" in text and not Path(text).exists()
    )


def _apart(sources: list[Standing | Configuration]) -> None:
    """Refuse two addresses by which the same tenants' databases would be surveyed twice.

    Raises:
        ConfigurationError: they lead to the same.
    """
    old, new = sources
    if not (isinstance(old, Configuration) and isinstance(new, Configuration)):
        return
    if old.tenants and old.tenants == new.tenants:
        message = (
            "OLD and NEW lead to the same databases of the same tenants: survey each with a "
            "partywall.toml of its own (`partywall audit --format json --output FILE`), and diff "
            "the files"
        )
        raise ConfigurationError(message)


def _surveyed(source: Standing | Configuration) -> Standing:
    if isinstance(source, Standing):
        return source
    with Progress() as progress:
        return standing(audit(source, watch=progress))
