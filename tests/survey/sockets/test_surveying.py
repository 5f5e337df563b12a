"""A member leaves with a socket open: what is found, what holds, and what can't be said."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.declared import Table
from partywall.survey.sockets.attempt import Heard, judged
from partywall.survey.sockets.settings import load
from partywall.survey.sockets.surveying import survey
from tests.probe.serving import serving
from tests.survey.sockets.board import SECRETS, Board, application, configuration

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.survey.layers import LayerReport

PATIENCE_S = 20.0
EVENTS = {"path": None, "events": "/events"}


def surveyed(board: Board, changed: Any = None, **sockets: Any) -> LayerReport:  # noqa: ANN401 - any value
    with serving(application(board)) as port:
        told = configuration(f"http://127.0.0.1:{port}", **sockets)
        if changed is not None:
            changed(told)
        settings = load(Table(told, "", Path()))
        assert settings is not None
        return survey(settings)


@pytest.mark.parametrize("kind", [{}, EVENTS], ids=["socket", "events"])
def test_a_socket_that_is_never_looked_at_again_is_found(kind: dict[str, Any]) -> None:
    board = Board(asks_again=False)
    report = surveyed(board, **kind)
    assert report.verdict == "breached"
    at = "sockets GET /events" if kind else "sockets WS /live"
    assert {(f.code, f.at, f.victim) for f in report.findings} == {
        ("PW801", at, tenant) for tenant in ("acme", "globex")
    }
    assert all("left open" in finding.because for finding in report.findings)
    assert {(one.state, one.victim) for one in report.tried} == {
        (state, tenant) for state in ("breached", "held") for tenant in ("acme", "globex")
    }
    assert report.controls == {"proved": 4, "failed": 0}
    assert not report.left
    assert board.members == set(SECRETS.values())
    assert not [secret for secret in SECRETS if secret in repr(report)]


@pytest.mark.parametrize("kind", [{}, EVENTS], ids=["socket", "events"])
def test_a_credential_that_opens_anew_is_found(kind: dict[str, Any]) -> None:
    report = surveyed(Board(asks_first=False, asks_again=False), **kind)
    words = {f.because.rpartition("was ")[2] for f in report.findings}
    assert words == {"left open", "opened again"}


@pytest.mark.parametrize("kind", [{}, EVENTS], ids=["socket", "events"])
def test_what_asks_again_is_held_and_the_membership_is_given_back(kind: dict[str, Any]) -> None:
    board = Board()
    report = surveyed(board, **kind)
    assert report.verdict == "held"
    assert {one.state for one in report.tried} == {"held"}
    assert len(report.tried) == 4
    assert board.members == set(SECRETS.values())


def test_without_who_stays_hearing_it_nothing_is_held() -> None:
    report = surveyed(Board(stumbles=True), patience_s=0.3)
    assert report.verdict == "undecided"
    assert {one.state for one in report.tried} == {"undecided"}
    assert "who stays didn't hear" in report.undecided[0].because
    assert report.controls == {"proved": 2, "failed": 2}


def test_a_socket_that_was_slow_to_open_again_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("partywall.survey.http.ears.OPEN_S", 0.3)
    report = surveyed(Board(asks_first=False, late_s=2))
    assert {(one.state, one.because) for one in report.tried if one.victim == "acme"} == {
        ("held", ""), ("undecided", "as acme-leaver: it did not open in time"),
    }  # fmt: skip


def test_what_the_server_says_is_told_without_what_looks_like_a_secret() -> None:
    report = surveyed(Board(), other("/members/keeper"))
    assert "could not be ended: 403" in report.undecided[0].because
    assert "a-token-of-the-server" not in repr(report)


def without(*keys: str) -> Any:  # noqa: ANN401 - any value
    def changed(told: dict[str, Any]) -> None:
        for tenant in told["tenants"].values():
            inner = tenant
            for key in keys[:-1]:
                inner = inner[key]
            del inner[keys[-1]]

    return changed


def other(path: str) -> Any:  # noqa: ANN401 - any value
    def changed(told: dict[str, Any]) -> None:
        for tenant in told["tenants"].values():
            tenant["sockets"]["leave"]["path"] = path

    return changed


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        (without("sockets"), "nobody is declared who leaves"),
        (without("sockets", "leave"), "nothing ends a membership"),
        (without("sockets", "join"), "nothing would give the membership back"),
        (other("/nowhere"), "the membership could not be ended: 404"),
    ],
)
def test_what_is_not_declared_is_undecided_with_its_reason(changed: Any, because: str) -> None:  # noqa: ANN401 - any value
    board = Board(asks_again=False)
    report = surveyed(board, changed)
    assert report.verdict == "undecided"
    assert not report.findings
    assert because in report.undecided[0].because
    assert board.members == set(SECRETS.values())


def test_who_hears_nothing_as_a_member_proves_nothing() -> None:
    report = surveyed(
        Board(), publish={"path": "/nowhere", "json": {"text": "{canary}"}}, patience_s=0.3
    )
    assert report.verdict == "undecided"
    assert "heard nothing" in report.undecided[0].because
    refused = surveyed(Board(), path="/elsewhere")
    assert "the server answered 403" in refused.undecided[0].because


def test_a_membership_that_is_not_given_back_is_told() -> None:
    def changed(told: dict[str, Any]) -> None:
        for tenant in told["tenants"].values():
            tenant["sockets"]["join"]["path"] = "/nowhere"

    report = surveyed(Board(), changed)
    assert len(report.left) == 2
    assert "could not be given back: 404" in report.left[0]


def until(said: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not said():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_witness_can_be_replayed(tmp_path: Path) -> None:
    board = Board(asks_again=False, asks_first=False)
    with serving(application(board)) as port:
        settings = load(Table(configuration(f"http://127.0.0.1:{port}"), "", Path()))
        assert settings is not None
        finding = survey(settings).findings[0]
        *asked, heard = finding.witness
        assert [step.actor for step in asked] == ["acme", "acme", "acme"]
        assert heard.actor == "acme-leaver"
        told = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "ACME_AUTHORIZATION": "Bearer secret-of-ann-at-acme",
            "ACME_LEAVER_AUTHORIZATION": "Bearer secret-of-leo-at-acme",
        }
        until(lambda: not board.ears)
        listening = subprocess.Popen(
            ["/bin/bash", "-c", heard.request],
            env=told,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        try:
            until(lambda: board.ears or listening.poll() is not None)
            for step in asked[1:]:
                subprocess.run(["/bin/bash", "-c", step.request], env=told, check=True)
            assert listening.stdout is not None
            late = threading.Timer(PATIENCE_S, listening.kill)
            late.start()
            canary = re.search(r'"text":"?\s*"([^"]+)', asked[-1].request.replace("\\", ""))
            line = listening.stdout.readline()
            late.cancel()
            assert canary is None or canary[1] in line
            assert '"text"' in line
        finally:
            listening.kill()
            listening.communicate()
    assert shlex.split(heard.request)[0] == "python"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": None}, "path"),
        ({"events": "/events"}, "path"),
        ({"path": "live"}, 'begin with "/"'),
        ({"publish": {"path": "/say"}}, "canary"),
        ({"publish": {"path": "/say", "json": "{canary}", "as": "nobody"}}, "stays, leaves"),
        ({"within_s": 0}, "within_s"),
        ({"within": 1}, "within_s"),
    ],
)
def test_what_can_t_be_is_refused(change: dict[str, Any], said: str) -> None:
    told = configuration("http://127.0.0.1:1", **change)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load(Table(told, "", Path()))


def test_a_tenants_misspelt_key_is_an_error() -> None:
    told = configuration("http://127.0.0.1:1")
    told["tenants"]["acme"]["cookie"] = {"session": "1"}
    with pytest.raises(ConfigurationError, match=r"\[tenants.acme\] has unknown keys: cookie"):
        load(Table(told, "", Path()))


def test_where_it_is_missing_nothing_is_surveyed_and_nobody_answers() -> None:
    assert load(Table({}, "", Path())) is None
    told = configuration("http://127.0.0.1:1")
    del told["api"]
    with pytest.raises(ConfigurationError, match=r"\[api\] base"):
        load(Table(told, "", Path()))
    told = configuration("http://127.0.0.1:1")
    for tenant in told["tenants"].values():
        tenant["login"] = {"request": {"path": "/log-in"}}
    settings = load(Table(told, "", Path()))
    assert settings is not None
    with pytest.raises(TargetError):
        survey(settings)


@pytest.mark.parametrize(
    ("heard", "state"),
    [
        (Heard("", after=True, stayed=True), "breached"),
        (Heard("", after=True, stayed=False), "breached"),
        (Heard("", after=False, stayed=True), "held"),
        (Heard("", after=False, stayed=False), "undecided"),
        (Heard("because", after=True, stayed=True), "undecided"),
        (Heard("because", after=False, stayed=True), "undecided"),
    ],
)
def test_the_verdict_takes_both_controls(heard: Heard, state: str) -> None:
    assert judged(heard)[0] == state
