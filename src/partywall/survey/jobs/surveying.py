"""The flow of a survey of jobs in the engine's store: a job planted for each tenant, attacks."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

from partywall.errors import TargetError
from partywall.survey.addresses import without_secret as database
from partywall.survey.jobs.attacks import EXECUTIONS, QUEUES, TABLES, named
from partywall.survey.jobs.executions import Execution, ExecutionScene
from partywall.survey.jobs.on_tables import TableScene
from partywall.survey.jobs.queues import Queue, QueueScene
from partywall.survey.jobs.tables import COLUMNS, SHAPES, Column, Job, Sql, forms, untold
from partywall.survey.layers import JOBS_UNTRIED, Watch
from partywall.survey.tally import Tally
from partywall.survey.trying import ADMINISTRATOR, NOBODY, Trial
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.jobs.settings import JobsLogin, JobsSettings
    from partywall.survey.jobs.sql_hand import SqlHand
    from partywall.survey.layers import LayerReport


def survey(settings: JobsSettings, watch: Watch | None = None) -> LayerReport:
    """Attack what the engine keeps of each tenant's jobs, by each tenant's own login.

    Raises:
        ConfigurationError: a tenant can't be entered as it is declared.
        TargetError: the engine can't be reached, or refuses the administrator what is needed.
    """
    watch, tally = watch or Watch(), Tally()
    target: str = settings.engine or "jobs"
    versions: Mapping[str, str] = {}
    if not settings.tenants:
        tally.left.append(
            "no tenant has a login to the engine ([tenants.NAME.jobs] url): what a login may do "
            "there was not tried"
        )
    elif settings.engine in SHAPES:
        target = f"{settings.engine} at {database(settings.url)}"
        versions = _tables(settings, watch, tally)
    elif settings.engine == "celery":
        target = _queues(settings, watch, tally)
    elif settings.engine == "temporal":
        target = f"temporal at {settings.url}"
        _executions(settings, watch, tally)
    return tally.report("jobs", target, settings.tenants, versions)


def directions(
    settings: JobsSettings, logins: Mapping[str, Any], tally: Tally
) -> Iterator[tuple[str, str]]:
    """Who attacks whom; those who log in alike only where the attacker has got hold of a login."""
    for attacker, victim in permutations(settings.tenants, 2):
        if logins[attacker] == logins[victim]:
            first, second = sorted((attacker, victim))
            tally.left.append(
                f"{first} and {second} reach the engine by one login: at the level of the login "
                "there is no wall between their jobs"
            )
            if settings.attacker == "query":
                continue
        yield attacker, victim


# -- tables ------------------------------------------------------------------------------------


def _tables(settings: JobsSettings, watch: Watch, tally: Tally) -> Mapping[str, str]:
    from partywall.survey.jobs.sql_hand import SqlHand  # noqa: PLC0415 - only where it is needed

    logins = settings.tenants
    urls = {ADMINISTRATOR: settings.url} | {name: one.url for name, one in logins.items()}
    hand = SqlHand(urls, {name: one.enter for name, one in logins.items()})
    run = secrets.token_hex(6)
    jobs: dict[str, Job] = {}
    with closing(hand):
        version = str(hand.rows(ADMINISTRATOR, "SHOW server_version")[0][0])
        try:
            for name, login in logins.items():
                watch.stage(f"a job for {name}")
                jobs[name] = _drafted(settings, hand, login, run)
                jobs[name] = _planted(hand, jobs[name])
                _surrounded(hand, jobs[name])
            trial: Trial[Sql] = Trial("jobs", hand, watch, tally)
            alike = {name: (one.url, one.enter, one.schema) for name, one in logins.items()}
            for attacker, victim in directions(settings, alike, tally):
                watch.stage(f"{attacker} attacks {victim}'s jobs")
                scene = TableScene(jobs[attacker], jobs[victim])
                trial.run((attack, attack.plan(scene)) for attack in named(TABLES))
            _unknown(hand, jobs, tally)
        finally:
            for job in jobs.values():
                _cleared(hand, job, tally)
    return {"postgresql": version}


def _drafted(settings: JobsSettings, hand: SqlHand, login: JobsLogin, run: str) -> Job:
    assert settings.engine  # noqa: S101 - asked before
    shape = SHAPES[settings.engine]
    columns: dict[str, list[Column]] = {}
    for table, name, kind, needed, filled in hand.rows(ADMINISTRATOR, COLUMNS, login.schema):
        if table.startswith(shape.prefix):
            columns.setdefault(table, []).append(Column(name, kind, needed, filled))
    if shape.main not in columns:
        raise TargetError(
            f"there is no table {login.schema}.{shape.main}: [jobs] schema says where "
            f"{settings.engine} keeps its tables"
        )
    job = Job(login, run, f"pw{secrets.token_hex(8)}", shape, columns)
    return replace(job, forms=forms(columns, shape))


def _planted(hand: SqlHand, job: Job) -> Job:
    """The job with its id, which is known before anything else is made: it is to be removed.

    Raises:
        TargetError: the server refuses the job itself.
    """
    main = job.shape.main
    wanted = job.login.row.get(job.shape.key, f"{job.owner}-partywall-{{run}}")
    given = wanted.replace("{run}", job.run) if job.shape.key in job.shape.pointing else ""
    made = hand.do(ADMINISTRATOR, Sql((job.inserted(main, given),), kept=True))
    if not made.ok:
        raise TargetError(f"no job could be planted in {job.table(main)}: {made.error}")
    return replace(job, id=made.text.splitlines()[0])


def _surrounded(hand: SqlHand, job: Job) -> None:
    """A row in every table that points to a job; where there can't be one, controls tell it."""
    for table in job.forms:
        if table != job.shape.main:
            hand.do(ADMINISTRATOR, Sql((job.inserted(table, job.id),), kept=True))


def _cleared(hand: SqlHand, job: Job, tally: Tally) -> None:
    for table in reversed(list(job.forms)):
        if job.id:
            statement = f"DELETE FROM {job.table(table)} WHERE {job.where(table)}"
            done = hand.do(ADMINISTRATOR, Sql((statement,), kept=True))
            if not done.ok:
                tally.left.append(f"{job.owner}'s planted job stays in {table}: {done.error}")


def _unknown(hand: SqlHand, jobs: Mapping[str, Job], tally: Tally) -> None:
    """Tables of which we don't know what they hold, where a tenant reads rows of them."""
    for name, job in jobs.items():
        for table in untold(job.columns, job.shape):
            read = hand.do(name, Sql((f"SELECT 1 FROM {job.table(table)} LIMIT 1",)))
            if read.ok and "SELECT 1" in read.text:
                because = "a tenant's login reads rows of it, and no attack knows whose they are"
                at = f"jobs {job.login.schema}.{table}"
                tally.open(Undecided(*JOBS_UNTRIED, "read", at, because))


# -- queues ------------------------------------------------------------------------------------


def _queues(settings: JobsSettings, watch: Watch, tally: Tally) -> str:
    from partywall.survey.cache.wire import Wire, nobodys, without_secret  # noqa: PLC0415 - extra

    logins = settings.tenants
    urls = {ADMINISTRATOR: settings.url, NOBODY: nobodys(settings.url)}
    wire = Wire(urls | {name: one.url for name, one in logins.items()}, "JOBS")
    run = secrets.token_hex(6)
    queues = {n: Queue(one, run, f"pw{secrets.token_hex(8)}") for n, one in logins.items()}
    with closing(wire):
        trial = Trial("jobs", wire, watch, tally)
        alike = {name: one.url for name, one in logins.items()}
        for attacker, victim in directions(settings, alike, tally):
            watch.stage(f"{attacker} attacks {victim}'s queue")
            scene = QueueScene(queues[attacker], queues[victim])
            trial.run((attack, attack.plan(scene)) for attack in named(QUEUES))
    return f"celery at {without_secret(settings.url)}"


# -- executions --------------------------------------------------------------------------------


def _executions(settings: JobsSettings, watch: Watch, tally: Tally) -> None:
    from partywall.survey.jobs.temporal_hand import TemporalHand  # noqa: PLC0415 - an extra

    logins = settings.tenants
    run = secrets.token_hex(6)
    made = {n: Execution(one, run, f"pw{secrets.token_hex(8)}") for n, one in logins.items()}
    alike = {n: (one.url, one.namespace, one.temporal) for n, one in logins.items()}
    for attacker, victim in directions(settings, alike, tally):
        watch.stage(f"{attacker} attacks {victim}'s workflows")
        there = logins[victim].url
        hand = TemporalHand({
            ADMINISTRATOR: (settings.url, settings.temporal),
            attacker: (there, logins[attacker].temporal),
            victim: (there, logins[victim].temporal),
        })  # fmt: skip
        with closing(hand):
            trial = Trial("jobs", hand, watch, tally)
            scene: ExecutionScene = ExecutionScene(made[attacker], made[victim])
            trial.run((attack, attack.plan(scene)) for attack in named(EXECUTIONS))
