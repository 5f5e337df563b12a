"""What an engine keeps tells nobody anything, and can't be made to run for somebody else."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text
from temporalio.client import Client

from partywall import RowSecurity, ScopedQueries, Tenancy
from partywall.adapters.dbos import DbosWorkflows
from partywall.errors import (
    ConfigurationError,
    ExecutionFailed,
    ForgedExecution,
    UnsafeLogin,
    WorkError,
)
from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, GLOBEX, KEY, Application
from tests.adapters.workflows.conftest import engine_of
from tests.control.planes import unique

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.adapters.workflows.application import Engine
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")


@pytest.fixture
def kept(own_engine: Engine, tmp_path: Path) -> Iterator[tuple[Engine, Application]]:
    """An application whose engine the test looks into."""
    made = Application(own_engine, tmp_path)
    with made.tenancy:
        yield own_engine, made


def test_an_engine_keeps_nothing_in_clear(kept: tuple[Engine, Application]) -> None:
    of, made = kept
    flows, word = made.workflows, unique("canary")
    flows.launch()
    made.result(ACME, app.greet, word)
    told = flows.start(ACME, app.told, "go")
    flows.signal(ACME, told.id, "go", word)
    assert flows.result(ACME, told.id, timeout_s=60) == word
    flows.schedule(ACME, app.greet, "0 3 * * *", word)
    with pytest.raises(ExecutionFailed, match="owes 42"):
        made.result(ACME, app.failing)
    everything = in_dbos(of) if of[0] == "dbos" else asyncio.run(in_temporal(of))
    assert "tenant/greet" in everything  # it was looked at
    for hidden in (word, "owes 42", "ann", "owner"):
        assert not re.search(rf"\b{hidden}\b", everything), hidden


def in_dbos(of: Engine) -> str:
    """All that stands in DBOS's tables, also within base64."""
    engine = create_engine(of[1].replace("postgresql://", "postgresql+psycopg://"))
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    found = []
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names(schema):
            name = f"{schema}.{table}" if schema else table
            found += [str(list(row)) for row in connection.execute(text(f"SELECT * FROM {name}"))]
    engine.dispose()
    return laid_open("\n".join(found))


async def in_temporal(of: Engine) -> str:
    """All that a Temporal server tells of a queue, also within base64."""
    client = await Client.connect(of[1])
    found = []
    async for each in client.list_workflows(f'WorkflowId STARTS_WITH "{of[2]}"'):
        handle = client.get_workflow_handle(each.id)
        described = await handle.describe()
        found.append(f"{described.raw_description} {(await handle.fetch_history()).to_json()}")
    schedule = await client.get_schedule_handle(f"{of[2]}/acme/greet").describe()
    return laid_open("\n".join([*found, str(schedule.raw_description)]))


def laid_open(everything: str) -> str:
    """A text, and what is written in it in base64, twice over."""
    for _ in range(2):
        inner = []
        for each in set(BASE64.findall(everything)):
            try:
                inner.append(
                    base64.b64decode(each, altchars=b"-_" if set(each) & {*"-_"} else None)
                )
            except binascii.Error:
                continue
        everything += "\n".join(part.decode("latin-1") for part in inner)
    return everything


# -- forged rows -----------------------------------------------------------------------------------


@pytest.fixture(params=["dbos on postgresql", "dbos on sqlite"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Application, Any]]:
    """An application on DBOS, and a way to edit what DBOS keeps."""
    with engine_of(request.param, request) as of:
        engine = create_engine(of[1].replace("postgresql://", "postgresql+psycopg://"))
        prefix = "dbos." if engine.dialect.name == "postgresql" else ""

        def say(statement: str, **values: object) -> list[Any]:
            with engine.begin() as connection:
                done = connection.execute(text(statement.replace("dbos.", prefix)), values)
                return list(done) if done.returns_rows else []

        made = Application(of, tmp_path)
        with made.tenancy:
            yield made, say
        engine.dispose()


EDITS = {
    "another tenant's input": (
        "UPDATE dbos.workflow_input SET inputs = (SELECT inputs FROM dbos.workflow_input "
        "WHERE workflow_uuid = :ours) WHERE workflow_uuid = :theirs"
    ),
    "the input of another execution": (
        "UPDATE dbos.workflow_input SET inputs = (SELECT inputs FROM dbos.workflow_input "
        "WHERE workflow_uuid = :second) WHERE workflow_uuid = :theirs"
    ),
    "another workflow": (
        "UPDATE dbos.workflow_status SET name = 'tenant/entered' WHERE workflow_uuid = :theirs"
    ),
    "an edited input": (
        "UPDATE dbos.workflow_input SET inputs = replace(inputs, substr(inputs, 40, 8), 'AAAAAAAA')"
        " WHERE workflow_uuid = :theirs"
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_execution_is_refused_before_its_body_runs(
    rows: tuple[Application, Any], edit: str
) -> None:
    made, say = rows
    flows = made.workflows
    ours = flows.start(ACME, app.greet, "ours")
    theirs, second = (flows.start(GLOBEX, app.greet, word) for word in ("theirs", "second"))
    named = {"theirs": f"globex/{theirs.id}", "ours": f"acme/{ours.id}"}
    named["second"] = f"globex/{second.id}"
    say(EDITS[edit], **{name: id_ for name, id_ in named.items() if f":{name}" in EDITS[edit]})
    flows.launch()
    with pytest.raises(ExecutionFailed) as refused:
        flows.result(GLOBEX, theirs.id, timeout_s=60)
    assert refused.value.kind == "ForgedExecution"
    assert flows.result(ACME, ours.id, timeout_s=60)[1] == ["acme", "ann", ["owner", "pay"]]
    flows.result(GLOBEX, second.id, timeout_s=60)
    assert sorted(made.noted) == [("acme", "ours"), ("globex", "second")]


def test_another_tenant_s_result_and_schedule_are_not_taken_for_one_s_own(
    rows: tuple[Application, Any],
) -> None:
    made, say = rows
    flows = made.workflows
    ours, theirs = (flows.start(each, app.greet, "x") for each in (ACME, GLOBEX))
    flows.launch()
    for context, started in ((ACME, ours), (GLOBEX, theirs)):
        flows.result(context, started.id, timeout_s=60)
        flows.schedule(context, app.greet, "0 3 * * *")
    say(
        "UPDATE dbos.workflow_output SET output = (SELECT output FROM dbos.workflow_output "
        "WHERE workflow_uuid = :ours) WHERE workflow_uuid = :theirs",
        ours=f"acme/{ours.id}",
        theirs=f"globex/{theirs.id}",
    )
    say(
        "UPDATE dbos.workflow_schedules SET context = (SELECT context FROM "
        "dbos.workflow_schedules WHERE schedule_name = 'acme/greet') "
        "WHERE schedule_name = 'globex/greet'"
    )
    with pytest.raises(ForgedExecution):
        flows.result(GLOBEX, theirs.id)
    with pytest.raises(ForgedExecution):
        flows.schedules(GLOBEX)


def test_another_tenant_s_step_is_not_taken_for_one_s_own(rows: tuple[Application, Any]) -> None:
    made, say = rows
    flows = made.workflows
    flows.launch()
    ours, theirs = (flows.start(each, app.slept, 1.5) for each in (ACME, GLOBEX))
    flows.result(ACME, ours.id, timeout_s=60)
    flows.result(GLOBEX, theirs.id, timeout_s=60)
    again = flows.start(GLOBEX, app.greet, "woken", delay_s=3600)
    say(
        "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, "
        "serialization) SELECT :again, 1, function_name, output, serialization "
        "FROM dbos.operation_outputs WHERE workflow_uuid = :ours AND function_name = 'who'",
        again=f"globex/{again.id}",
        ours=f"acme/{ours.id}",
    )
    say(
        "UPDATE dbos.workflow_status SET delay_until_epoch_ms = 0 WHERE workflow_uuid = :again",
        again=f"globex/{again.id}",
    )
    with pytest.raises(ExecutionFailed) as refused:
        flows.result(GLOBEX, again.id, timeout_s=60)
    assert refused.value.kind == "ForgedExecution"


def test_an_execution_forged_on_a_temporal_server_is_refused(temporal: str, tmp_path: Path) -> None:
    queue = unique("queue-")
    made = Application(["temporal", temporal, queue], tmp_path)

    async def forged() -> None:
        client = await Client.connect(temporal)
        history = await client.get_workflow_handle(f"{queue}/acme/{ours.id}").fetch_history()
        begun = json.loads(history.to_json())["events"][0][
            "workflowExecutionStartedEventAttributes"
        ]
        [sealed] = begun["input"]["payloads"]
        await client.start_workflow(
            "tenant/greet",
            json.loads(base64.b64decode(sealed["data"])),
            id=f"{queue}/globex/forged",
            task_queue=queue,
        )

    with made.tenancy:
        flows = made.workflows
        ours = flows.start(ACME, app.greet, "x")
        asyncio.run(forged())
        flows.launch()
        with pytest.raises(ExecutionFailed) as refused:
            flows.result(GLOBEX, "forged", timeout_s=60)
        assert refused.value.kind == "ForgedExecution"
        flows.result(ACME, ours.id, timeout_s=60)
        assert made.noted == [("acme", "x")]


# -- who may look ----------------------------------------------------------------------------------


def walled(database: Database, login: str = "app") -> Tenancy:
    """A tenancy whose login is another one than DBOS's."""
    return Tenancy(
        database.url(login),
        RowSecurity(type="text"),
        workflows=DbosWorkflows(database.url("works"), key=KEY, poll_s=0.05),
    )


def logins(database: Database) -> None:
    database.execute(
        "CREATE ROLE works LOGIN; CREATE ROLE app LOGIN; CREATE ROLE reports; "
        f"GRANT CREATE ON DATABASE {database.name} TO works"
    )
    with closing(DbosWorkflows(database.url("works"), key=KEY)) as engine:
        engine.executions("acme", None, None, 1)  # which makes the schema


@ON_15
def test_a_login_of_its_own_keeps_the_application_s_out(database: Database) -> None:
    logins(database)
    with walled(database) as tenancy:
        tenancy.workflows.workflow(app.greet)
        tenancy.workflows.launch()
        tenancy.workflows.start(ACME, app.greet, "x")
        for table in ("workflow_status", "workflow_input", "operation_outputs"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.rows(f"SELECT * FROM dbos.{table}", user="app")


DOORS = {
    "a grant": ("GRANT USAGE ON SCHEMA dbos TO app", "app", "REVOKE ALL ON SCHEMA dbos"),
    "a grant to all": ("GRANT USAGE ON SCHEMA dbos TO PUBLIC", "app", "FROM PUBLIC"),
    "a role": ("GRANT works TO app", "app", 'REVOKE "works" FROM "app"'),
    "a role one has to become": (
        "ALTER ROLE app NOINHERIT; GRANT USAGE ON SCHEMA dbos TO reports; GRANT reports TO app",
        "app",
        'REVOKE "reports" FROM "app"',
    ),
    "all data": ("GRANT pg_read_all_data TO app", "app", 'REVOKE "pg_read_all_data" FROM "app"'),
    "the engine's own login": ("SELECT 1", "works", "a login of its own"),
    "a superuser": ("SELECT 1", "postgres", "no superuser"),
}


@ON_15
def test_a_login_without_a_connection_left_is_asked_about_all_the_same(database: Database) -> None:
    logins(database)
    database.execute("ALTER ROLE app CONNECTION LIMIT 0")
    with walled(database) as tenancy:
        tenancy.workflows.launch()
    database.execute("GRANT USAGE ON SCHEMA dbos TO app")
    with walled(database) as tenancy, pytest.raises(UnsafeLogin, match="REVOKE ALL ON SCHEMA dbos"):
        tenancy.workflows.launch()
    database.execute("ALTER ROLE app NOLOGIN")
    with walled(database) as tenancy:
        tenancy.workflows.launch()


def test_a_server_that_is_down_is_said_to_be() -> None:
    nowhere = "postgresql://{}@127.0.0.1:1/house"  # both logins are of this one server
    engine = DbosWorkflows(nowhere.format("works"), key=KEY)
    with (
        Tenancy(nowhere.format("app"), RowSecurity(type="text"), workflows=engine) as tenancy,
        pytest.raises(WorkError, match="could not be reached"),
    ):
        tenancy.workflows.launch()


@ON_15
@pytest.mark.parametrize("door", DOORS)
def test_an_application_s_login_that_could_look_is_refused(database: Database, door: str) -> None:
    logins(database)
    statements, login, mend = DOORS[door]
    database.execute(statements)
    with walled(database, login) as tenancy, pytest.raises(UnsafeLogin, match=mend):
        tenancy.workflows.launch()


@pytest.mark.parametrize("way", ["", "/.", "/../app"])
def test_the_tenants_own_file_is_no_place_for_workflows(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    url = f"sqlite:///{folder}/app.db"
    engine = DbosWorkflows(f"sqlite:///{folder}{way}/app.db", key=KEY)
    with (
        Tenancy(url, ScopedQueries(), workflows=engine) as tenancy,
        pytest.raises(ConfigurationError, match="a file of its own"),
    ):
        tenancy.workflows.launch()


def test_an_engine_that_is_not_there_says_so(tmp_path: Path) -> None:
    for of in (["dbos", "sqlite:////nowhere/at/all.db"], ["temporal", "127.0.0.1:1"]):
        made = Application(of, tmp_path)
        with made.tenancy:
            for asked in (made.workflows.launch, lambda m=made: m.workflows.start(ACME, app.greet)):
                with pytest.raises(WorkError, match="reached"):
                    asked()


def test_a_tenancy_without_an_engine_says_what_is_missing(tmp_path: Path) -> None:
    tenancy = Tenancy(f"sqlite:///{tmp_path}/app.db", ScopedQueries())
    with pytest.raises(ConfigurationError, match="workflows=DbosWorkflows"):
        tenancy.workflows  # noqa: B018 - it raises
