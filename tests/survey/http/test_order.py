"""What is attacked first, what last, and what not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.graph import Graph
from partywall.survey.http.order import dangerous, in_order, principal_last
from tests.probe.corpus.describing import Told
from tests.survey.http.apis import api, operation

WRITES = (
    "POST /notes",
    "POST /notes/{note_id}/tags",
    "PUT /notes/{note_id}",
    "PATCH /notes/{note_id}/tags/{tag_id}",
    "POST /notes/{note_id}/delete",
    "DELETE /notes/{note_id}/tags/{tag_id}",
    "DELETE /notes/{note_id}",
)


@pytest.mark.parametrize(
    "at",
    [
        "POST /logout",
        "GET /auth/sign-out",
        "POST /auth/changePassword",
        "POST /login",
        "DELETE /me",
        "DELETE /account",
        "POST /admin/reset",
        "GET /createdb",
        "POST /dev/seed-database",
    ],
)
def test_what_may_end_everything_is_dangerous(at: str) -> None:
    assert dangerous(operation(api(at), at))


@pytest.mark.parametrize(
    "at",
    [
        "GET /login",
        "GET /notes",
        "POST /notes",
        "DELETE /notes",
        "GET /me",
        "POST /users/{user_id}/deactivate",
        "DELETE /accounts/{account_id}",
    ],
)
def test_what_is_not(at: str) -> None:
    assert not dangerous(operation(api(at), at))


@given(st.permutations(WRITES))
def test_removals_come_last(mixed: list[str]) -> None:
    found = [one.at for one in in_order(api(*mixed).operations)]
    assert found[:2] == ["POST /notes", "POST /notes/{note_id}/tags"]
    assert found[-3] == "DELETE /notes/{note_id}/tags/{tag_id}"
    assert set(found[-2:]) == {"DELETE /notes/{note_id}", "POST /notes/{note_id}/delete"}
    assert sorted(found) == sorted(mixed)


def test_whoever_lets_somebody_in_comes_late() -> None:
    told = {
        "POST /notes": Told(body={"title": str}),
        "POST /members": Told(body={"user_id": str}),
    }
    known = api("GET /users/{user_id}", **told)
    writes = [one for one in known.operations if not one.safe]
    early, late = principal_last(writes, Graph(known))
    assert [one.at for one in early] == ["POST /notes"]
    assert [one.at for one in late] == ["POST /members"]
