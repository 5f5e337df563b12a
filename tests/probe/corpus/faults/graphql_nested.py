"""GraphQL: a task leads to the tasks that block it, whosever they are."""

from __future__ import annotations

from tests.probe.corpus.case import Case
from tests.probe.corpus.graph import GraphQLError, Info, served, tenant_in
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids

SCHEMA = """
type Task { id: ID! title: String! blockedBy: [Task!]! }
type Query { tasks: [Task!]! task(id: ID!): Task }
type Mutation { createTask(title: String!, blockedBy: [ID!]): Task! }
"""


class Root:
    def __init__(self) -> None:
        self.shelf = Shelf(uuids())

    def tasks(self, info: Info) -> list[Row]:
        return self.shelf.of(tenant_in(info))

    def task(self, info: Info, id: str) -> Row:  # noqa: A002 - the schema's name
        if self.shelf.owners.get(id) != tenant_in(info):
            raise GraphQLError("not found")
        return self.shelf.rows[id]

    def createTask(  # noqa: N802 - the schema's
        self,
        info: Info,
        title: str,
        blockedBy: list[str] | None = None,  # noqa: N803 - the schema's
    ) -> Row:
        blocking = [self.shelf.rows[one] for one in blockedBy or () if one in self.shelf.rows]
        return self.shelf.add(tenant_in(info), title=title, blockedBy=blocking)


def case() -> Case:
    leaks = {("POST /graphql", "read")}
    return Case(served("Tasks", SCHEMA, Root()), bearers("north", "south"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    make = (
        "mutation($by: [ID!]) { createTask(title: %s, blockedBy: $by) { id blockedBy { title } } }"
    )
    asked: Row = {"query": make % '"secret"'}
    theirs = got(a.post("/graphql", json=asked))["data"]["createTask"]["id"]
    asked = {"query": "query($id: ID!) { task(id: $id) { title } }", "variables": {"id": theirs}}
    assert got(b.post("/graphql", json=asked))["data"] == {"task": None}
    asked = {"query": make % '"mine"', "variables": {"by": [theirs]}}
    mine = got(b.post("/graphql", json=asked))["data"]["createTask"]
    assert mine["blockedBy"] == [{"title": "secret"}]
