"""Two things at once that can't both be, over HTTP: one of them happens, whole."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.examples.invoices import behind
from tests.examples.invoices.houses import PATIENCE_S, credentials
from tests.examples.invoices.wire import Answer, Line

if TYPE_CHECKING:
    import httpx

    from tests.examples.invoices.houses import House

CROWD = 100
NEW_EVERY = 5
"""So many of the crowd are new here; to keep a password takes long, on purpose."""


def test_of_a_hundred_sign_ups_of_one_slug_one_is_let_in(house: House) -> None:
    known = house.company()
    before, places = behind.records(house), behind.places(house)
    logs = behind.logged(house)
    slug, keys = f"c-{uuid.uuid4().hex}", [uuid.uuid4().hex for _ in range(CROWD)]
    newcomers = set(keys[::NEW_EVERY])

    async def signed_up(key: str) -> Answer:
        said = {"slug": slug, "name": key}
        path, headers = "/tenants", known.headers
        if key in newcomers:
            path, headers, said = "/sign-up", {}, said | credentials(key)
        with Line(house.base) as line:
            return await line.ask("POST", path, headers, json.dumps(said).encode())

    async def main() -> list[Answer]:
        return await asyncio.gather(*map(signed_up, keys))

    answers = dict(zip(keys, asyncio.run(main()), strict=True))
    assert Counter(each.status for each in answers.values()) == {202: 1, 409: CROWD - 1}
    ((winner, answer),) = ((key, each) for key, each in answers.items() if each.status == 202)
    end = time.monotonic() + PATIENCE_S
    while behind.record(house, "works", json.loads(answer.body)["work_id"], "state") == "begun":
        assert time.monotonic() < end
        time.sleep(0.02)
    more = {table: count - before[table] for table, count in behind.records(house).items()}
    assert more.pop("users") == (winner in newcomers)
    del more["audit_log"]  # what goes on behind companies that were there before is logged too
    now = behind.logged(house)
    new = [count for tenant, count in now.items() if tenant not in logs]
    assert new == [2]  # registered, provisioned
    assert now[""] == logs[""]
    assert more == dict.fromkeys(more, 1)
    assert len(behind.places(house) - places) == 1
    loser = next(key for key in newcomers if key != winner)
    assert house.client.post("/log-in", json=credentials(loser)).status_code == 401


def test_a_removal_and_the_provisioning_end_in_one_of_the_two(
    house: House, administrator: dict[str, str]
) -> None:
    key = uuid.uuid4().hex
    said = {"slug": f"c-{key}", "name": key, **credentials(key)}
    registered = house.client.post("/sign-up", json=said).json()
    tenant_id = registered["tenant"]["id"]
    path = f"/admin/tenants/{tenant_id}/remove?grace_days=0"
    end = time.monotonic() + PATIENCE_S

    def removing(_: int) -> list[httpx.Response]:
        answers = [house.client.post(path, headers=administrator)]
        while answers[-1].status_code == 409 and behind.record(house, *ended) != "done":
            assert time.monotonic() < end
            answers.append(house.client.post(path, headers=administrator))
        return [*answers, house.client.post(path, headers=administrator)]

    ended = ("works", registered["work_id"], "state")
    with ThreadPoolExecutor(4) as pool:
        answers = [each for found in pool.map(removing, range(4)) for each in found]
    statuses = Counter(each.status_code for each in answers)
    assert statuses.keys() <= {202, 404, 409}
    assert (statuses[202], statuses[409] > 0) == (1, True)
    (work,) = [each.json()["work_id"] for each in answers if each.status_code == 202]
    while behind.record(house, "works", work, "state") == "begun":
        assert time.monotonic() < end
        time.sleep(0.02)
    states = [behind.record(house, "works", id_, "state") for id_ in (ended[1], work)]
    assert states == ["done", "done"]
    assert behind.record(house, "tenants", tenant_id, "status") == "deleted"
    assert behind.emptied(house, tenant_id)
    entering = house.client.post("/log-in", json={**credentials(key), "tenant": f"c-{key}"})
    assert entering.status_code == 404


class Guest:
    """A company, and somebody of another one who becomes its member, again and again."""

    def __init__(self, house: House) -> None:
        self.company, self._other = house.company(), house.company()
        user_id = self._other.get("/me").json()["id"]
        self.path = f"/members/{user_id}"

    def invited(self) -> dict[str, str]:
        """The credentials of a member who may write."""
        invited = self.company.made("/invitations", {"email": f"{self._other.owner}@example.com"})
        said = {"token": invited["token"]}
        assert self._other.send("POST", "/invitations/accept", said).status_code == 200
        slug = self.company.slug
        switched = self._other.send("POST", "/switch-tenant", {"tenant": slug}).json()
        return {"Authorization": f"Bearer {switched['access_token']}"}

    def written(self) -> set[str]:
        """The names of all customers of the company."""
        lines = map(json.loads, self.company.get("/export").text.splitlines())
        return {line["name"] for line in lines if line["kind"] == "customer"}


def test_no_request_gets_in_after_its_membership_was_ended(house: House) -> None:
    guest = Guest(house)
    many_requests(house, guest, guest.invited())
    asyncio.run(waiting_request(house, guest, guest.invited()))


def customer(name: str) -> bytes:
    """What is said of a customer."""
    return json.dumps({"name": name, "email": "x@example.com"}).encode()


def many_requests(house: House, guest: Guest, member: dict[str, str]) -> None:
    """End the membership in the midst of requests: each is done as it was answered."""
    answered: dict[str, int] = {}
    late: list[int] = []

    async def main() -> None:
        enough, over = asyncio.Event(), asyncio.Event()

        async def writing(number: int) -> None:
            with Line(house.base) as line:
                for count in range(500):
                    name, after = f"{number} {count}", over.is_set()
                    status = (await line.ask("POST", "/customers", member, customer(name))).status
                    if after:
                        late.append(status)
                        return
                    answered[name] = status
                    if len(answered) >= 30:
                        enough.set()

        async def ending() -> None:
            await enough.wait()
            with Line(house.base) as line:
                ended = await line.ask("DELETE", guest.path, guest.company.headers)
            assert ended.status == 204, ended.body
            over.set()

        await asyncio.gather(ending(), *(writing(number) for number in range(6)))

    asyncio.run(main())
    assert late == [404] * 6
    assert set(answered.values()) <= {201, 404}
    assert guest.written() == {name for name, status in answered.items() if status == 201} != set()


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'customers'::regclass"


async def waiting_request(house: House, guest: Guest, member: dict[str, str]) -> None:
    """End the membership while a request that was let in waits for a lock: it is done, whole."""
    sqlite = house.server is None
    body = customer("the last one")
    with (
        behind.inside(house, guest.company) as say,
        Line(house.base) as line,
        Line(house.base) as owner,
    ):
        assert (await line.ask("GET", "/customers", member)).status == 200
        say("BEGIN IMMEDIATE" if sqlite else "BEGIN; LOCK TABLE customers IN SHARE MODE")
        try:
            writing = asyncio.create_task(line.ask("POST", "/customers", member, body))
            await asyncio.sleep(0.1)
            while not sqlite and say(WAITING) == [(0,)]:  # noqa: ASYNC110 - the server sends no word
                await asyncio.sleep(0.01)
            ended = await owner.ask("DELETE", guest.path, guest.company.headers)
            assert (ended.status, writing.done()) == (204, False)
        finally:
            say("ROLLBACK")
        status = (await writing).status
        assert status == 201 or (sqlite and status == 404)  # SQLite doesn't say who waits
        assert (await line.ask("POST", "/customers", member, customer("late"))).status == 404
    assert ("the last one" in guest.written()) == (status == 201)
    assert "late" not in guest.written()
