"""What `partywall fix` does once its command line is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.cli.ending import UNDECIDED, say
from partywall.cli.output import somebody_there, write
from partywall.cli.progress import Progress
from partywall.cli.surveying import agreed
from partywall.cli.where import Format
from partywall.errors import ConfigurationError, TargetError
from partywall.reports import fix_json, json, migration
from partywall.reports.style import listed, number
from partywall.survey.configuration import load
from partywall.survey.mending.trial import mended, propose
from partywall.survey.verdict import EXIT_CODES

if TYPE_CHECKING:
    from partywall.cli.fix import Asked
    from partywall.survey.configuration import Configuration
    from partywall.survey.mending.trial import Proposal


def run(asked: Asked) -> int:
    """Propose a migration, and apply it where that was asked for; return the exit code.

    Raises:
        ConfigurationError: it is to be applied, and nobody can be asked.
        TargetError: it would keep a tenant from its own, or the server refused it.
    """
    if asked.apply and not asked.yes and not somebody_there():
        message = "--apply changes the target: without a terminal to ask at, add --yes"
        raise ConfigurationError(message)
    configuration = load(asked.config, url=asked.url, attacker=asked.attacker or "")
    with Progress() as progress:
        proposal = propose(configuration, watch=progress)
    if asked.apply and proposal.migration.mends:
        return _applied(asked, configuration, proposal)
    as_json = asked.output_format is Format.JSON
    written = json.written(fix_json.document(proposal)) if as_json else migration.script(proposal)
    write(written, asked.output)
    if asked.output:
        many = number(len(proposal.migration.mends), "statement")
        say(f"{proposal.before.report.verdict}; {many} in {asked.output}")
    return EXIT_CODES[proposal.before.report.verdict]


def _applied(asked: Asked, configuration: Configuration, proposal: Proposal) -> int:
    if proposal.lost:
        message = (
            f"nothing was applied: with it {listed(map(migration.loss, proposal.lost))}, and could "
            "no longer; `partywall fix` without --apply writes the migration to be mended by hand"
        )
        raise TargetError(message)
    many = number(len(proposal.migration.mends), "statement")
    if asked.output:
        write(migration.script(proposal), asked.output)
    if not asked.yes:
        if not asked.output:
            say(f"this is to be applied:\n{migration.script(proposal)}")
        if not agreed(f"Apply {many} to {proposal.before.report.target}?"):
            say("nothing was applied")
            return EXIT_CODES[proposal.before.report.verdict]
    with Progress() as progress:
        applied = mended(configuration, proposal, watch=progress)
    if asked.output_format is Format.JSON:
        write(json.written(fix_json.document(proposal, applied)), None)
    else:
        write(lambda console: migration.show(applied, console), None)
    if applied.lost and not applied.after.report.findings:
        return UNDECIDED
    return EXIT_CODES[applied.after.report.verdict]
