"""Lines of a log name the tenant that was passed on, and no value can say otherwise."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from partywall import TenantContext
from partywall.adapters.logs import OneLine, Stamp, TenantFilter, tenant_logger
from partywall.adapters.logs.structlog import TenantStamp
from partywall.errors import MissingTenant

if TYPE_CHECKING:
    from collections.abc import Iterator

ACME = TenantContext("acme", "ann")
FORMAT = "tenant=%(tenant_id)s user=%(user_id)s request=%(request_id)s %(message)s"


class Log:
    """A logger of its own, and what it has written."""

    def __init__(self) -> None:
        self.logger = logging.Logger("app")  # noqa: LOG001 - of this test alone
        self.out = io.StringIO()
        self.records: list[logging.LogRecord] = []
        handler = logging.StreamHandler(self.out)
        handler.addFilter(TenantFilter())
        handler.addFilter(self.keep)
        handler.setFormatter(OneLine(FORMAT))
        self.logger.addHandler(handler)

    def keep(self, record: logging.LogRecord) -> bool:
        self.records.append(record)
        return True

    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    yield Log()  # noqa: PT022 - as the others


def test_a_line_names_the_tenant_of_the_context_it_was_logged_with(log: Log) -> None:
    tenant_logger(log.logger, ACME, request_id="r1").info("paid %s", 7)
    tenant_logger(log.logger, TenantContext("globex")).warning("owed")
    assert log.lines() == [
        "tenant=acme user=ann request=r1 paid 7",
        "tenant=globex user=- request=- owed",
    ]


def test_a_line_without_a_context_names_nobody(log: Log) -> None:
    log.logger.info("started")
    assert log.lines() == ["tenant=- user=- request=- started"]


@pytest.mark.parametrize("context", [None, "acme", {"tenant_id": "acme"}])
def test_nothing_but_a_context_makes_a_stamp(log: Log, context: Any) -> None:  # noqa: ANN401
    with pytest.raises(MissingTenant):
        tenant_logger(log.logger, context)


@pytest.mark.parametrize("stamped", [True, False])
def test_what_is_logged_under_our_names_is_called_data(log: Log, stamped: bool) -> None:  # noqa: FBT001 - a parameter
    logger = tenant_logger(log.logger, ACME) if stamped else log.logger
    forged = {"tenant_id": "globex", "user_id": "bob", "request_id": "r9", "amount": 7}
    logger.info("paid", extra=forged)
    own = "tenant=acme user=ann" if stamped else "tenant=- user=-"
    assert log.lines() == [f"{own} request=- paid"]
    [record] = log.records
    assert record.__dict__["data_tenant_id"] == "globex"
    assert record.__dict__["data_user_id"] == "bob"
    assert record.__dict__["amount"] == 7


@pytest.mark.parametrize("forged", [{"tenant_id": "globex"}, "acme", ACME])
def test_a_stamp_is_of_a_type_that_no_data_has(log: Log, forged: object) -> None:
    log.logger.info("paid", extra={"partywall_stamp": forged})
    assert log.lines() == ["tenant=- user=- request=- paid"]


@given(st.text())
@example("a\ntenant=globex user=bob request=r2 stolen")
@example("a\r\x85\u2028\u2029\x0b\x0c\x1c b")
@example("\x1b[2K\x1b[1A")
def test_no_value_begins_a_line_of_its_own(value: str) -> None:
    log = Log()
    logger = tenant_logger(log.logger, TenantContext("acme", value), request_id=value)
    logger.info("%s", value, extra={"amount": value})
    logger.info(value.replace("%", "%%"))
    logger.error("failed", exc_info=ValueError(value))
    lines = log.lines()
    assert len(lines) == 3
    for each in lines:
        tenant, user, request, _ = each.split(" ", 3)
        assert tenant == "tenant=acme"
        assert user.startswith("user=")
        assert request.startswith("request=")
        assert each.isprintable() or not any(c < " " for c in each)


def test_a_user_s_name_is_one_word(log: Log) -> None:
    who = TenantContext("acme", 'ann tenant=globex "x"')
    tenant_logger(log.logger, who).info("paid")
    assert log.lines() == [r"tenant=acme user=ann\x20tenant\x3dglobex\x20\x22x\x22 request=- paid"]


class Events:
    """structlog, as an application configures it, and what was written."""

    def __init__(self, *, as_json: bool = False) -> None:
        renderer: Any = structlog.processors.JSONRenderer()
        if not as_json:
            renderer = structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            )
        self.out = io.StringIO()
        self.log = structlog.wrap_logger(
            structlog.PrintLogger(self.out),
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.format_exc_info,
                TenantStamp(escaped=not as_json),
                renderer,
            ],
        )

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.out.getvalue().splitlines()]


def test_a_bound_context_becomes_the_fields_of_an_event() -> None:
    found = Events(as_json=True)
    found.log.bind(context=ACME).info("paid", amount=7)
    found.log.bind(context=Stamp(ACME, "r1")).info("paid")
    assert found.events() == [
        {"event": "paid", "amount": 7, "tenant_id": "acme", "user_id": "ann", "request_id": "-"},
        {"event": "paid", "tenant_id": "acme", "user_id": "ann", "request_id": "r1"},
    ]


def test_what_comes_under_our_names_in_an_event_is_called_data() -> None:
    found = Events(as_json=True)
    with structlog.contextvars.bound_contextvars(tenant_id="globex"):
        found.log.info("paid", user_id="bob")
        found.log.bind(context=ACME).info("paid", request_id="r9")
    found.log.info("paid", context={"tenant_id": "globex"})
    assert found.events() == [
        {"event": "paid", "data_tenant_id": "globex", "data_user_id": "bob"},
        {
            "event": "paid", "data_tenant_id": "globex", "data_request_id": "r9",
            "tenant_id": "acme", "user_id": "ann", "request_id": "-",
        },
        {"event": "paid", "context": {"tenant_id": "globex"}},
    ]  # fmt: skip


def test_no_value_begins_an_event_of_its_own() -> None:
    found = Events()
    log = found.log.bind(context=ACME)
    log.info("a\nb", **{"key\n": "value\n"})
    log.error("failed", exc_info=ValueError("first\nsecond"))
    lines = found.out.getvalue().splitlines()
    assert len(lines) == 3  # this renderer puts a traceback on a line of its own
    assert not any(line.startswith(("b", "second")) for line in lines)
